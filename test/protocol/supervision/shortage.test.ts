/** Nodes that end because no more files can be opened: nobody's failure, tried again one at a time. */

import { test } from 'tap'
import { isShortage } from '../../../src/shared/shortage.js'
import { Supervised } from './supervised.js'

const LACKING = ['node2', 'node3', 'node4']

const starve = (cluster: Supervised, node: string): void =>
  cluster.step({
    type: 'node/exited',
    node,
    incarnation: cluster.incarnationOf(node),
    reason: 'EMFILE: too many open files',
    lacksMeans: true,
    hints: 0,
  })

test('nodes that lack means are never given up, and start one at a time; once there is enough, all come back', async (t) => {
  const cluster = new Supervised({ nodes: 5, restart: { restartsMax: 0 } }).start()
  for (const node of LACKING) cluster.held.add(node)
  for (const node of LACKING) starve(cluster, node)
  const most = { opening: 0, lives: 0 }
  for (let attempt = 0; attempt < 60; attempt++) {
    cluster.runFor(1_000)
    const opening = LACKING.filter((node) => cluster.phaseOf(node) === 'opening')
    most.opening = Math.max(most.opening, opening.length)
    for (const node of opening) starve(cluster, node)
  }
  t.equal(most.opening, 1)
  t.same(
    LACKING.map((node) => cluster.phaseOf(node)),
    ['waiting', 'waiting', 'waiting'],
  )
  for (const node of LACKING) t.ok(cluster.incarnationOf(node) > 10, `${node} was tried often`)
  cluster.held.clear()
  cluster.runFor(5_000)
  t.same(
    LACKING.map((node) => cluster.phaseOf(node)),
    ['up', 'up', 'up'],
  )
})

test('a shortage counts for nothing when the node dies of something else later', async (t) => {
  const cluster = new Supervised({ nodes: 5 }).start()
  cluster.held.add('node2')
  starve(cluster, 'node2')
  for (let attempt = 0; attempt < 20; attempt++) {
    cluster.runFor(1_500)
    if (cluster.phaseOf('node2') === 'opening') starve(cluster, 'node2')
  }
  cluster.held.clear()
  cluster.runFor(5_000)
  t.equal(cluster.phaseOf('node2'), 'up')
  cluster.exit('node2', 'a crash')
  cluster.runFor(1_000)
  t.equal(cluster.phaseOf('node2'), 'up')
})

test('one that is long in opening does not keep another that lacked means from starting', async (t) => {
  const cluster = new Supervised({ nodes: 5 }).start()
  for (const node of LACKING) cluster.held.add(node)
  for (const node of LACKING) starve(cluster, node)
  cluster.runFor(10_000)
  t.same(
    LACKING.map((node) => cluster.phaseOf(node)),
    ['opening', 'opening', 'opening'],
  )
})

test('a shortage while what the dead left is read does not make their stores hopeless', async (t) => {
  const cluster = new Supervised({ nodes: 5 }).start()
  cluster.obeysOrders = false
  cluster.giveUp('node4')
  cluster.giveUp('node5')
  const read = () => ['node4', 'node5'].filter((node) => cluster.phaseOf(node)?.startsWith('salvag'))
  t.ok(read().length > 0)
  for (let attempt = 0; attempt < 20; attempt++) {
    for (const node of read()) starve(cluster, node)
    cluster.runFor(500)
  }
  t.same(cluster.notices('partition:lost'), [])
  t.ok(read().length > 0, 'they are read again')
})

test('a shortage is known by the code or the text of any cause', async (t) => {
  t.ok(isShortage(Object.assign(new Error('open'), { code: 'EMFILE' })))
  t.ok(isShortage(new Error('STORE_OPEN_FAILED', { cause: new Error('IO error: LOCK: Too many open files') })))
  t.notOk(isShortage(Object.assign(new Error('no space left'), { code: 'ENOSPC' })))
  t.notOk(isShortage(undefined))
})
