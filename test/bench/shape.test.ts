/** What `npm run bench:shape` and `bench:refill` judge by, and both of them in their small form. They judge no times here. */

import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { markdownTable } from '../../bench/harness.js'
import { Ledger } from '../../bench/shape/ledger.js'
import { countMoved, lackOf, sharesOf, untilReplicated } from '../../bench/shape/replication.js'
import { Traffic } from '../../bench/shape/traffic.js'
import type { ClusterStatus, NodeStatus } from '../../src/index.js'
import { folderForTest, openForTest } from '../support/cluster.js'
import { finished } from '../support/run-command.js'

async function runBench(name: string, args: readonly string[]) {
  const script = fileURLToPath(new URL(`../../bench/${name}.js`, import.meta.url))
  return finished(spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
}

test('ledger: what was acknowledged before must be seen, what was sent may be, nothing else', async (t) => {
  const ledger = new Ledger(10, 20)
  t.equal(ledger.judge(3, ledger.value(3, 0)), 'right')
  const version = ledger.send(3)
  t.equal(ledger.judge(3, ledger.value(3, 0)), 'right', 'sent, and not acknowledged yet')
  t.equal(ledger.judge(3, ledger.value(3, 1)), 'right')
  ledger.acknowledge(3, version)
  t.equal(ledger.judge(3, ledger.value(3, 0)), 'stale')
  t.equal(ledger.judge(3, ledger.value(3, 0), 0), 'right', 'the read began before')
  t.equal(ledger.judge(3, ledger.value(3, 2)), 'wrong', 'nobody has sent it')
  t.equal(ledger.judge(3, ledger.value(4, 1)), 'wrong', 'of another key')
  t.equal(ledger.judge(3, undefined), 'wrong')
  t.equal(ledger.judge(3, ledger.value(3, 1).fill(0, 12)), 'wrong', 'a damaged one')
  t.equal(ledger.writes, 1)
})

test('traffic: a store that forgets and one that fails are found out', async (t) => {
  const ledger = new Ledger(8, 20)
  // An answer in the same turn would leave no turn in which to stop.
  const get = async () => {
    await turn()
    return ledger.value(0, 0)
  }
  const put = async () => {
    await turn()
    throw new Error('refused')
  }
  const traffic = new Traffic({ get, put } as never, ledger, 2)
  const end = traffic.measure()
  for (let turns = 0; turns < 50; turns++) await turn()
  await traffic.stop()
  t.ok(traffic.failed > 0 && traffic.unsound > 0)
  t.ok(end().requests >= traffic.failed)
})

test('replication: whatever lacks is said', async (t) => {
  const node = { role: 'member', status: 'up', partitions: 32, keys: 20, hints: 0 } as NodeStatus
  const full = {
    ...{ converged: true, partitions: 32, partitionsMoving: 0, partitionsLost: [] as number[] },
    ...{ replication: { n: 3, r: 2, w: 2 }, nodes: [node, node, node] },
  } as unknown as ClusterStatus
  const dead = { ...node, status: 'down' } as NodeStatus
  const lack = (changes: Partial<ClusterStatus>) => lackOf({ ...full, ...changes }, 20)
  t.equal(lack({}), undefined)
  t.equal(lack({ nodes: [...full.nodes, dead] }), undefined, 'who is down counts for nothing')
  t.match(lack({ nodes: [node, node, dead] }), /replicas 64 are owned/)
  t.match(lack({ nodes: [node, node, { ...node, keys: 19 }] }), /copies there are 59/)
  t.match(lack({ nodes: [node, node, { ...node, hints: 1 }] }), /hints/)
  t.match(lack({ nodes: [...full.nodes, { ...node, role: 'standby', partitions: 0, keys: 3 }] }), /standby/)
  t.match(lack({ partitionsMoving: 1 }), /moving/)
  t.match(lack({ partitionsLost: [3] }), /lost/)
  t.match(lack({ converged: false }), /converged/)
  t.ok(sharesOf({ ...full, nodes: [node, { ...node, partitions: 33 }, { ...dead, partitions: 0 }] }).isEven)
  t.notOk(sharesOf({ ...full, nodes: [node, { ...node, partitions: 34 }] }).isEven)
})

test('replication: what a join moves is counted; a key too few is waited for in vain', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, replication: { n: 2, r: 1, w: 2 } })
  await cluster.batch(Array.from({ length: 40 }, (_, index) => ({ type: 'put', key: `k${index}`, value: 'value' })))
  await untilReplicated(cluster, 40, 30_000)
  await t.rejects(untilReplicated(cluster, 41, 1), /of 82 copies there are 80/)
  const endMoved = countMoved(cluster)
  await cluster.join()
  await untilReplicated(cluster, 40, 30_000)
  const { partitions, records, bytes, lastAtMs } = endMoved()
  t.equal(partitions, 8, 'of 32 replicas its share')
  t.ok(records > 0 && bytes === records * 105 && lastAtMs > 0)
})

test('table: columns as wide as what is in them', async (t) => {
  const table = markdownTable([
    { name: 'a', many: 1_000 },
    { name: 'longer', many: 2 },
  ])
  t.same(table.split('\n'), ['| name   | many  |', '| ------ | ----- |', '| a      | 1,000 |', '| longer | 2     |'])
})

test('bench:shape: six steps under load, nothing lost, no request failed', async (t) => {
  const out = await folderForTest(t)
  const { code, stdout, stderr } = await runBench('shape', ['--quick', '--keys', '500', '--out', out])
  t.equal(code, 0, stdout + stderr)
  const page = await readFile(join(out, 'shape.md'), 'utf8')
  for (const step of ['join of node6', 'join of node7', 'leave of node2', 'wipe of node3', 'corrupt store of node4'])
    t.match(page, `| ${step}`)
  t.match(page, '| node5 down for good')
  t.match(page, 'No request failed')
})

test('bench:refill: a node down for good, with a standby and without', async (t) => {
  const out = await folderForTest(t)
  const { code, stdout, stderr } = await runBench('refill', ['--quick', '--keys', '500', '--out', out])
  t.equal(code, 0, stdout + stderr)
  const page = await readFile(join(out, 'refill.md'), 'utf8')
  t.match(page, '| no standby, defaults')
  t.match(page, /standby, no limit/)
  t.match(page, 'all were as they had been written')
})
