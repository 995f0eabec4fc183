/** The dashboard's server: who is answered, who may act, what is bounded, and its end. Without a browser. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { ControlServer } from '../../src/cli/control/control-server.js'
import { findSocket } from '../../src/cli/control/socket-place.js'
import { HttpServer } from '../../src/cli/http/http-server.js'
import { listenAddressOf } from '../../src/cli/http/listen-address.js'
import { httpToken, newToken, TOKEN_VARIABLE } from '../../src/cli/http/token.js'
import { Viewers } from '../../src/cli/http/viewers.js'
import type { NumberedEntry } from '../../src/dashboard/frames.js'
import { WatchedCluster } from '../observe/watched-cluster.js'
import { openForTest } from '../support/cluster.js'

const TOKEN = newToken()
const LOCAL = { host: '127.0.0.1', port: 0 }

test('dashboard server: who is answered, who may act, and what is shown', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16 })
  await cluster.put('user:7', 'Ada')
  const options = { cluster, address: LOCAL, token: TOKEN, faults: true, mayDestroy: false }
  const http = await HttpServer.listen(options)
  t.teardown(() => http.close())
  const { port } = new URL(http.url)
  const own = { authorization: `Bearer ${TOKEN}` }

  const ask = async (path: string, { body, ...more }: RequestOptions & { body?: string } = {}) => {
    const sent = request({ port, path, agent: false, ...more })
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return answer
  }
  const status = async (...asked: Parameters<typeof ask>) => {
    const answer = await ask(...asked)
    answer.resume()
    return answer.statusCode
  }
  const json = async (...asked: Parameters<typeof ask>) => JSON.parse(await text(await ask(...asked)))
  const post = (headers: RequestOptions['headers'] = {}) => ({ method: 'POST', headers, body: '{"key":"user:7"}' })

  await t.test('every answer forbids what is not its own, and nothing is inline', async (t) => {
    for (const path of ['/', '/page.js', '/v1/status', '/v1/none']) {
      const { headers } = await ask(path).then((answer) => answer.resume())
      const policy = String(headers['content-security-policy'])
      t.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/)
      t.notMatch(policy, /unsafe|\*|https?:/)
      t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    }
    const page = await text(await ask('/'))
    t.notMatch(page, /<style|style=|<script(?![^>]*src=)|\son\w+=|https?:\/\//)
  })

  await t.test('files: once read they are not sent again; packed where that is understood', async (t) => {
    const first = await ask('/page.js', { headers: { 'accept-encoding': 'gzip' } })
    first.resume()
    t.equal(first.headers['content-encoding'], 'gzip')
    t.equal(await status('/page.js', { headers: { 'if-none-match': String(first.headers.etag) } }), 304)
    t.equal((await ask('/page.js').then((answer) => answer.resume())).headers['content-encoding'], undefined)
    const accepted = async (encodings: string) => {
      const { headers } = (await ask('/page.js', { headers: { 'accept-encoding': encodings } })).resume()
      return headers['content-encoding']
    }
    for (const not of ['gzip;q=0', 'br, gzip; q=0.00, identity']) t.equal(await accepted(not), undefined, not)
    for (const yes of ['gzip;q=0.1', 'br;q=0, GZIP', 'gzip;q=1,br;q=0']) t.equal(await accepted(yes), 'gzip', yes)
    t.equal(await status('/../package.json'), 404)
    t.equal(await status('//'), 400)
    t.equal(await status('/%2e%2e/frames.js'), 404)
  })

  await t.test('a name that is not ours is not answered, whatever it leads to', async (t) => {
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1:1', `localhost.evil.example:${port}`])
      t.equal(await status('/v1/status', { headers: { host } }), 421, host)
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      t.equal(await status('/v1/status', { headers: { host } }), 200, host)
  })

  await t.test('actions need the token, and no page of another origin may act', async (t) => {
    t.equal(await status('/v1/get', post()), 401)
    t.equal(await status('/v1/get', post({ authorization: `Bearer ${TOKEN}x` })), 401)
    t.equal(await status('/v1/get', post({ authorization: `Basic ${TOKEN}` })), 401)
    t.equal(await status('/v1/get', post({ ...own, origin: 'http://evil.example' })), 403)
    t.equal(await status('/v1/get', post({ ...own, 'sec-fetch-site': 'cross-site' })), 403)
    // The origin must be the host that was asked.
    t.equal(await status('/v1/get', post({ ...own, origin: `http://127.0.0.1:${port}` })), 403)
    const host = `localhost:${port}`
    t.equal(await status('/v1/get', post({ ...own, host, origin: `http://${host}` })), 200)
    t.same(await json('/v1/get', post(own)), { found: true, value: 'Ada' })
  })

  await t.test('it offers some of the routes of the control socket, and no others', async (t) => {
    t.equal(await status('/v1/leave', { method: 'POST', headers: own, body: '{"node":"node1"}' }), 404)
    t.equal(await status('/v1/backup', { method: 'POST', headers: own, body: '{"dir":"/tmp/x"}' }), 404)
    t.equal(await status('/v1/status', { method: 'DELETE' }), 405)
    t.same(await json('/v1/ring'), cluster.ring())
    t.same(await json('/v1/views'), cluster.views())
    const permanent = await json('/v1/crash', {
      method: 'POST',
      headers: own,
      body: '{"node":"node1","permanent":true}',
    })
    t.equal(permanent.error.code, 'FAULTS_DISABLED')
  })

  await t.test('a key: its way, and the version of each replica, without its value', async (t) => {
    const found = await text(await ask('/v1/versions?key=user%3A7'))
    t.match(JSON.parse(found), {
      ...cluster.locate('user:7'),
      replicas: cluster.locate('user:7').owners.map((node) => ({ node, role: 'owner', answered: true })),
    })
    t.notMatch(found, /Ada/)
    t.equal(await status('/v1/versions?key='), 400)
    t.equal(await status('/v1/versions?base64=AA%3D%3D'), 200)
  })

  await t.test('what is sent is bounded', async (t) => {
    t.equal(await status('/v1/put', { method: 'POST', headers: own, body: 'x'.repeat(1_100_000) }), 413)
    t.equal(await status('/v1/put', { method: 'POST', headers: own, body: '{' }), 400)
    for (const method of ['POST', 'GET', 'DELETE']) {
      const endless = connect(Number(port), '127.0.0.1')
      endless.write(`${method} /v1/get HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 1000000000\r\n\r\n`)
      const [head] = (await once(endless, 'data')) as [Buffer]
      t.match(String(head), method === 'POST' ? / 401 / : / 40[45] /)
      const cut = once(endless, 'close').then(
        () => true,
        () => true,
      )
      let sent = 0
      for (; !endless.closed && sent < 64; sent++)
        await Promise.race([new Promise((resolve) => endless.write(Buffer.alloc(1_048_576), resolve)), cut])
      t.ok(sent < 64, `${method}: cut off after ${sent} MiB`)
      endless.destroy()
    }
  })

  await t.test('the stream: what there is, then what happens; viewers are bounded', async (t) => {
    const stream = await ask('/v1/stream')
    t.teardown(() => stream.destroy())
    const lines = linesOf(stream)
    t.match(await lines.next(), { value: { kind: 'about', partitions: 16, faults: true, mayDestroy: false } })
    await cluster.faults.crash('node2')
    for await (const entry of lines) if (entry.kind === 'event' && entry.event === 'node:exit') break
    t.pass('the crash was told')

    const others = await Promise.all(Array.from({ length: 32 }, () => ask('/v1/stream')))
    t.equal(await status('/v1/stream'), 503)
    for (const site of ['cross-site', 'same-site'])
      t.equal(await status('/v1/stream', { headers: { 'sec-fetch-site': site } }), 403, site)
    for (const other of others) other.destroy()
  })

  await t.test(
    'requests behind one that is not answered yet are refused, and hold nothing once it has gone',
    async (t) => {
      const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
      for (const behind of ['/v1/stream', '/v1/recording']) {
        const socket = connect(Number(port), '127.0.0.1')
        socket.write(line('/v1/stream'))
        await once(socket, 'data')
        socket.write(line(behind).repeat(40))
        // They have been read: what was asked after them is answered.
        await status('/healthz')
        socket.destroy()
        await once(socket, 'close')
        t.ok(await isSoon(async () => (await status('/v1/status')) === 200), `${behind}: requests are answered`)
        const streams: IncomingMessage[] = []
        const watches = async () => {
          const stream = await ask('/v1/stream')
          if (stream.statusCode === 200) streams.push(stream)
          else stream.resume()
          return stream.statusCode === 200
        }
        t.ok((await isSoon(watches)) && (await isSoon(watches)), `${behind}: there is room for who watches`)
        for (const stream of streams) stream.destroy()
      }
      const both = connect(Number(port), '127.0.0.1')
      both.write(line('/healthz') + line('/v1/status'))
      t.match(await text(both), /^HTTP\/1\.1 200 .*"live":true.*HTTP\/1\.1 503 .*OVERLOADED/s)
    },
  )

  await t.test('the recording: numbered lines, from the first look to the last', async (t) => {
    const lines = (await text(await ask('/v1/recording'))).trimEnd().split('\n')
    const entries = lines.slice(1).map((line) => JSON.parse(line) as NumberedEntry)
    t.ok(entries.some(({ kind }) => kind === 'ring'))
    t.ok(entries.some(({ kind }) => kind === 'views'))
    const numbers = entries.map(({ number }) => number)
    t.same(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
  })

  await t.test('watchers of processes: /metrics, /healthz, /readyz', async (t) => {
    const metrics = await ask('/metrics')
    t.match(metrics.headers['content-type'], /^text\/plain; version=/)
    t.match(await text(metrics), /^# HELP coterie_/m)
    t.match(await json('/healthz'), { live: true })
    t.equal(await status('/readyz'), 200)
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      const head = await ask(path, { method: 'HEAD' })
      t.equal(head.statusCode, 200, path)
      t.ok(Number(head.headers['content-length']) > 0, path)
      t.equal(await text(head), '')
    }
    t.equal(await status('/v1/status', { method: 'HEAD' }), 405)
    const owners = cluster.locate('user:7').owners.slice(0, 2)
    for (const node of owners) await cluster.faults.crash(node, { permanent: true })
    t.equal(await status('/readyz'), 503)
    t.equal(await status('/healthz'), 200)
  })

  await t.test('a connection that cannot be accepted is told once, and both servers listen on', async (t) => {
    const control = await ControlServer.listen({ cluster, mayDestroy: false, valueBytesMax: undefined })
    t.teardown(() => control.close(async () => undefined))
    const socketPath = await findSocket(cluster.status().location)
    const servers = new Set<Server>()
    const onRequest = (message: unknown) => void servers.add((message as { server: Server }).server)
    subscribe('http.server.request.start', onRequest)
    t.equal(await status('/healthz'), 200)
    t.equal(await status('/v1/status', { socketPath }), 200)
    unsubscribe('http.server.request.start', onRequest)
    t.equal(servers.size, 2)

    const warnings: string[] = []
    const onWarning = ({ message }: Error) => void warnings.push(message)
    process.on('warning', onWarning)
    const full = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
    for (const server of [...servers, ...servers]) t.doesNotThrow(() => server.emit('error', full))
    await turn()
    process.off('warning', onWarning)
    t.equal(warnings.length, 2)
    for (const name of [/dashboard/, /control socket/])
      t.ok(
        warnings.some((warning) => name.test(warning) && /EMFILE/.test(warning)),
        String(name),
      )
    t.equal(await status('/healthz'), 200)
  })

  await t.test('its port is taken: that is told, and nothing goes on', async (t) => {
    await t.rejects(HttpServer.listen({ ...options, address: { host: '127.0.0.1', port: Number(port) } }), {
      code: 'EADDRINUSE',
    })
  })

  await t.test('closed, it ends what is open', async (t) => {
    const stream = await ask('/v1/stream')
    stream.resume()
    const half = connect(Number(port), '127.0.0.1')
    half.write(
      `POST /v1/get HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 100\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n{`,
    )
    half.resume()
    // It has been read: what was asked after it is answered.
    await status('/')
    const ended = [once(stream, 'close'), once(half, 'close')]
    await http.close()
    await Promise.all(ended)
    await t.rejects(ask('/'), { code: 'ECONNREFUSED' })
  })
})

test('dashboard server: an answer counts until it has left, however soon it was made', async (t) => {
  const watched = new WatchedCluster()
  let made = 0
  const locate = () => {
    made += 1
    return { slot: 0, partition: 0, epoch: 3, owners: ['x'.repeat(6_000_000)] }
  }
  const cluster = Object.assign(watched.cluster, { locate, views: () => [] })
  const options = { cluster, address: LOCAL, token: TOKEN, faults: true, mayDestroy: false }
  const http = await HttpServer.listen(options)
  t.teardown(() => http.close())
  const port = Number(new URL(http.url).port)
  const status = async () => {
    const [answer] = (await once(request({ port, path: '/healthz', agent: false }).end(), 'response')) as [
      IncomingMessage,
    ]
    answer.resume()
    return answer.statusCode
  }
  // They never read: the kernel takes the begin of each answer, and the rest waits.
  const idle = Array.from({ length: 32 }, () => connect(port, '127.0.0.1').pause())
  for (const socket of idle) socket.write(`GET /v1/locate?key=a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  t.ok(await isSoon(async () => (await status()) === 503), `refused while ${made} answers wait`)
  t.equal(made, 32)
  for (const socket of idle) socket.destroy()
  t.ok(await isSoon(async () => (await status()) === 200), 'answered again once they have gone')
})

test('dashboard viewers: one that does not read is let go, the others go on', async (t) => {
  const viewers = new Viewers()
  const server = createServer((_request, response) => viewers.add(response, []))
  t.teardown(async () => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const [reader] = (await once(request({ port, agent: false }).end(), 'response')) as [IncomingMessage]
  let read = 0
  reader.on('data', (chunk: Buffer) => {
    read += chunk.length
  })
  const idle = connect(port, '127.0.0.1')
  const gone = once(idle, 'close')
  const asked = once(server, 'request')
  idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  idle.pause()
  const [, response] = (await asked) as [IncomingMessage, ServerResponse]
  let isGone = false
  response.once('close', () => {
    isGone = true
  })
  let told = 0
  for (; !isGone && told < 5_000; told++) {
    viewers.tell('x'.repeat(65_536))
    await turn()
  }
  t.ok(isGone, `let go after ${told} lines`)
  idle.resume()
  await gone
  t.ok(read > 1_000_000, 'the other one has read on')
  viewers.close()
  await once(reader, 'end')
})

test('dashboard address: a port is this machine, HOST:PORT whoever reaches it', async (t) => {
  t.same(listenAddressOf('8080'), { host: '127.0.0.1', port: 8080 })
  t.same(listenAddressOf('0'), { host: '127.0.0.1', port: 0 })
  t.same(listenAddressOf('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
  t.same(listenAddressOf('[::]:8080'), { host: '::', port: 8080 })
  for (const wrong of ['', 'x', '65536', ':80', 'a b:80', '1:2:3', '-1'])
    t.equal(listenAddressOf(wrong), undefined, wrong)
})

test('dashboard token: that of the environment, if it cannot be guessed', async (t) => {
  const before = process.env[TOKEN_VARIABLE]
  t.teardown(async () => {
    if (before === undefined) delete process.env[TOKEN_VARIABLE]
    else process.env[TOKEN_VARIABLE] = before
  })
  process.env[TOKEN_VARIABLE] = 'short'
  t.throws(() => httpToken(), { code: 'INVALID_OPTION' })
  process.env[TOKEN_VARIABLE] = TOKEN
  t.same(httpToken(), { token: TOKEN, isNew: false })
  delete process.env[TOKEN_VARIABLE]
  t.match(httpToken(), { token: /^[\w-]{32}$/, isNew: true })
})

/** Asked again and again, as what a server learns of a connection that was closed comes a little later. */
async function isSoon(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let asked = 0; asked < 200; asked++) if (await isSo()) return true
  return false
}

async function* linesOf(stream: IncomingMessage): AsyncGenerator<{ kind: string; event?: string }> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part.startsWith('data: ')) yield JSON.parse(part.slice('data: '.length))
  }
}
