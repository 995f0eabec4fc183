/** The checker against hand-made cases, an independent brute-force search, long histories, and mutants of them. */

import { test } from 'tap'
import { Prng } from '../../src/protocol/prng.js'
import { checkLinearizability, describeViolation } from '../../src/sim/checkers/linearizability.js'
import type { Operation } from '../../src/sim/checkers/operation.js'
import { type MadeOperation, makeHistory } from './made-history.js'

const UNKNOWN = Number.POSITIVE_INFINITY

function put(value: string, invokedAt: number, returnedAt: number): Operation {
  return { key: 'k', kind: 'put', value, invokedAt, returnedAt }
}

function remove(invokedAt: number, returnedAt: number): Operation {
  return { key: 'k', kind: 'delete', invokedAt, returnedAt }
}

function get(result: string | undefined, invokedAt: number, returnedAt: number): Operation {
  return { key: 'k', kind: 'get', result, invokedAt, returnedAt }
}

function accepts(...operations: Operation[]): boolean {
  return checkLinearizability(operations).linearizable
}

test('checker: an empty history and reads of nothing are linearizable', (t) => {
  t.ok(accepts())
  t.ok(accepts(get(undefined, 0, 1), get(undefined, 2, 3)))
  t.notOk(accepts(get('a', 0, 1)))
  t.end()
})

test('checker: a get that starts after a put has returned sees it', (t) => {
  t.ok(accepts(put('a', 0, 1), get('a', 2, 3)))
  t.notOk(accepts(put('a', 0, 1), get(undefined, 2, 3)), 'a lost write is caught')
  t.notOk(accepts(put('a', 0, 1), put('b', 2, 3), get('a', 4, 5)), 'a stale read is caught')
  t.end()
})

test('checker: a get beside a put sees either, but nobody goes back afterwards', (t) => {
  t.ok(accepts(put('a', 0, 1), put('b', 2, 9), get('a', 3, 4), get('b', 5, 6)))
  t.notOk(accepts(put('a', 0, 1), put('b', 2, 9), get('b', 3, 4), get('a', 5, 6)))
  t.end()
})

test('checker: overlapping puts take one order for all readers', (t) => {
  t.ok(accepts(put('a', 0, 9), put('b', 0, 9), get('b', 10, 11), get('b', 12, 13)))
  t.notOk(accepts(put('a', 0, 9), put('b', 0, 9), get('b', 10, 11), get('a', 12, 13)))
  t.end()
})

test('checker: operations that touch in time count as overlapping', (t) => {
  t.ok(accepts(put('a', 0, 5), get(undefined, 5, 6)))
  t.notOk(accepts(put('a', 0, 5), get(undefined, 5.5, 6)))
  t.end()
})

test('checker: a deleted key does not come back', (t) => {
  t.ok(accepts(put('a', 0, 1), remove(2, 3), get(undefined, 4, 5)))
  t.notOk(accepts(put('a', 0, 1), remove(2, 3), get('a', 4, 5)), 'a resurrected delete is caught')
  t.notOk(accepts(put('a', 0, 1), remove(2, 3), get(undefined, 4, 5), get('a', 6, 7)))
  t.end()
})

test('checker: a write of unknown outcome may take effect, late, or never', (t) => {
  t.ok(accepts(put('a', 0, 1), put('b', 2, UNKNOWN), get('a', 3, 4)), 'never')
  t.ok(accepts(put('a', 0, 1), put('b', 2, UNKNOWN), get('b', 3, 4)), 'at once')
  t.ok(accepts(put('a', 0, 1), put('b', 2, UNKNOWN), get('a', 3, 4), put('c', 5, 6), get('b', 7, 8)), 'late')
  t.notOk(accepts(put('b', 2, UNKNOWN), get('b', 0, 1)), 'not before it was invoked')
  t.notOk(accepts(put('a', 0, 1), put('b', 2, UNKNOWN), get('b', 3, 4), get('a', 5, 6)), 'not undone')
  t.notOk(accepts(put('b', 0, UNKNOWN), get('b', 1, 2), put('c', 3, 4), get('b', 5, 6)), 'not twice')
  t.end()
})

test('checker: a delete of unknown outcome may take effect once or never', (t) => {
  t.ok(accepts(put('a', 0, 1), remove(2, UNKNOWN), get('a', 3, 4), get(undefined, 5, 6)))
  t.ok(accepts(put('a', 0, 1), remove(2, UNKNOWN), get('a', 3, 4)))
  t.notOk(
    accepts(put('a', 0, 1), remove(2, UNKNOWN), get(undefined, 3, 4), put('b', 5, 6), get(undefined, 7, 8)),
    'not twice',
  )
  t.ok(
    accepts(put('a', 0, 1), remove(2, UNKNOWN), remove(2, UNKNOWN), get(undefined, 3, 4), put('b', 5, 6)),
    'each of two once',
  )
  t.end()
})

test('checker: a failed write must not be seen; a get without an answer says nothing', (t) => {
  t.ok(accepts(put('a', 0, 1), { ...put('b', 2, 3), failed: true }, get('a', 4, 5)))
  t.notOk(accepts(put('a', 0, 1), { ...put('b', 2, 3), failed: true }, get('b', 4, 5)))
  t.ok(accepts(put('a', 0, 1), get(undefined, 2, UNKNOWN), { ...get(undefined, 2, 3), failed: true }))
  t.end()
})

