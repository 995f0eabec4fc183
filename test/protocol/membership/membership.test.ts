/** The machine as a whole: suspicion, refutation, exits, declarations, on a virtual clock. */

import { test } from 'tap'
import { Membership } from '../../../src/protocol/membership/membership.js'
import { MEMBERS_MAX, MEMBERSHIP_DEFAULTS, TOMBSTONE_MS } from '../../../src/protocol/membership/membership-config.js'
import type { MembershipOutput } from '../../../src/protocol/membership/membership-output.js'
import { VirtualCluster } from './virtual-cluster.js'

const { flapDampingMs, heartbeatMs } = MEMBERSHIP_DEFAULTS

const alone = (incarnation = 1) =>
  new Membership({ self: 'node1', incarnation, config: MEMBERSHIP_DEFAULTS, seed: 1, nowMs: 0 })

const moves = (outputs: readonly MembershipOutput[]) =>
  outputs.flatMap((output) => (output.type === 'status' ? [`${output.member.id} ${output.from} → ${output.to}`] : []))

test('start: everybody is joining and then up, and nobody is suspected', async (t) => {
  for (const count of [1, 2, 3, 8, 25]) {
    const cluster = VirtualCluster.settled(count, count)
    cluster.runUntil(15_000)
    for (const [id, node] of cluster.nodes) {
      t.equal(node.members().length, count)
      t.ok(
        node.members().every((member) => member.status === 'up'),
        id,
      )
    }
    t.same(
      cluster.moves.filter((move) => move.to === 'suspect'),
      [],
      `${count} members`,
    )
  }
})

test('hang: a frozen member is suspect to all within 3 s, up to all within 1 s of its return', async (t) => {
  for (const count of [2, 3, 8, 20]) {
    const cluster = VirtualCluster.settled(count, count + 7)
    const hungAtMs = cluster.nowMs
    cluster.freeze('node2', hungAtMs + 6_000)
    cluster.runUntil(hungAtMs + 5_900)
    const suspected = cluster.moves.filter((move) => move.id === 'node2' && move.to === 'suspect')
    t.equal(suspected.length, count - 1, 'once by each of the others')
    const lastMs = Math.max(...suspected.map((move) => move.atMs)) - hungAtMs
    const firstMs = Math.min(...suspected.map((move) => move.atMs)) - hungAtMs
    t.ok(lastMs <= 3_000, `${lastMs} ms`)
    t.notOk(cluster.node('node1').isReachable('node2'))
    cluster.runUntil(hungAtMs + 7_000)
    const backMs = Math.max(...cluster.moves.filter((m) => m.id === 'node2' && m.to === 'up').map((m) => m.atMs))
    t.comment(
      `${count} members: suspect after ${firstMs}…${lastMs} ms, up ${backMs - hungAtMs - 6_000} ms after return`,
    )
    for (const node of cluster.nodes.values()) {
      t.equal(node.memberOf('node2')?.status, 'up')
      t.ok(node.isReachable('node2'))
    }
    t.same(
      cluster.moves.filter((move) => move.to === 'suspect' && move.id !== 'node2'),
      [],
      'the one that hung blames nobody',
    )
  }
})

test('late tick: when the whole process stands still for a minute, nobody is suspected', async (t) => {
  const cluster = VirtualCluster.settled(8, 2)
  for (const id of cluster.nodes.keys()) cluster.freeze(id, cluster.nowMs + 60_000)
  cluster.runUntil(cluster.nowMs + 80_000)
  t.same(
    cluster.moves.filter((move) => move.to === 'suspect'),
    [],
  )
})

test('one-way cut: the one behind it still hears by gossip, and nothing flaps', async (t) => {
  for (const count of [3, 8, 16]) {
    const cluster = VirtualCluster.settled(count, count)
    cluster.isCut = (from, to) => from === 'node1' && to === 'node2'
    cluster.runUntil(cluster.nowMs + 30_000)
    const suspicions = cluster.moves.filter((move) => move.to === 'suspect')
    t.comment(`${count} members, 30 s: ${suspicions.length} suspicions`)
    for (const by of cluster.nodes.keys()) for (const id of cluster.nodes.keys()) checkDamped(t, cluster, id, by)
  }
})

test('one-way cut: a member whom all hear but one, without anybody to pass it on, flaps at most once in 10 s', async (t) => {
  const cluster = VirtualCluster.settled(2, 4)
  cluster.isCut = (from, to) => from === 'node1' && to === 'node2'
  cluster.runUntil(cluster.nowMs + 60_000)
  checkDamped(t, cluster, 'node1', 'node2')
  t.equal(cluster.node('node2').memberOf('node1')?.status, 'suspect')
  t.equal(cluster.node('node1').memberOf('node2')?.status, 'up', 'node2 is heard')
})

