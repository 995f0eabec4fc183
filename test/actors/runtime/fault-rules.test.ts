/** Rules of links when some links are healed: the others go on as before, and what is kept grows no more. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { type LinkFault, type LinkRule, sendersIn, withoutLinks } from '../../../actors/runtime/fault-rules.js'

const IDS = ['node1', 'node2', 'node3', 'node4', 'gateway1']
const ids = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 })
const links = fc.array(
  fc.record({ from: ids, to: ids, share: fc.integer({ min: 1, max: 3 }) }).map(({ from, to, share }): LinkRule => {
    return { from, to, fault: { type: 'drop', share: share / 4 } }
  }),
  { maxLength: 5 },
)

/** What happens on a link, in order. */
function faultsOn(rules: readonly LinkRule[], from: string, to: string): LinkFault[] {
  return rules.filter((rule) => rule.from.includes(from) && rule.to.includes(to)).map(({ fault }) => fault)
}

test('withoutLinks: healed links have no faults, every other has its own, and the rules count no more than before', async () => {
  fc.assert(
    fc.property(links, fc.array(fc.tuple(ids, ids), { minLength: 1, maxLength: 4 }), (made, heals) => {
      let before: readonly LinkRule[] = made
      for (const [a, b] of heals) {
        const isHealed = (from: string, to: string) =>
          (a.includes(from) && b.includes(to)) || (b.includes(from) && a.includes(to))
        const after = withoutLinks(before, isHealed)
        const pairs = IDS.flatMap((from) => IDS.map((to) => [from, to] as const))
        assert.deepEqual(
          pairs.map(([from, to]) => faultsOn(after, from, to)),
          pairs.map(([from, to]) => (isHealed(from, to) ? [] : faultsOn(before, from, to))),
        )
        assert.ok(sendersIn(after) <= sendersIn(before))
        before = after
      }
    }),
    { numRuns: 300 },
  )
})