test('checker: keys are checked apart, from their initial values, and the violation is described', (t) => {
  const operations = [{ ...get('old', 0, 1), key: 'x' }, put('a', 0, 1), get('a', 2, 3), get('z', 4, 5)]
  const verdict = checkLinearizability(operations, { initial: new Map([['x', 'old']]) })
  t.match(verdict, { linearizable: false, keys: 2, operations: 4, violations: [{ key: 'k', ordered: 2, value: 'a' }] })
  const [violation] = verdict.violations
  if (violation === undefined) throw new Error('no violation')
  t.equal(violation.stuckAt.result, 'z')
  t.match(describeViolation(violation), /key k: 2 of 3 operations ordered, register has value a, stuck at\n {2}get → z/)
  t.end()
})

test('checker: says the same as a brute-force search on 20,000 small histories', (t) => {
  const prng = new Prng(7)
  let refused = 0
  for (let round = 0; round < 20_000; round++) {
    const operations = smallHistory(prng)
    const expected = bruteForce(operations, undefined)
    if (!expected) refused += 1
    if (checkLinearizability(operations).linearizable !== expected) {
      t.same({ expected, operations }, {}, 'the two disagree')
      break
    }
  }
  t.ok(refused > 2_000 && refused < 18_000, `both verdicts are exercised (${refused} refused)`)
  t.end()
})

test('checker: long histories of sixteen callers are accepted, whatever stays unknown', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const unknownShare = seed % 2 === 0 ? 0.2 : 0
    const distinctValues = seed % 5 === 0 ? 3 : 0
    const made = makeHistory({ key: 'k', seed, operations: 1_000, callers: 16, unknownShare, distinctValues })
    t.ok(checkLinearizability(made).linearizable, `seed ${seed}`)
  }
  t.end()
})

test('checker: catches a stale read in a long history', (t) => {
  eachLongHistory((made, seed) => {
    const target = made.findLast(
      (operation) => operation.kind === 'get' && lastPutBefore(made, operation, 2) !== undefined,
    )
    const result = target && lastPutBefore(made, target, 2)?.value
    t.notOk(
      checkLinearizability(made.map((one) => (one === target ? { ...one, result } : one))).linearizable,
      `${seed}`,
    )
  })
  t.end()
})

test('checker: catches a lost write in a long history', (t) => {
  eachLongHistory((made, seed) => {
    const read = new Set(made.filter((one) => one.kind === 'get').map((one) => one.result))
    const lost = made.find((one) => one.kind === 'put' && read.has(one.value))
    t.notOk(checkLinearizability(made.filter((one) => one !== lost)).linearizable, `read but never written, ${seed}`)
    const end = Math.max(...made.map((one) => one.returnedAt)) + 1
    const tail = [put('last', end, end + 1), get('v1', end + 2, end + 3)]
    t.notOk(checkLinearizability([...made, ...tail]).linearizable, `acknowledged but gone, ${seed}`)
  })
  t.end()
})

test('checker: catches a resurrected delete in a long history', (t) => {
  eachLongHistory((made, seed) => {
    const end = Math.max(...made.map((one) => one.returnedAt)) + 1
    const before = [put('last', end, end + 1), remove(end + 2, end + 3), get(undefined, end + 4, end + 5)]
    t.ok(checkLinearizability([...made, ...before]).linearizable, `gone, ${seed}`)
    const back = [...before, get('last', end + 6, end + 7)]
    t.notOk(checkLinearizability([...made, ...back]).linearizable, `back, ${seed}`)
  })
  t.end()
})

test('checker: gives up with an error past its bound, never with a verdict', (t) => {
  const made = makeHistory({ key: 'k', seed: 1, operations: 200, callers: 16 })
  t.throws(() => checkLinearizability(made, { configurationsMax: 3 }), { message: /more than 3 configurations/ })
  t.end()
})

function eachLongHistory(check: (made: MadeOperation[], seed: string) => void): void {
  for (let seed = 1; seed <= 10; seed++) {
    check(makeHistory({ key: 'k', seed, operations: 500, callers: 16 }), `seed ${seed}`)
  }
}

/** The put that lies `back` returned puts before the operation. */
function lastPutBefore(made: readonly MadeOperation[], operation: Operation, back: number): Operation | undefined {
  const puts = made.filter((one) => one.kind === 'put' && one.returnedAt < operation.invokedAt)
  const stale = puts.sort((a, b) => b.returnedAt - a.returnedAt)
  return stale.find((one, index) => index >= back && (stale[0]?.invokedAt ?? 0) > one.returnedAt)
}

/** Up to seven operations in a short time on two values, some of unknown outcome, results drawn by chance. */
function smallHistory(prng: Prng): Operation[] {
  return Array.from({ length: 2 + prng.below(6) }, () => {
    const invokedAt = prng.below(12)
    const returnedAt = invokedAt + prng.below(6)
    const kind = prng.pick(['get', 'get', 'get', 'put', 'put', 'delete'] as const)
    const value = prng.pick(['a', 'b', 'c']) ?? 'a'
    if (kind === 'get') return get(prng.next() < 0.3 ? undefined : value, invokedAt, returnedAt)
    const end = prng.next() < 0.25 ? UNKNOWN : returnedAt
    return kind === 'put' ? put(value, invokedAt, end) : remove(invokedAt, end)
  })
}

/** Tries every order, by the definition alone. */
function bruteForce(operations: readonly Operation[], value: string | undefined): boolean {
  if (operations.every((operation) => operation.returnedAt === UNKNOWN)) return true
  return operations.some((next) => {
    if (operations.some((other) => other.returnedAt < next.invokedAt)) return false
    if (next.kind === 'get' && next.result !== value) return false
    const rest = operations.filter((operation) => operation !== next)
    return bruteForce(rest, next.kind === 'get' ? value : next.value)
  })
}
