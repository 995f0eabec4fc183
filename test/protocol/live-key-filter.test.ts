/** What the filter of live keys says is true, whatever came and went; what it does not know it does not say. */

import fc from 'fast-check'
import { test } from 'tap'
import { KeyHash } from '../../src/protocol/key-hash.js'
import { LiveKeyFilter } from '../../src/protocol/live-key-filter.js'

const step = fc.record({
  key: fc.integer({ min: 0, max: 40 }).map((number) => `key ${number}`),
  version: fc.integer({ min: 0, max: 0xffff_ffff }),
})

test('filter: says of a few keys exactly what was said of them last', async (t) => {
  const filter = new LiveKeyFilter()
  const hash = new KeyHash()
  const known = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) =>
      steps.every(({ key, version }) => {
        if (version === 0) filter.remove(hash.of(key))
        else filter.add(hash.of(key), version)
        known.set(key, version)
        return [...known].every(([each, last]) => filter.versionOf(hash.of(each)) === last)
      }),
    ),
    { numRuns: 50 },
  )
  t.pass('50 runs')
})

test('filter: of more keys than it has places it forgets some, and mistakes none', async (t) => {
  const filter = new LiveKeyFilter()
  const hash = new KeyHash()
  const count = 700_000
  for (let number = 0; number < count; number++) filter.add(hash.of(`key ${number}`), number + 1)
  let wrong = 0
  let forgotten = 0
  for (let number = 0; number < count; number++) {
    const version = filter.versionOf(hash.of(`key ${number}`))
    if (version === 0) forgotten += 1
    else if (version !== number + 1) wrong += 1
  }
  for (let number = count; number < 2 * count; number++)
    if (filter.versionOf(hash.of(`key ${number}`)) !== 0) wrong += 1
  t.equal(wrong, 0)
  t.ok(forgotten > 0 && forgotten < count / 2, `${forgotten} of ${count} are not known any more`)
})

test('filter: what makes it grow is known afterwards', async (t) => {
  const filter = new LiveKeyFilter()
  const hash = new KeyHash()
  let lost = 0
  for (let number = 0; number < 5_000; number++) {
    filter.add(hash.of(`key ${number}`), number + 1)
    filter.versionOf(hash.of('another'))
    if (filter.versionOf(hash.of(`key ${number}`)) !== number + 1) lost += 1
  }
  t.equal(lost, 0)
})
