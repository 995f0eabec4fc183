/** `npm run bench` in a very small form: it runs, judges, and says loudly what it could not measure. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { finished } from '../support/run-command.js'

const SMALL = ['--quick', '--records', '300', '--rounds', '1', '--round-ms', '20']

async function runBench(args: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
  const script = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
  return finished(spawn(process.execPath, [script, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }))
}

test('bench: without redis-server the others are measured, and that is said', async (t) => {
  const { code, stdout, stderr } = await runBench(['--only', 'durability/put-64', ...SMALL], {
    ...process.env,
    PATH: '',
  })
  t.equal(code, 0, stderr)
  t.match(stdout, /^NOT MEASURED: Redis appendfsync always: redis-server is not installed$/m)
  for (const who of ['classic-level sync', 'lmdb flushed', 'Coterie w=2 disk', 'Coterie w=2 disk, 3 nodes'])
    t.match(stdout, new RegExp(`^put-64 +${who} +[\\d,.]+ ops/s`, 'm'))
  t.match(stdout, /^put, 64 in flight, w=2, durability 'disk' .* not measured$/m)
  t.notMatch(stdout, /put-serial|YCSB/, 'nothing else was asked for')
})

test('bench: the names of the groups', async (t) => {
  const { code, stdout } = await runBench(['--list'])
  t.equal(code, 0)
  for (const group of ['calls', 'ycsb', 'scaling', 'latency', 'crash', 'idle', 'size'])
    t.match(stdout, new RegExp(`^${group} `, 'm'))
})
