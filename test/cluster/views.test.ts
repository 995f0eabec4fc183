/** What can be looked at beside `status()`: each node's own view, a key's versions on each replica, lateness and memory of the threads. */

import { test } from 'tap'
import { eventOf, nodeOf, openForTest, outcomeOf, until } from '../support/cluster.js'

test('looking: views, versions, threads', async (t) => {
  const cluster = await openForTest(t, { nodes: 4, partitions: 16, hungAfterMs: 20_000 })
  await cluster.settled()

  await t.test('views: every node that runs tells of all members, by itself', async (t) => {
    const views = cluster.views()
    t.same(
      views.map(({ node }) => node),
      ['node1', 'node2', 'node3', 'node4'],
    )
    for (const { epoch, members } of views) {
      t.equal(epoch, cluster.status().epoch)
      t.same(
        members.map(({ id, status, incarnation }) => `${id} ${status} ${incarnation}`),
        ['node1 up 1', 'node2 up 1', 'node3 up 1', 'node4 up 1'],
      )
    }
  })

  await t.test('views: a node that is cut off sees the others differently than they see each other', async (t) => {
    await cluster.faults.cut('node4', ['node1', 'node2', 'node3'])
    const seenBy = (viewer: string, member: string) =>
      cluster
        .views()
        .find(({ node }) => node === viewer)
        ?.members.find(({ id }) => id === member)?.status
    await until(() => seenBy('node4', 'node1') === 'suspect' && seenBy('node1', 'node4') === 'suspect')
    t.equal(seenBy('node1', 'node2'), 'up')
    t.match(cluster.status().cuts, [{ from: ['node4'] }, { to: ['node4'] }])
    await cluster.faults.heal()
    await until(() => seenBy('node4', 'node1') === 'up' && seenBy('node1', 'node4') === 'up')
    t.same(cluster.status().cuts, [])
  })

  await t.test('versions: what each replica has, side by side; a replica behind a cut has the older one', async (t) => {
    await cluster.put('key', 'one', { w: 3 })
    const { owners } = cluster.locate('key')
    const stampsOf = async () => {
      const { replicas } = await cluster.versions('key')
      return new Map(replicas.map(({ node, versions }) => [node, versions.map(({ stamp }) => stamp)]))
    }
    const before = await stampsOf()
    t.same([...before.keys()], owners)
    t.equal(new Set([...before.values()].flat()).size, 1)
    const [, , last = ''] = owners
    await cluster.faults.cut(last, [
      cluster.id,
      ...cluster
        .status()
        .nodes.map(({ id }) => id)
        .filter((id) => id !== last),
    ])
    await cluster.put('key', 'second')
    const after = await stampsOf()
    t.same(after.get(last), before.get(last), 'it has not heard of the second')
    const [newest = ''] = after.get(owners[0] ?? '') ?? []
    t.ok(newest > (before.get(last)?.[0] ?? ''), 'a later stamp is greater')
    await cluster.faults.heal()
    await until(() => cluster.status().converged)
    await cluster.settled()
    await cluster.delete('key', { w: 3 })
    t.match(
      (await cluster.versions('key')).replicas,
      owners.map((node) => ({ node, versions: [{ valueBytes: null }] })),
    )
    t.match((await cluster.versions('other')).replicas[0], { answered: true, versions: [] })
  })

  await t.test('a thread that stands still: its loop is late for as long, and it does not answer', async (t) => {
    const { owners } = cluster.locate('key')
    const [first = ''] = owners
    t.ok(nodeOf(cluster, first).memoryBytes > 1_000_000)
    await cluster.faults.pause(first, 60_000)
    await until(() => nodeOf(cluster, first).loopLagMs > 500)
    t.match((await cluster.versions('key', { timeoutMs: 50 })).replicas[0], {
      node: first,
      answered: false,
      versions: [],
    })
    await cluster.faults.heal()
    await until(() => nodeOf(cluster, first).loopLagMs < 500)
  })

  await t.test('a node that is down for good has no view, and does not answer', async (t) => {
    const down = eventOf(cluster, 'node:down')
    await cluster.faults.crash('node2', { permanent: true })
    await down
    t.notOk(cluster.views().some(({ node }) => node === 'node2'))
    t.match(nodeOf(cluster, 'node2'), { loopLagMs: 0, memoryBytes: 0 })
  })

  await t.test('wrong options, and after the end', async (t) => {
    t.equal(await outcomeOf(cluster.versions('')), 'INVALID_KEY')
    t.equal(await outcomeOf(cluster.versions('key', { timeoutMs: 0 })), 'INVALID_OPTION')
    await cluster.close()
    t.same(cluster.views(), [])
    t.equal(await outcomeOf(cluster.versions('key')), 'CLOSED')
  })
})
