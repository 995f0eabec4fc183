/**
 * The merge of two views is a join: what a node thinks of the members does not depend on the order in which, on how often, or by
 * way of whom it has heard of them. And an exchange of gossip is that merge, on both sides.
 */

import fc from 'fast-check'
import { test } from 'tap'
import { ack2Of, ackOf, learnedFromDigests, synOf } from '../../../src/protocol/membership/gossip.js'
import type { MemberState } from '../../../src/protocol/membership/member.js'
import { MEMBER_STATUSES } from '../../../src/protocol/membership/member-status.js'
import { inferredMember, MembershipView } from '../../../src/protocol/membership/membership-view.js'

const IDS = ['node1', 'node2', 'node3'] as const
const said: fc.Arbitrary<MemberState> = fc.record({
  id: fc.constantFrom(...IDS),
  incarnation: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom(...MEMBER_STATUSES),
  statusVersion: fc.nat(3),
  heartbeat: fc.nat(3),
  epochStored: fc.nat(3),
})

/** All members are known: of one that nobody knew, a tombstone is refused, and so the first word counts. */
function viewOf(states: readonly MemberState[]): MembershipView {
  const view = new MembershipView()
  for (const id of IDS) view.learn(inferredMember(id, 1, 'joining'))
  for (const state of states) view.learn(state)
  return view
}

function textOf(view: MembershipView): string {
  const columns = (member: MemberState) => [
    member.id,
    member.incarnation,
    member.status,
    member.statusVersion,
    member.heartbeat,
    member.epochStored,
  ]
  return JSON.stringify(view.members().map(columns))
}

/** What somebody knows who has heard everything that both know. Changes neither. */
function merged(a: MembershipView, b: MembershipView): MembershipView {
  return viewOf([...a.members(), ...b.members()])
}

const news = fc.array(said, { maxLength: 8 })

/** The three legs, as the membership machine carries them out. Shape: what `b` told `a`. */
function gossip(a: MembershipView, b: MembershipView): readonly MemberState[] {
  const learn = (view: MembershipView, states: readonly MemberState[]): void => {
    for (const state of states) view.learn(state)
  }
  const syn = synOf(a.members(), 1)
  learn(b, learnedFromDigests(b.members(), syn.digests))
  const ack = ackOf(b.members(), syn, 1)
  learn(a, ack.members)
  learn(b, ack2Of(a.members(), ack.wanted, 1).members)
  return ack.members
}

test('merge of views: commutative, associative, idempotent', async (t) => {
  const property = fc.property(news, news, news, (first, second, third) => {
    const [a, b, c] = [viewOf(first), viewOf(second), viewOf(third)]
    return (
      textOf(merged(a, b)) === textOf(merged(b, a)) &&
      textOf(merged(merged(a, b), c)) === textOf(merged(a, merged(b, c))) &&
      textOf(merged(a, a)) === textOf(a) &&
      textOf(merged(merged(a, b), b)) === textOf(merged(a, b))
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 63 }))
})

test('merge of views: one exchange of gossip is that merge, on both sides, whoever begins', async (t) => {
  const property = fc.property(news, news, (first, second) => {
    const [a, b, c, d] = [viewOf(first), viewOf(second), viewOf(first), viewOf(second)]
    const both = textOf(merged(a, b))
    gossip(a, b)
    gossip(d, c)
    return [a, b, c, d].every((view) => textOf(view) === both) && a.digest() === b.digest()
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 64 }))
})

test('merge of views: members that only one side knows are told, tombstones of strangers are not', async (t) => {
  const property = fc.property(news, news, (first, second) => {
    const [a, b] = [new MembershipView(), new MembershipView()]
    for (const state of first) a.learn(state)
    for (const state of second) b.learn(state)
    const ids = (view: MembershipView) => view.members().map(({ id }) => id)
    const told = (from: MembershipView) =>
      from
        .members()
        .filter(({ status }) => status !== 'removed')
        .map(({ id }) => id)
    const ofA = [...new Set([...ids(a), ...told(b)])].sort()
    const ofB = [...new Set([...ids(b), ...told(a)])].sort()
    const known = ids(a)
    const isOfStranger = ({ id, status }: MemberState) => status === 'removed' && !known.includes(id)
    return !gossip(a, b).some(isOfStranger) && ids(a).join() === ofA.join() && ids(b).join() === ofB.join()
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 65 }))
})

test('view: a life that has ended is nobody that one may count on, whether its end is heard of first or last', async (t) => {
  const exit = fc.record({ exited: fc.constantFrom(...IDS), incarnation: fc.integer({ min: 1, max: 3 }) })
  const heard = fc.array(fc.oneof(said, exit), { maxLength: 10 })
  const orders = heard.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  const hear = (all: readonly (MemberState | { exited: string; incarnation: number })[]): MembershipView => {
    const view = viewOf([])
    for (const one of all) 'exited' in one ? view.learnExit(one.exited, one.incarnation) : view.learn(one)
    return view
  }
  /** Versions may differ: each order objects to another word. */
  const statuses = (view: MembershipView) =>
    view.members().map(({ id, incarnation, status }) => `${id} ${incarnation} ${status} ${view.hasExited(id)}`)
  const property = fc.property(orders, ([all, shuffled]) => {
    const [a, b] = [hear(all), hear(shuffled)]
    const isCounted = (view: MembershipView) =>
      view.members().some(({ id, status }) => view.hasExited(id) && (status === 'up' || status === 'joining'))
    return statuses(a).join() === statuses(b).join() && !isCounted(a)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 66 }))
})

test('view: the same whatever the order of what was heard, and however often', async (t) => {
  const orders = fc
    .array(said, { maxLength: 12 })
    .chain((states) =>
      fc.tuple(fc.constant(states), fc.shuffledSubarray([...states, ...states], { minLength: states.length })),
    )
  const property = fc.property(orders, ([states, again]) => {
    return textOf(viewOf(states)) === textOf(viewOf([...again, ...states]))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 61 }))
})

test('view: two that tell each other everything are equal, and hearing it again is no news', async (t) => {
  const property = fc.property(fc.array(said, { maxLength: 8 }), fc.array(said, { maxLength: 8 }), (mine, yours) => {
    const [a, b] = [viewOf(mine), viewOf(yours)]
    const [ofA, ofB] = [a.members(), b.members()]
    for (const state of ofB) a.learn(state)
    for (const state of ofA) b.learn(state)
    return textOf(a) === textOf(b) && a.members().every((state) => b.learn(state) === undefined)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 62 }))
})
