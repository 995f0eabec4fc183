/** A view does not depend on the order in which, or how often, its members were heard of. */

import fc from 'fast-check'
import { test } from 'tap'
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

test('view: the same whatever the order of what was heard, and however often', async (t) => {
  const news = fc
    .array(said, { maxLength: 12 })
    .chain((states) =>
      fc.tuple(fc.constant(states), fc.shuffledSubarray([...states, ...states], { minLength: states.length })),
    )
  const property = fc.property(news, ([states, again]) => {
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
