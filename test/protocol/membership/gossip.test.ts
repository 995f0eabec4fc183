/** How gossip spreads, and what it costs. */

import { test } from 'tap'
import {
  ack2Of,
  ackOf,
  chooseGossipPeers,
  learnedFromDigests,
  membershipDigest,
  synOf,
} from '../../../src/protocol/membership/gossip.js'
import type { MemberState } from '../../../src/protocol/membership/member.js'
import { Membership } from '../../../src/protocol/membership/membership.js'
import { MEMBERSHIP_DEFAULTS } from '../../../src/protocol/membership/membership-config.js'
import { heartbeatSources, heartbeatTargets } from '../../../src/protocol/membership/ring-neighbours.js'
import { Prng } from '../../../src/protocol/prng.js'
import { VirtualCluster } from './virtual-cluster.js'

const { gossipFanout, gossipMs, gossipConvergedMs, heartbeatMs, heartbeatNeighbours } = MEMBERSHIP_DEFAULTS

const isSyn = (message: { readonly type: string }) => message.type === 'gossip/syn'

const up = (id: string, changes: Partial<MemberState> = {}): MemberState => ({
  id,
  incarnation: 1,
  status: 'up',
  statusVersion: 2,
  heartbeat: 10,
  epochStored: 1,
  ...changes,
})

test('gossip: an ack sends what it knows better and wants what the syn knows better', async (t) => {
  const syn = synOf([up('node1', { statusVersion: 5 }), up('node2'), up('node4')], 7)
  const ours = [up('node1'), up('node2', { heartbeat: 11 }), up('node3')]
  const ack = ackOf(ours, syn, 6)
  t.same(
    ack.members.map((member) => member.id),
    ['node2', 'node3'],
  )
  t.same(ack.wanted, ['node1', 'node4'])
  t.equal(ack.epoch, 6)
  t.not(ack.view, syn.view)
  t.same(ack2Of(ours, ['node3', 'node9'], 6).members, [up('node3')])
})

test('gossip: heartbeats and stored epochs are learned from the syn itself, of the same life only', async (t) => {
  const syn = synOf([up('node1', { heartbeat: 12, epochStored: 3 }), up('node2', { incarnation: 2, heartbeat: 99 })], 1)
  t.same(learnedFromDigests([up('node1'), up('node2')], syn.digests), [up('node1', { heartbeat: 12, epochStored: 3 })])
})

test('gossip: nobody is told of a tombstone of a member they never knew', async (t) => {
  const tombstone = up('node1', { status: 'removed' })
  t.same(ackOf([tombstone], synOf([], 1), 1).members, [])
  t.same(ackOf([tombstone], synOf([up('node1')], 1), 1).members, [tombstone])
})

test('digest: equal for equal views; changes with anything but heartbeats and tombstones', async (t) => {
  const view = [up('node1'), up('node2')]
  const digest = membershipDigest(view)
  t.ok(Number.isSafeInteger(digest) && digest >= 0)
  t.equal(digest, membershipDigest([up('node1', { heartbeat: 99 }), up('node2'), up('node3', { status: 'removed' })]))
  const others = [
    [up('node1')],
    [up('node1'), up('node2', { incarnation: 2 })],
    [up('node1'), up('node2', { status: 'suspect' })],
    [up('node1'), up('node2', { statusVersion: 3 })],
    [up('node1'), up('node2', { epochStored: 2 })],
  ].map(membershipDigest)
  t.equal(new Set([digest, ...others]).size, 6)
})

