/** The control socket as HTTP: what it answers to whatever it is sent, and when the cluster closes. */

import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { ControlClient } from '../../src/cli/control/control-client.js'
import { ControlServer } from '../../src/cli/control/control-server.js'
import { findSocket } from '../../src/cli/control/socket-place.js'
import type { Cluster, ClusterOptions } from '../../src/index.js'
import { folderForTest, openForTest, outcomeOf, type TestContext } from '../support/cluster.js'

interface Listening {
  readonly cluster: Cluster
  readonly control: ControlServer
  /** The head of the answer. */
  ask(method: string, path: string, body?: string | Buffer): Promise<IncomingMessage>
  /** Status and body. */
  answer(method: string, path: string, body?: string | Buffer): Promise<[number | undefined, unknown]>
}

async function listening(t: TestContext, options: Partial<ClusterOptions> = {}): Promise<Listening> {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 3, partitions: 16, ...options })
  const { valueBytesMax } = options
  const control = await ControlServer.listen({ cluster, mayDestroy: false, valueBytesMax })
  t.teardown(() => control.close(() => cluster.close()))
  const socketPath = await findSocket(location)
  if (socketPath === undefined) throw new Error('there is no socket')
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => agent.destroy())
  const ask = async (method: string, path: string, body?: string | Buffer) => {
    const sent = request({ socketPath, agent, method, path })
    sent.end(body)
    return (await once(sent, 'response'))[0] as IncomingMessage
  }
  const answer = async (
    method: string,
    path: string,
    body?: string | Buffer,
  ): Promise<[number | undefined, unknown]> => {
    const response = await ask(method, path, body)
    return [response.statusCode, JSON.parse(await text(response))]
  }
  return { cluster, control, ask, answer }
}

const codeIs = (code: string) => ({ error: { code } })

test('control: keys and values are text, or base64', async (t) => {
  const { answer } = await listening(t)
  const key = { base64: '/wA=' }
  t.same(await answer('POST', '/v1/put', JSON.stringify({ key, value: 'Zürich' })), [200, {}])
  t.same(await answer('POST', '/v1/get', JSON.stringify({ key, r: 2 })), [200, { found: true, value: 'Zürich' }])
  t.same(await answer('POST', '/v1/get', '{"key":"none"}'), [200, { found: false }])
  t.match(await answer('POST', '/v1/locate', JSON.stringify({ key })), [200, { owners: { length: 3 } }])
})

