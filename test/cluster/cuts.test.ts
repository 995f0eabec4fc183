/** Cut links on real threads: what a cut is, whom it stops, how long it stays. */

import { test } from 'tap'
import { eventOf, nodeIds, nodeOf, openForTest, outcomeOf, textOf, until } from '../support/cluster.js'
import { countOf, failures, ownersOf } from '../support/faults.js'
import { connectInThread } from '../support/other-thread.js'

test('cut: a gateway that reaches a quorum does not notice, and the cut is real', async (t) => {
  const cluster = await openForTest(t)
  t.equal(cluster.id, 'gateway1')
  await cluster.faults.cut(cluster.id, 'node3')
  t.same(await failures(cluster, 40), [])
  t.ok((nodeOf(cluster, 'node3').faults?.dropped ?? 0) > 0, 'something was sent to it and got lost')
})

test('cut: nodes that cannot hear each other serve whoever reaches a quorum of them', async (t) => {
  const cluster = await openForTest(t)
  const suspected = eventOf(cluster, 'node:suspect')
  await cluster.faults.cut(['node1', 'node2'], ['node3', 'node4', 'node5'])
  t.same(await failures(cluster, 40), [])
  await suspected
  t.same(await failures(cluster, 40), [], 'also once they suspect each other')
  t.ok(countOf(cluster, 'dropped') > 0)
  t.same(
    cluster.status().nodes.map(({ restarts }) => restarts),
    [0, 0, 0, 0, 0],
    'and the supervisor ends nobody for it',
  )
})

