/** Statuses and the merge of two views of one member. */

import fc from 'fast-check'
import { test } from 'tap'
import { InvariantError } from '../../../src/protocol/assert.js'
import {
  isAuthoritative,
  type MemberState,
  mergeMember,
  precedenceOf,
} from '../../../src/protocol/membership/member.js'
import {
  ALLOWED,
  becomes,
  MEMBER_STATUSES,
  mayBecome,
  reachableWithinLife,
} from '../../../src/protocol/membership/member-status.js'

const member = fc.record({
  id: fc.constant('node1'),
  incarnation: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom(...MEMBER_STATUSES),
  statusVersion: fc.integer({ min: 0, max: 3 }),
  heartbeat: fc.integer({ min: 0, max: 3 }),
  epochStored: fc.integer({ min: 0, max: 3 }),
}) satisfies fc.Arbitrary<MemberState>

test('status: the table of allowed steps, written out', async (t) => {
  const steps = MEMBER_STATUSES.flatMap((from) =>
    MEMBER_STATUSES.filter((to) => mayBecome(from, to)).map((to) => `${from} → ${to}`),
  )
  t.same(steps, [
    'joining → up',
    'joining → suspect',
    'joining → leaving',
    'joining → down',
    'up → suspect',
    'up → leaving',
    'up → down',
    'suspect → joining',
    'suspect → up',
    'suspect → leaving',
    'suspect → down',
    'leaving → down',
    'leaving → removed',
    'down → joining',
    'down → removed',
  ])
})

test('status: a step that is not in the table is a programmer’s error', async (t) => {
  for (const from of MEMBER_STATUSES)
    for (const to of MEMBER_STATUSES) {
      if (mayBecome(from, to)) t.equal(becomes(from, to), to)
      else t.throws(() => becomes(from, to), InvariantError, `${from} → ${to}`)
    }
})

test('status: removed is the end, and everybody can get there', async (t) => {
  t.same(ALLOWED.removed, [])
  for (const from of MEMBER_STATUSES) t.ok(reachableWithinLife(from, 'removed'), from)
})

test('status: within a life nobody comes back from leaving or down', async (t) => {
  for (const from of ['leaving', 'down', 'removed'] as const)
    for (const to of ['joining', 'up', 'suspect'] as const) t.notOk(reachableWithinLife(from, to), `${from} → ${to}`)
  for (const from of ['joining', 'up', 'suspect'] as const)
    for (const to of MEMBER_STATUSES) t.ok(reachableWithinLife(from, to), `${from} → ${to}`)
})

test('merge: commutative, associative, idempotent', async () => {
  fc.assert(
    fc.property(member, member, member, (a, b, c) => {
      const same = (x: MemberState, y: MemberState) => JSON.stringify(sorted(x)) === JSON.stringify(sorted(y))
      return (
        same(mergeMember(a, b), mergeMember(b, a)) &&
        same(mergeMember(mergeMember(a, b), c), mergeMember(a, mergeMember(b, c))) &&
        same(mergeMember(a, a), a)
      )
    }),
    { numRuns: 3_000 },
  )
})

test('merge: a life never goes back: the status stays reachable, counters only grow', async () => {
  fc.assert(
    fc.property(member, member, (known, said) => {
      const merged = mergeMember(known, said)
      if (merged.incarnation > known.incarnation) return merged === said
      return (
        merged.incarnation === known.incarnation &&
        reachableWithinLife(known.status, merged.status) &&
        precedenceOf(merged) >= precedenceOf(known) &&
        merged.heartbeat >= known.heartbeat &&
        merged.epochStored >= known.epochStored
      )
    }),
    { numRuns: 3_000 },
  )
})

test('merge: equal precedence means equal status, so that a digest can stand for it', async () => {
  fc.assert(
    fc.property(member, member, (a, b) => {
      const equal = precedenceOf(a) === precedenceOf(b)
      return equal === (a.status === b.status && a.statusVersion === b.statusVersion)
    }),
    { numRuns: 3_000 },
  )
})

test('merge: the supervisor’s word outranks any later guess', async (t) => {
  const base = { id: 'node1', incarnation: 1, heartbeat: 0, epochStored: 0 } as const
  for (const status of MEMBER_STATUSES.filter(isAuthoritative)) {
    const declared: MemberState = { ...base, status, statusVersion: 4 }
    t.same(mergeMember({ ...base, status: 'suspect', statusVersion: 9 }, declared), declared)
  }
})

function sorted(member: MemberState): readonly unknown[] {
  return Object.entries(member).sort()
}