test('peers: never more than the fanout and one suspect, nobody twice', async (t) => {
  const prng = new Prng(1)
  const live = ['node1', 'node2', 'node3', 'node4']
  let withSuspect = 0
  for (let round = 0; round < 1_000; round++) {
    const chosen = chooseGossipPeers({ live, suspects: ['node5'], fanout: 2, prng })
    t.ok(chosen.length <= 3 && new Set(chosen).size === chosen.length) || t.bailout()
    if (chosen.includes('node5')) withSuspect++
  }
  t.ok(withSuspect > 100 && withSuspect < 300, `a fifth of the rounds: ${withSuspect}`)
  t.same(chooseGossipPeers({ live: [], suspects: [], fanout: 2, prng }), [])
  t.same(chooseGossipPeers({ live: [], suspects: ['node5'], fanout: 2, prng }), ['node5'])
})

test('neighbours: the next healthy ones and the unhealthy between; sources are the mirror', async (t) => {
  const ring = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const isHealthy = (peer: string) => peer !== 'c' && peer !== 'd'
  t.same(heartbeatTargets({ ring, self: 'a', count: 3, isHealthy }), ['b', 'c', 'd', 'e', 'f'])
  t.same(heartbeatTargets({ ring, self: 'h', count: 3, isHealthy: () => false }), ['a', 'b', 'c', 'd', 'e', 'f'])
  t.same(heartbeatTargets({ ring: ['a'], self: 'a', count: 3, isHealthy }), [])
  for (const self of ring)
    for (const peer of ring)
      t.equal(
        heartbeatTargets({ ring, self, count: 3, isHealthy }).includes(peer),
        heartbeatSources({ ring, self: peer, count: 3, isHealthy }).includes(self),
        `${self} → ${peer}`,
      )
})

test('convergence: a change at one member is known to 3…100 members in O(log n) rounds', async (t) => {
  for (const count of [3, 8, 30, 100]) {
    const cluster = VirtualCluster.settled(count, count)
    t.ok(cluster.agrees(), `${count} members settle`)
    cluster.feed('node1', (node) => node.onTableStored(2, cluster.nowMs))
    const rounds = cluster.runUntilAgreed(10_000) / gossipMs
    t.comment(`${count} members: ${rounds.toFixed(1)} rounds of ${gossipMs} ms`)
    t.ok(rounds <= 2 * Math.log2(count) + 6, `${count} members: ${rounds} rounds`)
  }
})

test('convergence: members that know only one other find everybody', async (t) => {
  const cluster = new VirtualCluster(5)
  const ids = Array.from({ length: 40 }, (_, index) => `node${index + 1}`)
  for (const id of ids) cluster.spawn(id, 1)
  for (const id of ids.slice(1)) cluster.feed(id, (node) => node.onPeerUp('node1', 1, 0))
  const rounds = cluster.runUntilAgreed(10_000) / gossipMs
  t.comment(`40 members from a star: ${rounds.toFixed(1)} rounds`)
  for (const node of cluster.nodes.values()) t.equal(node.members().length, 40)
  t.ok(rounds <= 2 * Math.log2(40) + 6)
})

test('exchange: whoever is asked for members answers with a third leg, otherwise not', async (t) => {
  const node = new Membership({ self: 'node1', incarnation: 1, config: MEMBERSHIP_DEFAULTS, seed: 1, nowMs: 0 })
  const ack = (wanted: readonly string[]) =>
    node.onGossip({ type: 'gossip/ack', members: [], wanted, view: 0, epoch: 0 }, 'node2', 1)
  t.same(ack([]), [])
  const answer = { type: 'gossip/ack2', members: [node.memberOf('node1')], epoch: 0 }
  t.same(ack(['node1', 'node9']), [{ type: 'send', to: 'node2', message: answer }])
})