test('one-way cut: cut off towards everybody and healed, again and again: at most one suspicion in 10 s', async (t) => {
  const cluster = VirtualCluster.settled(8, 6)
  const startMs = cluster.nowMs
  cluster.isCut = (from) => from === 'node1' && Math.floor((cluster.nowMs - startMs) / 3_000) % 2 === 0
  cluster.runUntil(startMs + 60_000)
  const seen = cluster.suspicionsOf('node1', 'node5')
  t.comment(`${seen.length} suspicions in 60 s of a link that is cut every other 3 s`)
  t.ok(seen.length >= 2)
  for (const by of cluster.nodes.keys()) checkDamped(t, cluster, 'node1', by)
})

test('refutation: silence after it is forgiven for the damping, whoever had voiced the suspicion', async (t) => {
  const node = alone()
  const said = (status: 'up' | 'suspect', statusVersion: number, nowMs: number) => {
    const member = { id: 'node2', incarnation: 1, status, statusVersion, heartbeat: 1, epochStored: 0 }
    return moves(node.onGossip({ type: 'gossip/ack2', members: [member], epoch: 0 }, 'node3', nowMs))
  }
  said('up', 2, 0)
  t.same(said('suspect', 3, 1), ['node2 up → suspect'])
  t.same(said('up', 4, 2), ['node2 suspect → up'])
  const suspectedAtMs: number[] = []
  for (let nowMs = 0; nowMs < 30_000; nowMs += 50)
    if (moves(node.onTick(nowMs)).includes('node2 up → suspect')) suspectedAtMs.push(nowMs)
  t.equal(suspectedAtMs.length, 1)
  t.ok((suspectedAtMs[0] ?? 0) >= flapDampingMs && (suspectedAtMs[0] ?? 0) <= flapDampingMs + 2 * heartbeatMs)
})

test('two halves: each suspects the other, and after healing all are up', async (t) => {
  const cluster = VirtualCluster.settled(8, 8)
  const half = (id: string) => Number(id.slice(4)) <= 4
  cluster.isCut = (from, to) => half(from) !== half(to)
  cluster.runUntil(cluster.nowMs + 10_000)
  t.equal(cluster.node('node1').memberOf('node8')?.status, 'suspect')
  t.equal(cluster.node('node1').memberOf('node4')?.status, 'up')
  cluster.isCut = () => false
  cluster.runUntil(cluster.nowMs + 6_000)
  for (const node of cluster.nodes.values()) t.ok(node.members().every((member) => member.status === 'up'))
  t.ok(cluster.agrees())
})

test('exit: suspect at once, late mail of that life changes nothing, the next life joins and is up', async (t) => {
  const node = alone()
  node.onPeerUp('node2', 1, 0)
  const last = { id: 'node2', incarnation: 1, status: 'up', statusVersion: 2, heartbeat: 9, epochStored: 0 } as const
  node.onGossip({ type: 'gossip/ack2', members: [last], epoch: 0 }, 'node2', 10)
  t.same(moves(node.onPeerExit('node2', 1, 20)), ['node2 up → suspect'])
  t.notOk(node.isReachable('node2'))
  const refutation = { ...last, statusVersion: 40 }
  t.same(moves(node.onGossip({ type: 'gossip/ack2', members: [refutation], epoch: 0 }, 'node3', 30)), [])
  t.equal(node.memberOf('node2')?.status, 'suspect')
  t.ok((node.memberOf('node2')?.statusVersion ?? 0) > 40, 'said again, later than the refutation')
  t.same(moves(node.onHeartbeat('node2', 1, 99, 40)), [])
  t.same(moves(node.onPeerUp('node2', 2, 50)), ['node2 suspect → joining'])
  t.same(moves(node.onPeerExit('node2', 1, 60)), [], 'the exit of the life before')
  t.same(moves(node.onHeartbeat('node2', 1, 100, 60)), [])
  t.equal(node.counters().staleMail, 2)
  const next = { ...last, incarnation: 2, statusVersion: 2, heartbeat: 1 }
  t.same(moves(node.onGossip({ type: 'gossip/ack2', members: [next], epoch: 0 }, 'node2', 70)), ['node2 joining → up'])
  t.ok(node.isReachable('node2'))
})

