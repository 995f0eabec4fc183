/** Liveness and readiness: what `/healthz` and `/readyz` say, from what is known without asking. */

import { test } from 'tap'
import { healthOf } from '../../src/observe.js'
import { nodeStatus, WatchedCluster } from './watched-cluster.js'

function healthWith(change: (watched: WatchedCluster) => void): ReturnType<typeof healthOf> {
  const watched = new WatchedCluster()
  change(watched)
  return healthOf(watched.cluster)
}

test('health: with all nodes up it is live and ready, and says nothing', (t) => {
  t.same(healthOf(new WatchedCluster().cluster), { live: true, ready: true, reasons: [] })
  t.end()
})

test('health: one owner of three may be away, two may not', (t) => {
  const one = healthWith(({ nodes }) => nodes.splice(0, 1, nodeStatus('node1', { status: 'suspect' })))
  t.same(one, { live: true, ready: true, reasons: [] })
  const two = healthWith((watched) => {
    const away = { status: 'joining', epoch: 0 } as const
    watched.nodes = [nodeStatus('node1', away), nodeStatus('node2', away), nodeStatus('node3')]
    // The second partition has a quorum all the same.
    watched.owners = [{}, { owners: ['node3', 'node4', 'node1'] }]
    watched.nodes.push(nodeStatus('node4'))
    watched.owners[0] = { owners: ['node1', 'node2', 'node3'] }
  })
  t.same(two, {
    live: true,
    ready: false,
    reasons: ['1 partition (0) without a read quorum (r = 2)', '1 partition (0) without a write quorum (w = 2)'],
  })
  t.end()
})

test('health: a member that is on its way in or out serves what it owns', (t) => {
  const { ready } = healthWith((watched) => {
    watched.nodes = [
      nodeStatus('node1', { status: 'joining' }),
      nodeStatus('node2', { status: 'leaving' }),
      nodeStatus('node3', { status: 'down' }),
    ]
  })
  t.ok(ready)
  t.end()
})

test('health: while owners change, writes need a quorum of the new ones too', (t) => {
  const change = (pending: string[], of4: Parameters<typeof nodeStatus>[1]) => (watched: WatchedCluster) => {
    watched.nodes = [nodeStatus('node1'), nodeStatus('node2'), nodeStatus('node3'), nodeStatus('node4', of4)]
    watched.nodes.push(nodeStatus('node5', of4))
    watched.owners = [{ owners: ['node1', 'node2', 'node3'], pending, moving: true }]
  }
  t.ok(healthWith(change(['node4', 'node5'], {})).ready)
  t.same(healthWith(change(['node4', 'node5'], { status: 'suspect' })).reasons, [
    '1 partition (0) without a write quorum (w = 2)',
  ])
  const vacant = healthWith((watched) => {
    watched.nodes = [nodeStatus('node1'), nodeStatus('node2'), nodeStatus('node3', { status: 'suspect' })]
    watched.owners = [{ owners: ['node1', 'node2', null], pending: ['node3'], moving: true }]
  })
  t.ok(vacant.ready, 'who fills a vacant place takes nobody away')
  t.end()
})

test('health: lost partitions are named, of many the number is', (t) => {
  const { ready, reasons } = healthWith((watched) => {
    watched.owners = Array.from({ length: 20 }, () => ({ owners: [null, null, null], lost: true }))
    watched.facts = { partitionsLost: Array.from({ length: 20 }, (_, partition) => partition) }
  })
  t.notOk(ready)
  t.equal(reasons[0], '20 partitions (0, 1, 2, 3, 4, 5, 6, 7, …) lost too many stores (PARTITION_LOST)')
  t.end()
})

test('health: dead is only what a new opening mends', (t) => {
  const fatal = healthWith((watched) => {
    watched.facts = { fatal: 'EIO' }
  })
  t.match(fatal, { live: false, ready: false, reasons: [/cannot be written: EIO/] })
  const allDown = (location: string) =>
    healthWith((watched) => {
      watched.facts = { location }
      watched.nodes = watched.nodes.map(({ id }) => nodeStatus(id, { status: 'down' }))
    })
  t.match(allDown('/data'), { live: false, ready: false })
  t.match(allDown('redis-cluster://10.0.0.1:6379/shop'), { live: true, ready: false }, "another's nodes")
  const closing = healthWith((watched) => {
    watched.facts = { closing: true }
  })
  t.same(closing, { live: true, ready: false, reasons: ['the cluster is closing or closed'] })
  t.end()
})
