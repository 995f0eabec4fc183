/** The Amnesia rules as a table: what is found at opening, and what it means. */

import { test } from 'tap'
import { judgeOpening, needsNewStoreId, type OpeningFacts } from '../../src/storage/open-verdict.js'
import type { Witness } from '../../src/storage/witness.js'

const identity = { storeId: 'aaaa', previousStoreId: '', sequence: 100 }
const witness: Witness = { storeId: 'aaaa', sequence: 100, bootId: 'boot1', durability: 'process', closed: false }
const member: OpeningFacts = {
  identity,
  isEmpty: false,
  witness,
  files: 'ok',
  expected: 'member',
  expectedStoreId: 'aaaa',
  bootId: 'boot1',
}
const nothing = { identity: 'absent', isEmpty: true, witness: 'absent', expectedStoreId: undefined } as const
const renewed = { ...identity, storeId: 'bbbb', previousStoreId: 'aaaa' }

const RULES: readonly (readonly [rule: string, facts: Partial<OpeningFacts>, verdict: string, reason: string])[] = [
  ['a new store that nobody counts on is fresh', { ...nothing, expected: 'fresh' }, 'fresh', 'created'],
  [
    'a witness of a store set aside does not matter to a new one',
    { ...nothing, witness, expected: 'fresh' },
    'fresh',
    'created',
  ],
  ['an empty store that a row counts on has forgotten all', nothing, 'amnesiac', 'identity-missing'],
  [
    'data without an identity is not a new store',
    { ...nothing, isEmpty: false, expected: 'fresh' },
    'amnesiac',
    'identity-missing',
  ],
  ['a store at its witness is intact', {}, 'intact', 'proved'],
  [
    'a store ahead of its witness is intact: the process died in between',
    { witness: { ...witness, sequence: 99 } },
    'intact',
    'proved',
  ],
  [
    'a store behind its witness has forgotten',
    { witness: { ...witness, sequence: 101 } },
    'amnesiac',
    'behind-witness',
  ],
  [
    'a whole folder that is older than what the cluster knows has forgotten',
    { expectedSequence: 101 },
    'amnesiac',
    'behind-cluster',
  ],
  ['a store that has come further than the last close is intact', { expectedSequence: 100 }, 'intact', 'proved'],
  [
    'what the cluster knows of another store does not matter to this one',
    { identity: renewed, witness: { ...witness, storeId: 'bbbb' }, expectedSequence: 101 },
    'lost-tail',
    'renewal-interrupted',
  ],
  ['files that fail verification are not believed', { files: 'damaged' }, 'amnesiac', 'files-damaged'],
  ['files that were not verified are believed as far as the witness goes', { files: undefined }, 'intact', 'proved'],
  ['a damaged identity is not believed', { identity: 'damaged' }, 'amnesiac', 'identity-damaged'],
  ['a missing witness proves nothing', { witness: 'absent' }, 'amnesiac', 'witness-missing'],
  ['a damaged witness proves nothing', { witness: 'damaged' }, 'amnesiac', 'witness-damaged'],
  [
    'a witness of another store proves nothing',
    { witness: { ...witness, storeId: 'cccc' } },
    'amnesiac',
    'witness-of-other-store',
  ],
  [
    'another store than the cluster knows has forgotten',
    { expectedStoreId: 'cccc' },
    'amnesiac',
    'other-store-expected',
  ],
  ['without a known store id the witness alone decides', { expectedStoreId: undefined }, 'intact', 'proved'],
  [
    'after a reboot under process a lower sequence is a lost tail',
    { bootId: 'boot2', witness: { ...witness, sequence: 101 } },
    'lost-tail',
    'rebooted',
  ],
  ['after a reboot under process no sequence proves the tail', { bootId: 'boot2' }, 'lost-tail', 'rebooted'],
  [
    'after an orderly close a reboot loses nothing',
    { bootId: 'boot2', witness: { ...witness, closed: true } },
    'intact',
    'proved',
  ],
  [
    'after an orderly close a lower sequence is amnesia',
    { bootId: 'boot2', witness: { ...witness, closed: true, sequence: 101 } },
    'amnesiac',
    'behind-witness',
  ],
  [
    'under disk a reboot loses nothing',
    { bootId: 'boot2', witness: { ...witness, durability: 'disk' } },
    'intact',
    'proved',
  ],
  [
    'under disk a lower sequence is amnesia, reboot or not',
    { bootId: 'boot2', witness: { ...witness, durability: 'disk', sequence: 101 } },
    'amnesiac',
    'behind-witness',
  ],
  [
    'a renewal that the witness missed is not amnesia',
    { identity: renewed, expectedStoreId: 'aaaa' },
    'lost-tail',
    'renewal-interrupted',
  ],
  [
    'a renewal that the cluster missed is not amnesia',
    { identity: renewed, witness: { ...witness, storeId: 'bbbb' } },
    'lost-tail',
    'renewal-interrupted',
  ],
  [
    'a renewal that all know of is over',
    { identity: renewed, expectedStoreId: 'bbbb', witness: { ...witness, storeId: 'bbbb' } },
    'intact',
    'proved',
  ],
  [
    'an empty previous id excuses nobody',
    { witness: { ...witness, storeId: '' } },
    'amnesiac',
    'witness-of-other-store',
  ],
]

for (const [rule, facts, verdict, reason] of RULES) {
  test(`opening: ${rule}`, async (t) => {
    t.same(judgeOpening({ ...member, ...facts }), { verdict, reason })
  })
}

test('opening: a lost tail needs a new store id, once', async (t) => {
  t.equal(needsNewStoreId({ verdict: 'lost-tail', reason: 'rebooted' }), true)
  t.equal(needsNewStoreId({ verdict: 'lost-tail', reason: 'renewal-interrupted' }), false)
  t.equal(needsNewStoreId({ verdict: 'intact', reason: 'proved' }), false)
})