test('exit: a whole cluster sees a restart as suspect, joining, up', async (t) => {
  const cluster = VirtualCluster.settled(8, 12)
  cluster.end('node3')
  const others = [...cluster.nodes.keys()]
  for (const id of others) cluster.feed(id, (node) => node.onPeerExit('node3', 1, cluster.nowMs))
  cluster.runUntil(cluster.nowMs + 5_000)
  cluster.spawn('node3', 2)
  for (const id of others) {
    cluster.feed(id, (node) => node.onPeerUp('node3', 2, cluster.nowMs))
    cluster.feed('node3', (node) => node.onPeerUp(id, 1, cluster.nowMs))
  }
  cluster.runUntil(cluster.nowMs + 1_000)
  cluster.feed('node3', (node) => node.becomeUp(cluster.nowMs))
  t.comment(`up is known to all after ${cluster.runUntilAgreed(3_000)} ms`)
  for (const id of others)
    t.same(
      cluster.moves
        .filter((move) => move.by === id && move.id === 'node3' && move.atMs >= 4_000)
        .map((move) => move.to),
      ['suspect', 'joining', 'up'],
      id,
    )
})

test('joining: a member that is slow to open its store is not suspected before its first beat', async (t) => {
  const node = alone()
  node.onPeerUp('node2', 1, 0)
  const seen: string[] = []
  for (let nowMs = 0; nowMs < 30_000; nowMs += heartbeatMs / 2) seen.push(...moves(node.onTick(nowMs)))
  t.same(seen, [])
  for (let nowMs = 30_000; nowMs < 35_000; nowMs += heartbeatMs / 2) {
    if (nowMs < 31_000) seen.push(...moves(node.onHeartbeat('node2', 1, nowMs, nowMs)))
    seen.push(...moves(node.onTick(nowMs)))
  }
  t.same(seen, ['node2 joining → suspect'], 'after it, like any other')
})

test('refutation: a member that hears it is suspect says otherwise, later; a word of the supervisor it takes', async (t) => {
  const node = alone()
  node.becomeUp(0)
  const own = node.memberOf('node1')
  t.equal(own?.statusVersion, 2)
  const about = (status: 'suspect' | 'leaving' | 'down', statusVersion: number, incarnation = 1) => {
    const member = { id: 'node1', incarnation, status, statusVersion, heartbeat: 0, epochStored: 0 }
    return moves(node.onGossip({ type: 'gossip/ack2', members: [member], epoch: 0 }, 'node2', 10))
  }
  t.same(about('suspect', 7), [])
  t.match(node.memberOf('node1'), { status: 'up', statusVersion: 8 })
  t.same(about('suspect', 7), [])
  t.match(node.memberOf('node1'), { statusVersion: 8 }, 'an older suspicion needs no answer')
  t.same(about('leaving', 1), ['node1 up → leaving'])
  t.same(about('suspect', 99), [])
  t.match(node.memberOf('node1'), { status: 'leaving' })
  t.ok(Number.isFinite(node.nextDeadline()), 'a leaving member still speaks')
  t.same(about('down', 2), ['node1 leaving → down'])
  t.equal(node.nextDeadline(), Number.POSITIVE_INFINITY)
  t.same(node.onTick(10_000), [])
})

test('superseded: a node that hears of a later life of itself falls silent', async (t) => {
  const node = alone()
  node.onPeerUp('node2', 1, 0)
  t.not(node.onTick(0).length, 0)
  const later = { id: 'node1', incarnation: 2, status: 'up', statusVersion: 1, heartbeat: 0, epochStored: 0 } as const
  node.onGossip({ type: 'gossip/ack2', members: [later], epoch: 0 }, 'node2', 10)
  t.same(node.onTick(1_000), [])
  t.equal(node.nextDeadline(), Number.POSITIVE_INFINITY)
  t.equal(node.memberOf('node1')?.incarnation, 1)
})

test('declared: the supervisor’s word wins over suspicion and spreads; the removed are forgotten in the end', async (t) => {
  const cluster = VirtualCluster.settled(8, 20)
  cluster.feed('node1', (node) => node.onDeclared({ id: 'node4', incarnation: 1, status: 'leaving' }, cluster.nowMs))
  cluster.runUntil(cluster.nowMs + 2_000)
  t.equal(cluster.node('node4').memberOf('node4')?.status, 'leaving')
  cluster.end('node4')
  cluster.runUntil(cluster.nowMs + 6_000)
  t.equal(cluster.node('node8').memberOf('node4')?.status, 'leaving', 'silence does not change it')
  t.notOk(cluster.node('node8').isReachable('node4'), 'but it is known to be silent')
  cluster.feed('node1', (node) => node.onDeclared({ id: 'node4', incarnation: 1, status: 'removed' }, cluster.nowMs))
  cluster.runUntil(cluster.nowMs + 2_000)
  for (const node of cluster.nodes.values()) t.equal(node.memberOf('node4')?.status, 'removed')
  for (const node of cluster.nodes.values()) node.onTick(cluster.nowMs + TOMBSTONE_MS)
  for (const node of cluster.nodes.values()) t.equal(node.memberOf('node4'), undefined)
})

