/** What nodes say about a cluster becomes a value, and two values the events between them. */

import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { refusalOf } from '../../../src/engines/redis-cluster/refusals.js'
import { betterOf, copiesOf, parseTopology, replicasOf } from '../../../src/engines/redis-cluster/topology.js'
import { eventsOf, isConverged } from '../../../src/engines/redis-cluster/topology-events.js'

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string]
const SHAPE = { names: new KeyNames('name', 16), partitions: 16 }

function info(epoch: number, state = 'ok'): string {
  return `cluster_state:${state}\r\ncluster_current_epoch:${epoch}\r\n`
}

const BEFORE = parseTopology(
  [
    `${A} 10.0.0.1:7000@17000,host master - 0 1700 1 connected 0-8191`,
    `${B} :7001@17001 myself,master - 0 1700 2 connected 8192-16000 16001 16002-16383 [93-<-${A}]`,
    `${C} ::1:7002@17002 slave ${A} 0 1700 1 connected`,
    `${'d'.repeat(40)} 10.0.0.9:7009@17009 handshake - 0 0 0 disconnected`,
    '',
  ].join('\n'),
  info(2),
  '127.0.0.1',
)

const AFTER = parseTopology(
  [
    `${A} 10.0.0.1:7000@17000 master,fail - 1600 1500 1 disconnected`,
    `${B} 127.0.0.1:7001@17001 myself,master - 0 1700 2 connected 8192-16383`,
    `${C} ::1:7002@17002 master - 0 1700 3 connected 0-8191`,
  ].join('\n'),
  info(3),
  '127.0.0.1',
)

test('topology: who is a master of what, who copies whom, what moves', async (t) => {
  t.same(
    BEFORE.nodes.map(({ id, role, health }) => [id, role, health]),
    [
      ['10.0.0.1:7000', 'master', 'up'],
      ['127.0.0.1:7001', 'master', 'up'],
      ['::1:7002', 'replica', 'up'],
    ],
    'one that is only being met is none',
  )
  t.same(
    [0, 8_191, 8_192, 16_001, 16_383].map((slot) => BEFORE.masterOfSlot[slot]),
    [0, 0, 1, 1, 1],
  )
  t.same([...BEFORE.movingSlots], [93])
  t.same([BEFORE.epoch, BEFORE.isOk, copiesOf(BEFORE)], [2, true, 1])
  t.same(
    replicasOf(BEFORE, BEFORE.nodes[0] as never).map(({ id }) => id),
    ['::1:7002'],
  )
})

test('topology: a failed master without a slot, its replica in its place', async (t) => {
  const events = eventsOf(AFTER, BEFORE, SHAPE)
  t.same(events, [
    ['node:down', { node: '10.0.0.1:7000', reason: 'a majority of the masters cannot reach it' }],
    ['node:promoted', { node: '::1:7002' }],
    ['epoch', { epoch: 3, reason: 'slots have other masters', partitionsChanged: 8 }],
  ])
  t.notOk(isConverged(AFTER))
  t.same(eventsOf(BEFORE, parseTopology('', info(0), ''), SHAPE), [], 'the first one tells nothing')
})

test('topology: a master that fails without a replica loses its partitions; back, it is up', async (t) => {
  const failed = {
    ...BEFORE,
    nodes: BEFORE.nodes.map((node, index) => (index === 1 ? { ...node, health: 'down' as const } : node)),
  }
  const whole = { ...BEFORE, movingSlots: new Set<number>() }
  t.match(eventsOf(failed, whole, SHAPE), [
    ['node:down', {}],
    ['partition:lost', { partitions: [8, 9, 10, 11, 12, 13, 14, 15] }],
  ])
  t.match(eventsOf(whole, failed, SHAPE), [
    ['node:up', { node: '127.0.0.1:7001' }],
    ['converged', {}],
  ])
  const suspected = {
    ...failed,
    nodes: failed.nodes.map((node) => (node.health === 'down' ? { ...node, health: 'suspect' as const } : node)),
  }
  t.match(eventsOf(suspected, whole, SHAPE), [['node:suspect', { node: '127.0.0.1:7001' }]])
  t.match(eventsOf({ ...whole, nodes: whole.nodes.slice(0, 2) }, whole, SHAPE), [
    ['node:removed', { node: '::1:7002' }],
  ])
})

test('topology: a view that sees a majority is better than a newer one that does not', async (t) => {
  const cutOff = { ...AFTER, isOk: false, epoch: 9 }
  t.equal(betterOf(BEFORE, cutOff), BEFORE)
  t.equal(betterOf(cutOff, BEFORE), BEFORE)
  t.equal(betterOf(BEFORE, AFTER), AFTER)
})

test('refusals: what is sent again, where to, and what is told', async (t) => {
  t.same(refusalOf('MOVED 3999 10.0.0.1:6381'), { type: 'elsewhere', address: '10.0.0.1:6381', isAsk: false })
  t.same(refusalOf('ASK 3999 10.0.0.1:6381'), { type: 'elsewhere', address: '10.0.0.1:6381', isAsk: true })
  for (const text of ['CLUSTERDOWN The cluster is down', 'LOADING Redis', 'READONLY You can'])
    t.same(refusalOf(text), { type: 'later' }, text)
  t.same(refusalOf('TRYAGAIN Multiple keys'), { type: 'moving' })
  t.same(refusalOf('NOREPLICAS Not enough good replicas'), { type: 'definite', code: 'QUORUM_UNAVAILABLE' })
  t.same(refusalOf("OOM command not allowed when used memory > 'maxmemory'."), {
    type: 'definite',
    code: 'STORE_FAILED',
  })
})