test('control: a stream is a line each, and says at its end what went wrong', async (t) => {
  const { cluster, ask } = await listening(t)
  await cluster.batch([1, 2, 3].map((number) => ({ type: 'put', key: `k${number}`, value: `${number}` })))
  const pairs = await ask('POST', '/v1/scan', '{"prefix":"k","limit":2}')
  t.equal(pairs.headers['content-type'], 'application/x-ndjson')
  t.equal(await text(pairs), '{"key":"k1","value":"1"}\n{"key":"k2","value":"2"}\n')
  t.match(await ask('POST', '/v1/scan', '{"limit":-1}'), { statusCode: 400 })
  const events = await ask('GET', '/v1/watch')
  await cluster.faults.crash('node2')
  let seen = ''
  while (!/"event":"node:exit","facts":\{"node":"node2"/.test(seen)) seen += String((await once(events, 'data'))[0])
  events.destroy()
})

test('control: a long stream waits for its reader, and comes whole', async (t) => {
  const { cluster, ask } = await listening(t)
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(async () => void process.off('warning', onWarning))
  const value = 'v'.repeat(1_000)
  for (let from = 0; from < 10_000; from += 500)
    await cluster.batch(Array.from({ length: 500 }, (_, index) => ({ type: 'put', key: `k${from + index}`, value })))
  const pairs = await ask('POST', '/v1/scan')
  let lines = 0
  for await (const chunk of pairs) {
    lines += String(chunk).split('\n').length - 1
    await new Promise(setImmediate)
  }
  t.equal(lines, 10_000)
  t.same(warnings, [])
})

test('control: a join, a leave and a backup tell how far they are, then what came of it', async (t) => {
  const { cluster, ask } = await listening(t)
  await cluster.batch(Array.from({ length: 500 }, (_, number) => ({ type: 'put', key: `k${number}`, value: 'v' })))
  const dir = join(await folderForTest(t), 'backup')
  const asked: readonly [string, object, object | undefined][] = [
    ['join', { count: 1 }, { result: ['node4'] }],
    ['leave', { node: 'node1' }, undefined],
    ['backup', { dir }, { result: { dir, nodes: ['node2', 'node3', 'node4'] } }],
  ]
  for (const [name, members, result] of asked) {
    const response = await ask('POST', `/v1/${name}`, JSON.stringify(members))
    const lines = (await text(response)).trimEnd().split('\n')
    const values = lines.map((line) => JSON.parse(line) as { progress?: { share: number } })
    const shares = values.flatMap(({ progress }) => (progress === undefined ? [] : [progress.share]))
    t.ok(shares.length > 0, name)
    t.same(
      shares,
      [...shares].sort((a, b) => a - b),
      'it never goes back',
    )
    t.equal(shares.at(-1), 1)
    if (result !== undefined) t.match(values.at(-1), result)
  }
})

test('control: what cannot be understood has an HTTP status, a code and says what is allowed', async (t) => {
  const { answer } = await listening(t, { valueBytesMax: 1_000 })
  const wrong: readonly [string, string, string | Buffer | undefined, number, RegExp][] = [
    ['GET', '/v2/status', undefined, 404, /there are GET \/v1, /],
    ['GET', '/v1/get', undefined, 405, /POST \/v1\/get is/],
    ['POST', '/v1/get', '{"key":', 400, /no JSON/],
    ['POST', '/v1/get', Buffer.of(0x22, 0xff, 0x22), 400, /no JSON/],
    ['POST', '/v1/get', '[]', 400, /a JSON object/],
    ['POST', '/v1/get', '{"kye":"a"}', 400, /allowed: key, r, sloppy, timeoutMs/],
    ['POST', '/v1/get', '{"key":7}', 400, /text, or \{ "base64"/],
    ['POST', '/v1/get', '{"key":{"base64":"%%"}}', 400, /base64 with its padding/],
    ['POST', '/v1/batch', '{"operations":[{"type":"inc","key":"a"}]}', 400, /put or del/],
    ['POST', '/v1/backup', '{"dir":"here"}', 400, /an absolute path/],
  ]
  for (const [method, path, body, status, message] of wrong) {
    const name = `${method} ${path} ${String(body)}`
    t.match(await answer(method, path, body), [status, { error: { code: 'INVALID_OPTION', message } }], name)
  }
  t.match(await answer('POST', '/v1/get', '{"key":""}'), [400, codeIs('INVALID_KEY')])
  t.match(await answer('POST', '/v1/leave', '{"node":"node9"}'), [404, codeIs('UNKNOWN_NODE')])
  t.match(await answer('POST', '/v1/crash', '{"node":"node1","permanent":true}'), [403, codeIs('FAULTS_DISABLED')])
})

test('control: bodies and requests are bounded', async (t) => {
  const { answer, ask } = await listening(t, { valueBytesMax: 1_000 })
  const tooLong = JSON.stringify({ key: 'k', value: 'v'.repeat(2_000_000) })
  t.match(await answer('POST', '/v1/put', tooLong), [413, codeIs('INVALID_VALUE')])
  t.match(await answer('GET', '/v1'), [200, { pid: process.pid }], 'and goes on')
  const watching = await Promise.all(Array.from({ length: 256 }, () => ask('GET', '/v1/watch')))
  t.match(await answer('GET', '/v1'), [503, codeIs('OVERLOADED')])
  for (const response of watching) response.destroy()
})

test('control: requests behind one that is not answered yet are refused, and hold nothing once it has gone', async (t) => {
  const { cluster, ask, answer } = await listening(t)
  const path = (await findSocket(cluster.status().location)) ?? ''
  const line = (name: string) => `GET /v1${name} HTTP/1.1\r\nHost: coterie\r\n\r\n`
  const socket = connect(path)
  socket.write(line('/watch'))
  await once(socket, 'data')
  socket.write(line('/watch').repeat(300))
  // They have been read: what was asked after them is answered.
  await answer('GET', '/v1')
  socket.destroy()
  await once(socket, 'close')
  t.match(await answer('GET', '/v1'), [200, { pid: process.pid }])
  const watching = await Promise.all(Array.from({ length: 200 }, () => ask('GET', '/v1/watch')))
  t.same(new Set(watching.map(({ statusCode }) => statusCode)), new Set([200]), 'there is room')
  for (const response of watching) response.destroy()
  const both = connect(path)
  both.write(line('') + line('/status'))
  t.match(await text(both), /^HTTP\/1\.1 200 .*"pid":.*HTTP\/1\.1 503 .*OVERLOADED/s)
})

test('control: every request is answered when the cluster closes', async (t) => {
  const { cluster, control, ask, answer } = await listening(t, { hungAfterMs: 10_000, closeTimeoutMs: 500 })
  const events = await ask('GET', '/v1/watch')
  const seen = text(events)
  await Promise.all(['node1', 'node2', 'node3'].map((node) => cluster.faults.pause(node, 600_000)))
  const get = answer('POST', '/v1/get', '{"key":"k","timeoutMs":600000}')
  const scan = answer('POST', '/v1/scan', '{"timeoutMs":600000}')
  // They are on their way once something behind them is answered.
  await answer('GET', '/v1')
  await control.close(() => cluster.close())
  t.match(await get, [503, codeIs('CLOSED')])
  t.match(await scan, [503, codeIs('CLOSED')])
  t.match(await seen, /"event":"close"/)
  t.equal(await ControlClient.connect(cluster.status().location), undefined)
})

test('control: a process that ends before it answers: a read has failed, a write may have been done', async (t) => {
  const location = await folderForTest(t)
  mkdirSync(join(location, 'cluster', 'control'), { recursive: true })
  const dying = createServer((asked, response) => {
    if (asked.url === '/v1') response.end('{"pid":1}')
    else asked.socket.destroy()
  })
  dying.listen(join(location, 'cluster', 'control', 'socket'))
  await once(dying, 'listening')
  t.teardown(async () => void dying.close())
  const client = await ControlClient.connect(location)
  t.equal(await outcomeOf(client?.get('k') ?? Promise.reject()), 'CLOSED')
  t.equal(await outcomeOf(client?.put('k', 'v') ?? Promise.reject()), 'OUTCOME_UNKNOWN')
  t.equal(await outcomeOf(client?.leave('node1', () => undefined) ?? Promise.reject()), 'OUTCOME_UNKNOWN')
  await client?.close()
})