for (const coordination of ['client', 'server'] as const) {
  test(`cut (${coordination}): without a quorum a request fails with its code within its deadline`, async (t) => {
    const cluster = await openForTest(t, { coordination })
    await cluster.put('key', 'value')
    const [, , owner] = ownersOf(cluster, 'key')
    const others = nodeIds(cluster).filter((id) => id !== owner)
    await cluster.faults.cut([cluster.id, owner], others)
    const timeoutMs = 400
    const outcomes = await Promise.all([
      outcomeOf(cluster.get('key', { timeoutMs })),
      outcomeOf(cluster.put('key', 'new', { timeoutMs })),
      outcomeOf(cluster.delete('key', { timeoutMs })),
    ])
    t.same(outcomes, ['TIMEOUT', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  })
}

test('heal with ids: that link is open again, and the others of the same cut stay cut', async (t) => {
  const cluster = await openForTest(t)
  const droppedOf = (node: string) => nodeOf(cluster, node).faults?.dropped ?? 0
  await cluster.faults.cut('node3', [cluster.id, 'node4'])
  t.same(await failures(cluster, 40), [])
  await until(() => droppedOf('node4') > 0)
  await cluster.faults.heal('node3', 'node4')
  const before = { node3: droppedOf('node3'), node4: droppedOf('node4') }
  t.ok(before.node4 > 0, JSON.stringify(before))
  t.same(await failures(cluster, 60), [])
  // The gateway only asks now and then whether it is there: it is silent.
  await until(() => droppedOf('node3') > before.node3)
  t.equal(droppedOf('node4'), before.node4)
  t.equal(await outcomeOf(cluster.faults.heal('node3')), 'INVALID_OPTION')
  t.equal(await outcomeOf(cluster.faults.heal('node3', 'node9')), 'UNKNOWN_NODE')
})

test('cutOneWay: what is sent arrives, its answer does not', async (t) => {
  const cluster = await openForTest(t)
  const there = await connectInThread(t, cluster.ticket())
  const [first, second, third] = ownersOf(cluster, 'key')
  await cluster.faults.cutOneWay([first, second, third], cluster.id)
  t.equal(await outcomeOf(cluster.put('key', 'heard', { timeoutMs: 400 })), 'OUTCOME_UNKNOWN')
  t.equal(textOf(await there.get('key', { r: 3 })), 'heard', 'all owners have it')
  await there.close()
})

test('cutOneWay: what is not heard is answered by nobody', async (t) => {
  const cluster = await openForTest(t)
  const there = await connectInThread(t, cluster.ticket())
  t.match(there.id, /^gateway[2-9]$/)
  await cluster.put('key', 'before')
  const owners = ownersOf(cluster, 'key')
  await cluster.faults.cutOneWay(there.id, owners)
  const put = outcomeOf(there.put('key', 'unheard', { timeoutMs: 800 }))
  await until(() => owners.every((id) => (nodeOf(cluster, id).faults?.dropped ?? 0) > 0))
  t.equal(textOf(await cluster.get('key', { r: 3 })), 'before', 'no owner has it, and the other gateway is not cut off')
  t.equal(await put, 'OUTCOME_UNKNOWN')
  await there.close()
})

test('faults: a node that is started later acts on what is in effect, until it is healed', async (t) => {
  const cluster = await openForTest(t)
  await cluster.faults.cut(cluster.id, 'node1')
  const up = eventOf(cluster, 'node:up', ({ node }) => node === 'node1')
  await cluster.faults.crash('node1')
  await up
  t.same(nodeOf(cluster, 'node1').incarnation, 2)
  t.same(await failures(cluster, 40), [])
  t.ok((nodeOf(cluster, 'node1').faults?.dropped ?? 0) > 0, 'the cut holds for the new life')
  const again = eventOf(cluster, 'node:up', ({ node }) => node === 'node1')
  await cluster.faults.heal()
  await cluster.faults.crash('node1')
  await again
  t.same(await failures(cluster, 40), [])
  t.equal(nodeOf(cluster, 'node1').faults?.dropped, 0)
})

test('faults: one that is asked for while a node hangs or starts is in effect when it resolves', async (t) => {
  const cluster = await openForTest(t)
  const up = eventOf(cluster, 'node:up', ({ node }) => node === 'node2')
  await Promise.all([cluster.faults.hang('node1', 600_000), cluster.faults.crash('node2')])
  await cluster.faults.drop(nodeIds(cluster), cluster.id, { share: 1 })
  await up
  t.equal(await outcomeOf(cluster.get('key', { r: 1, timeoutMs: 300 })), 'TIMEOUT')
})

test('heal: ends a hang and a cut at once, whatever the node is doing', async (t) => {
  const cluster = await openForTest(t, { hungAfterMs: 600_000 })
  await cluster.faults.cut('node1', 'node2')
  await cluster.faults.pause('node1', 600_000)
  await cluster.faults.heal()
  t.equal(nodeOf(cluster, 'node1').restarts, 0)
  t.same(await failures(cluster, 20), [])
})

test('pause, hang: nothing that is sent once they have resolved is heard before they end', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, hungAfterMs: 600_000 })
  for (let round = 0; round < 20; round++) {
    await cluster.faults[round % 2 === 0 ? 'pause' : 'hang']('node1', 600_000)
    // Every node is told of a standing fault, and it resolves when all have it.
    const told = cluster.faults.slow('node2', { ms: 1 })
    const first = await Promise.race([told.then(() => 'heard'), failures(cluster, 3).then(() => 'not heard')])
    await cluster.faults.heal()
    await told
    t.equal(first, 'not heard', `round ${round}`)
  }
})

test('cutOneWay: a node that hears everybody and is heard by nobody is suspected, and not again and again', async (t) => {
  const cluster = await openForTest(t, { gossipMs: 50 })
  const suspectedBy = new Map<string, number>()
  cluster.on('node:suspect', ({ by }) => suspectedBy.set(by, (suspectedBy.get(by) ?? 0) + 1))
  const others = nodeIds(cluster).filter((id) => id !== 'node1')
  await cluster.faults.cutOneWay('node1', others)
  // Some learn it from others before they see it themselves.
  await until(() => suspectedBy.size > 0)
  // Some rounds of gossip and heartbeats more.
  t.same(await failures(cluster, 150), [])
  t.same(
    [...suspectedBy].filter(([by, times]) => times > 1 || !others.includes(by)),
    [],
  )
  t.equal(nodeOf(cluster, 'node1').restarts, 0)
})