test('declared: twice is once, an earlier life is nobody, and a removed name is a new member by its next life', async (t) => {
  const node = alone()
  t.same(moves(node.onPeerUp('node2', 2, 0)), ['node2 null → joining'])
  t.same(moves(node.onDeclared({ id: 'node2', incarnation: 1, status: 'down' }, 1)), [])
  t.same(moves(node.onDeclared({ id: 'node2', incarnation: 2, status: 'down' }, 2)), ['node2 joining → down'])
  t.same(moves(node.onDeclared({ id: 'node2', incarnation: 2, status: 'down' }, 3)), [])
  t.same(moves(node.onDeclared({ id: 'node2', incarnation: 2, status: 'leaving' }, 3)), [], 'down outranks leaving')
  t.same(moves(node.onDeclared({ id: 'node2', incarnation: 2, status: 'removed' }, 4)), ['node2 down → removed'])
  t.same(moves(node.onPeerUp('node2', 2, 5)), [])
  t.same(moves(node.onPeerUp('node2', 3, 6)), ['node2 null → joining'])
})

test('bounds: members past the limit are refused and counted', async (t) => {
  const node = alone()
  for (let index = 0; index < MEMBERS_MAX + 10; index++) {
    node.onPeerUp(`peer${index}`, 1, 0)
    if (index > MEMBERS_MAX) node.onPeerExit(`peer${index}`, 1, 0)
  }
  t.equal(node.members().length, MEMBERS_MAX)
  t.ok(node.counters().refusedMembers >= 11)
})

test('determinism: one seed and one log of inputs give byte-equal outputs', async (t) => {
  const played = (seed: number) => {
    const cluster = new VirtualCluster(seed)
    cluster.isLogging = true
    for (const id of ['node3', 'node1', 'node2', 'node5', 'node4']) cluster.spawn(id, 1)
    for (const id of cluster.nodes.keys()) cluster.feed(id, (node) => node.onPeerUp('node1', 1, 0))
    for (const id of cluster.nodes.keys()) cluster.feed(id, (node) => node.becomeUp(0))
    cluster.runUntil(3_000)
    cluster.freeze('node2', 8_000)
    cluster.runUntil(12_000)
    return cluster.log.join('\n')
  }
  const log = played(77)
  t.ok(log.length > 10_000)
  t.equal(log === played(77), true)
  t.equal(log === played(78), false)
})

test('determinism: the order in which peers were learned shows in nothing', async (t) => {
  const spoken = (ids: readonly string[]) => {
    const node = alone()
    node.becomeUp(0)
    for (const id of ids) node.onPeerUp(id, 1, 0)
    for (const id of ids) node.onHeartbeat(id, 1, 5, 1)
    for (const id of ids) node.onHeartbeat(id, 1, 6, 2)
    const outputs: MembershipOutput[] = []
    for (let nowMs = 0; nowMs < 6_000; nowMs += 50) outputs.push(...node.onTick(nowMs))
    return JSON.stringify(outputs)
  }
  t.equal(spoken(['node2', 'node3', 'node4', 'node5']), spoken(['node5', 'node3', 'node2', 'node4']))
})

/** No member became suspect to one node twice within the damping. */
function checkDamped(
  t: { fail: (message: string) => unknown; pass: (message: string) => unknown },
  cluster: VirtualCluster,
  id: string,
  by: string,
): void {
  const seen = cluster.suspicionsOf(id, by)
  for (const [index, move] of seen.entries()) {
    const before = seen[index - 1]
    // The refutation that ended the suspicion before lies between the two, so their distance is more than the damping;
    // another watcher's clock for it may have started a few rounds earlier.
    if (before !== undefined && move.atMs - before.atMs < flapDampingMs)
      t.fail(`${by} saw ${id} suspect at ${before.atMs} and ${move.atMs}`)
  }
  t.pass(`${by} saw ${id} suspect ${seen.length} times`)
}
