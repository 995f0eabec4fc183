/** `coterie start --http`, as a user runs it: under its parent, whose children all have the same token; and what cannot be listened to. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'tap'
import { folderForTest } from '../support/cluster.js'
import { finished, run, SMALL, start } from '../support/run-command.js'

test('start --http: prints where it is, serves, and keeps its token when the process dies', async (t) => {
  const folder = await folderForTest(t)
  // So many that Node would warn of listeners, were there one for each where there should not be.
  const child = start(folder, ['start', ...SMALL, '--nodes', '12', '--faults', '--http', '0'])
  const stopped = finished(child)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await stopped
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const told = async (times: number): Promise<URL> => {
    for (;;) {
      const links = [...output.matchAll(/http (?:dashboard: )http\S+; who is to act from it opens (\S+)\n/g)]
      const link = links[times - 1]?.[1]
      if (link !== undefined) return new URL(link)
      if (child.stdout !== null) await once(child.stdout, 'data')
    }
  }
  const first = await told(1)
  t.match(first.href, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/)
  const token = first.hash.slice('#token='.length)
  t.match(await (await fetch(first)).text(), /<div id="root">/)
  const about = (await (await fetch(new URL('/v1/recording', first))).text()).split('\n')[0] ?? ''
  t.match(JSON.parse(about), { kind: 'about', faults: true, mayDestroy: true })
  const heal = () =>
    fetch(new URL('/v1/heal', first), { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  t.equal((await heal()).status, 200)

  // Its process dies, not its parent.
  process.kill(Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })), 'SIGKILL')
  const second = await told(2)
  t.equal(second.hash, first.hash, 'who has the page open goes on')
  child.kill('SIGTERM')
  const ended = await stopped
  t.match(ended, { code: 0, stdout: /stop closed after/ })
  t.notMatch(ended.stderr, /Warning/)
  await t.rejects(fetch(second))
})

test('start --http: a port that is taken ends it, with the cluster closed', async (t) => {
  const folder = await folderForTest(t)
  const taken = createServer()
  t.teardown(async () => void taken.close())
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  const { port } = taken.address() as AddressInfo
  const ended = await run(folder, ['start', '--no-parent', ...SMALL, '--http', String(port)])
  t.match(ended, { code: 1, stderr: /EADDRINUSE/ })
  t.match(await run(folder, ['status', '--json']), { code: 0 })
})
