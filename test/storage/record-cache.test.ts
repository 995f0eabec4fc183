/** The cache of stored records, against a map: it may forget, and must never show anything but the newest. */

import fc from 'fast-check'
import { test } from 'tap'
import { RecordCache } from '../../src/storage/record-cache.js'
import { RecordSlab } from '../../src/storage/record-slab.js'
import { keys } from './arbitraries.js'

type Step = readonly ['put' | 'replace' | 'drop' | 'get', string, number]

const slab = new RecordSlab()

function recordIn(cache: RecordCache, key: string): Buffer | undefined {
  const place = cache.find(key)
  if (place < 0) return undefined
  const bytes = cache.bytesAt(place)
  const at = slab.take(bytes)
  cache.copyTo(slab, at, place)
  return Buffer.from(slab.bytes.buffer, at, bytes)
}

const steps = fc.array(
  fc.tuple(fc.constantFrom('put' as const, 'replace' as const, 'drop' as const, 'get' as const), keys, fc.nat(1_500)),
  { minLength: 200, maxLength: 400 },
)

test('record cache: shows the newest or nothing, over many turns of the ring', async (t) => {
  const property = fc.property(steps, (all: readonly Step[]) => {
    const cache = new RecordCache(65_536)
    const newest = new Map<string, Buffer>()
    let hits = 0
    for (const [index, [action, key, bytes]] of all.entries()) {
      const record = Buffer.alloc(bytes, index)
      if (action === 'put') cache.put(key, record)
      if (action === 'replace') cache.replace(key, record)
      if (action === 'drop') cache.drop(key)
      // What `replace` did not find it must not have kept either, so that the model holds what the store would.
      if (action === 'put' || action === 'replace') newest.set(key, record)
      if (action === 'drop') newest.delete(key)
      const found = recordIn(cache, key)
      if (found === undefined) continue
      hits += 1
      if (newest.get(key)?.equals(found) !== true) return false
    }
    return hits > 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200, seed: 3 }))
})

test('record cache: what fits is found again, and belongs to whoever asked', async (t) => {
  const cache = new RecordCache(1 << 20)
  const numbers = Array.from({ length: 7_000 }, (_, number) => number)
  const recordOf = (number: number) => `record ${number} ${'.'.repeat(88)}`
  for (const number of numbers) cache.put(`key ${number}`, Buffer.from(recordOf(number)))
  let found = 0
  for (const number of numbers) {
    const record = recordIn(cache, `key ${number}`)
    if (record?.toString() === recordOf(number)) found += 1
    record?.fill(0)
  }
  t.ok(found > 6_950, `${found} of 7,000`)
  t.not(recordIn(cache, 'key 6999')?.[0], 0, 'what was given away is a copy')
})

test('record cache: what is kept again stays where it is, if it fits, and pushes nothing out', async (t) => {
  const cache = new RecordCache(65_536)
  const names = Array.from({ length: 400 }, (_, index) => `key:${index}`)
  for (const name of names) cache.put(name, Buffer.alloc(100, 1))
  const kept = names.filter((name) => recordIn(cache, name) !== undefined)
  t.ok(kept.length > 390, `${kept.length} of 400`)
  for (let turn = 2; turn < 100; turn++) {
    // 97 to 100 bytes take as many words.
    const bytes = 97 + (turn % 4)
    for (const name of kept.slice(0, 50)) cache.put(name, Buffer.alloc(bytes, turn))
    t.same(recordIn(cache, 'key:7'), Buffer.alloc(bytes, turn))
  }
  t.same(
    kept.filter((name) => recordIn(cache, name) === undefined),
    [],
  )
})

test('record cache: keys that are looked for together have the hashes by which they are found', async (t) => {
  const cache = new RecordCache(65_536)
  const keys = ['here', 'also', 'not', 'here']
  for (let turn = 0; turn < 1_000; turn++) {
    for (const key of ['here', 'also']) cache.put(key, Buffer.from(`${key} ${turn}`))
    const hashes = cache.prepare(keys)
    const shown = keys.map((key, index) => cache.find(key, hashes[index]) >= 0)
    if (turn % 100 === 0) t.same(shown, [true, true, false, true], 'over many turns of the ring')
  }
})

test('record cache: `replace` brings nothing in, a large record is not kept, and with no room nothing is', async (t) => {
  const cache = new RecordCache(65_536)
  cache.put('there', Buffer.from('old'))
  cache.replace('there', Buffer.from('new'))
  cache.replace('not there', Buffer.from('new'))
  t.equal(recordIn(cache, 'there')?.toString(), 'new')
  t.equal(recordIn(cache, 'not there'), undefined)
  cache.put('large', Buffer.alloc(10_000))
  t.equal(recordIn(cache, 'large'), undefined)
  cache.replace('there', Buffer.alloc(10_000))
  t.equal(recordIn(cache, 'there'), undefined, 'the old one is not shown in place of a new one that was not kept')

  const none = new RecordCache(0)
  none.put('key', Buffer.from('record'))
  none.replace('key', Buffer.from('record'))
  t.equal(recordIn(none, 'key'), undefined)
})