test('cadence: whoever hears that there is news makes its next round when it has them, not before', async (t) => {
  const node = new Membership({ self: 'node1', incarnation: 1, config: MEMBERSHIP_DEFAULTS, seed: 1, nowMs: 0 })
  for (const id of ['node2', 'node3']) node.onPeerUp(id, 1, 0)
  const isRound = (atMs: number) => node.onTick(atMs).some((output) => output.type === 'send' && isSyn(output.message))
  let lastRoundMs = 0
  for (let atMs = 0; atMs <= 20_000; atMs = node.nextDeadline()) if (isRound(atMs)) lastRoundMs = atMs
  for (let atMs = node.nextDeadline(); atMs < lastRoundMs + 2 * gossipMs; atMs = node.nextDeadline()) node.onTick(atMs)
  const nowMs = lastRoundMs + 2 * gossipMs
  const news = [up('node3', { statusVersion: 9, epochStored: 0 })]
  const wanted = node.onGossip(synOf(news, 0), 'node2', nowMs)
  t.match(wanted, [{ to: 'node2', message: { type: 'gossip/ack', wanted: ['node3'] } }])
  t.notOk(isRound(nowMs), 'nothing to tell yet')
  t.notOk(node.isConverged())
  node.onGossip({ type: 'gossip/ack2', members: news, epoch: 0 }, 'node2', nowMs)
  t.ok(isRound(nowMs), 'told at once')
})

test('cost: at most fanout syns a round, each with one answer; slow and without a third leg once converged', async (t) => {
  for (const count of [3, 8, 20]) {
    const cluster = VirtualCluster.settled(count, count + 50)
    cluster.runUntil(8_000)
    for (const [id, node] of cluster.nodes) t.ok(node.isConverged(), `${id} of ${count}`)
    const before = { ...cluster.sent }
    const seconds = 10
    cluster.runUntil(8_000 + seconds * 1_000)
    const rounds = (seconds * 1_000) / gossipConvergedMs + 1
    const syns = cluster.sent['gossip/syn'] - before['gossip/syn']
    const acks = cluster.sent['gossip/ack'] - before['gossip/ack']
    const beats = cluster.sent['membership/heartbeat'] - before['membership/heartbeat']
    t.ok(syns <= count * gossipFanout * rounds, `${count}: ${syns} syns`)
    t.ok(Math.abs(acks - syns) <= 2 * count, `${count}: ${acks} acks`)
    t.equal(cluster.sent['gossip/ack2'], before['gossip/ack2'], 'nothing was wanted')
    t.ok(beats <= count * heartbeatNeighbours * ((seconds * 1_000) / heartbeatMs + 1), `${count}: ${beats} beats`)
    const perSecond = (syns + acks + beats) / count / seconds
    t.comment(`${count} members at rest: ${perSecond.toFixed(1)} messages a second and member`)
  }
})

test('cost: while views differ, no round is sent sooner than gossipMs after the last', async (t) => {
  const cluster = VirtualCluster.settled(8, 3)
  const before = cluster.sent['gossip/syn']
  const startMs = cluster.nowMs
  for (let epoch = 2; cluster.nowMs < startMs + 5_000; epoch++) {
    cluster.feed('node1', (node) => node.onTableStored(epoch, cluster.nowMs))
    cluster.runUntil(cluster.nowMs + 20)
  }
  const rounds = 5_000 / gossipMs + 1
  const syns = cluster.sent['gossip/syn'] - before
  t.ok(syns <= 8 * gossipFanout * rounds, `${syns} syns`)
  t.ok(syns >= 0.5 * 8 * gossipFanout * rounds, `fast indeed: ${syns} syns`)
})

test('tables: whoever has an older epoch is told where a later one is, and not at every message', async (t) => {
  const cluster = VirtualCluster.settled(5, 9)
  cluster.isLogging = true
  cluster.feed('node1', (node) => node.onTableStored(4, cluster.nowMs))
  cluster.runUntil(cluster.nowMs + 400)
  const behind = cluster.log.filter((line) => line.includes('table-behind'))
  t.equal(behind.length, 4, 'each of the others once')
  t.ok(behind.every((line) => line.includes('"epoch":4')))
  cluster.feed('node1', (node) => node.onTableStored(3, cluster.nowMs))
  t.equal(cluster.node('node1').memberOf('node1')?.epochStored, 4)
})
