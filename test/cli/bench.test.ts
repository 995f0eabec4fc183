/** `coterie bench`: what a caller counts, and the command against both kinds of clusters. */

import { existsSync, readdirSync } from 'node:fs'
import { test } from 'tap'
import { drive } from '../../src/cli/bench/load.js'
import { folderForTest, outcomeOf } from '../support/cluster.js'
import { run, running } from '../support/run-command.js'

test('bench: failures are counted with their time; where everything fails, that is the end', async (t) => {
  let calls = 0
  const figures = await drive(
    async () => {
      calls += 1
      if (calls % 2 === 0) throw new Error('no')
      await new Promise(setImmediate)
    },
    { concurrency: 3, ms: 30, signal: new AbortController().signal },
  )
  t.equal(figures.operations, calls)
  t.ok(Math.abs(figures.failed - calls / 2) <= 1)
  t.ok(figures.p50Ms <= figures.p99Ms && figures.p99Ms <= figures.maxMs * 1.01)
  const failing = drive(() => Promise.reject(new Error('no')), {
    concurrency: 1,
    ms: 1,
    signal: new AbortController().signal,
  })
  t.not(await outcomeOf(failing), 'ok')
  const ended = await drive(async () => undefined, { concurrency: 1, ms: 60_000, signal: AbortSignal.abort() })
  t.match(ended, { operations: 0, perSecond: 0 })
})

test('bench: a temporary cluster leaves nothing behind', async (t) => {
  const folder = await folderForTest(t)
  const args = ['bench', '--nodes', '3', '--partitions', '16', '--seconds', '1', '--keys', '50', '--json']
  const { code, stdout } = await run(folder, args, '', { TMPDIR: folder })
  t.equal(code, 0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(
    lines,
    ['put', 'get', 'scan'].map((kind) => ({ kind, failed: 0, concurrency: 16 })),
  )
  for (const { operations, perSecond, inCluster } of lines) {
    t.ok(operations > 0 && perSecond > 0)
    t.ok(inCluster.perSecond > 0)
  }
  t.same(readdirSync(folder), [])
})

test('bench: a running cluster keeps its keys, and none of the bench’s', async (t) => {
  const folder = await folderForTest(t)
  await running(t, folder)
  t.match(await run(folder, ['put', 'mine', 'v']), { code: 0 })
  const { code, stdout } = await run(folder, ['bench', '-d', 'data', '--seconds', '1', '--keys', '50'])
  t.equal(code, 0)
  t.match(stdout, /^a running cluster, over its socket: 3 nodes, n=3 r=2 w=2; 50 keys/)
  t.match(stdout, /^put +[\d,]+ +0 .*\nget +[\d,]+ +0 .*\nscan 50 +[\d,]+ +0 /m)
  for (const line of stdout.split('\n').slice(2)) t.ok(line.length <= 80, line)
  t.equal((await run(folder, ['scan'])).stdout, 'mine\tv\n')
  t.match(await run(folder, ['bench', '-d', 'elsewhere']), { code: 4 })
  t.notOk(existsSync('elsewhere'))
})
