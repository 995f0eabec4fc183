/** What every store must do. Each implementation runs this suite. */

import fc from 'fast-check'
import { type Test, test } from 'tap'
import type { Key } from '../../src/protocol/ids.js'
import type { KeyRange } from '../../src/protocol/messages.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import type { StorePage, StoreScan, StoreWrite } from '../../src/protocol/store-contract.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import type { Store } from '../../src/storage/store.js'
import { keys as keysOf, plain, records as recordsOf } from '../storage/arbitraries.js'

export const PARTITIONS = 16
const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** A place where a store can be opened, closed, and opened again. */
export interface StorePlace {
  open(): Promise<Store>
}

let count = 0
/** A record with this text, newer than every earlier one. */
export function recordOf(text: string | null): VersionRecord {
  const value = text === null ? null : Buffer.from(text)
  return { kind: 'lww', stamp: makeStamp(BigInt(++count), 0, 'node1-00'), value }
}

/** A write of these records. */
export function writeOf(entries: Readonly<Record<Key, VersionRecord>>, more: Partial<StoreWrite> = {}): StoreWrite {
  return { keys: Object.keys(entries), records: Object.values(entries), liveKeysDelta: 0, ...more }
}

export function storeContract(kind: string, placeFor: (t: Test) => StorePlace): void {
  const withStore = (rule: string, body: (t: Test, store: Store, place: StorePlace) => Promise<void>) =>
    test(`${kind}: ${rule}`, async (t) => {
      const place = placeFor(t)
      const store = await place.open()
      await body(t, store, place)
      await store.close()
    })

  withStore('an answer for each key, in order; a tombstone is a record, an absent key undefined', async (t, store) => {
    const [a, b] = [recordOf('a'), recordOf(null)]
    await store.write(writeOf({ a, b }))
    t.equal(plain(store.read(['b', 'none', 'a', 'a'])), plain([b, undefined, a, a]))
  })

  withStore('records of every shape and keys of every byte come back', async (t, store) => {
    const property = fc.asyncProperty(keysOf, recordsOf, async (key, record) => {
      await store.write({ keys: [key], records: [record], liveKeysDelta: 0 })
      t.equal(plain(store.read([key])), plain([record]))
    })
    await fc.assert(property, { numRuns: 60 })
  })

  withStore('writes are accepted in the order of the calls', async (t, store) => {
    const order: number[] = []
    const writes = Array.from({ length: 50 }, async (_, index) => {
      await store.write(writeOf({ k: recordOf(`${index}`) }, { sync: index % 7 === 0 }))
      order.push(index)
    })
    await Promise.all(writes)
    t.same(
      order,
      [...order].sort((a, b) => a - b),
    )
    t.match(plain(store.read(['k'])), Buffer.from('49').toString('hex'), 'the last one stays')
  })

  withStore('what the caller does to its bytes afterwards changes nothing', async (t, store) => {
    const given = recordOf('given')
    const before = plain([given])
    const written = store.write(writeOf({ k: given }))
    spoil(given)
    await written
    t.equal(plain(store.read(['k'])), before)
    spoil(store.read(['k'])[0])
    t.equal(plain(store.read(['k'])), before)
    spoil((await store.scan(scanOf({ reverse: false }))).records[0])
    t.equal(plain(store.read(['k'])), before)
  })

  withStore('a scan pages through exactly the keys of its range and partitions, in order', async (t, store) => {
    const stored = fc.sample(keysOf, { numRuns: 150, seed: 7 }).concat('a', 'aa', '\u00ff', '\u00ff\u00ff', '\u0000')
    await store.write(writeOf(Object.fromEntries(stored.map((key) => [`k${key}`, recordOf(key)]))))
    const all = [...new Set(stored.map((key) => `k${key}`))].sort((a, b) => (a < b ? -1 : 1))
    const bounds = fc.option(
      fc.oneof(
        fc.constantFrom(...all),
        keysOf.map((key) => `k${key}`),
        fc.constantFrom('', 'z'),
      ),
      {
        nil: undefined,
      },
    )
    const partitions = fc.oneof(fc.constant(ALL_PARTITIONS), fc.subarray(ALL_PARTITIONS))
    const flag = fc.boolean()
    const property = fc.asyncProperty(
      fc.tuple(bounds, flag, bounds, flag, flag),
      partitions,
      fc.integer({ min: 1, max: 40 }),
      async ([from, fromExclusive, to, toExclusive, reverse], wanted, limit) => {
        const range: KeyRange = {
          reverse,
          fromExclusive,
          toExclusive,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        }
        const expected = all.filter((key) => isIn(key, range) && wanted.includes(partitionOf(key, PARTITIONS)))
        if (reverse) expected.reverse()
        t.same(await scanAll(store, { range, limit, bytesMax: 1e9, partitions: wanted }), expected)
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  withStore(
    'a page ends at its limit or its bytes, but never empty for a record that is too large',
    async (t, store) => {
      await store.write(writeOf({ a: recordOf('x'.repeat(5_000)), b: recordOf('b'), c: recordOf('c') }))
      const range = { reverse: false }
      t.same((await store.scan(scanOf(range, { bytesMax: 10 }))).keys, ['a'])
      t.equal((await store.scan(scanOf(range, { bytesMax: 10 }))).next, 'a')
      t.same((await store.scan(scanOf(range, { bytesMax: 0 }))).keys, ['a'])
      t.same((await store.scan(scanOf(range, { limit: 2 }))).keys, ['a', 'b'])
      const rest = await store.scan(scanOf({ reverse: false, from: 'b' }, { limit: 2 }))
      t.same(rest.keys, ['b', 'c'])
      t.equal('next' in rest, false, 'nothing is left')
    },
  )

  withStore('a page of partitions that hold nothing ends after 4,096 entries and says where', async (t, store) => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `{tag}${String(index).padStart(5, '0')}`)
    const one = recordOf('1')
    await store.write({ keys, records: keys.map(() => one), liveKeysDelta: 5_000 })
    const own = partitionOf('{tag}', PARTITIONS)
    const partitions = ALL_PARTITIONS.filter((partition) => partition !== own)
    const page = await store.scan(scanOf({ reverse: false }, { partitions }))
    t.same(page, { keys: [], records: [], next: keys[4_095] })
  })

  withStore('what is few among many is found, in order and whole, whatever letters keys have', async (t, store) => {
    // Runs of keys of ASCII, of some with UTF-8 beyond it, of bytes that are neither, of a BOM, of a replacement char.
    const letters = ['', '', '', '\u00c3\u00a9', '\u00ff', '\u00ef\u00bb\u00bf', '\u00ef\u00bf\u00bd', '\u0000']
    const numbered = Array.from({ length: 6_000 }, (_, number) => {
      const run = Math.floor(number / 700)
      const digits = String(number).padStart(5, '0')
      // What a bound becomes that is decoded as UTF-8 lies behind all of these, or before those at the end.
      if (run === 4) return `02800\u00c3(${digits}`
      return `${digits}${number % 9 === 0 ? letters[run % letters.length] : ''}`
    })
    const [own = 0, ...others] = ALL_PARTITIONS
    const ends = Array.from({ length: 100 }, (_, number) => `07${String(number).padStart(2, '0')}\u00ff`)
    const to = ends.find((key) => partitionOf(key, PARTITIONS) === own) ?? ''
    const keys = [...numbered, to]
    const records = new Map(keys.map((key) => [key, recordOf(key)]))
    await store.write({ keys, records: [...records.values()], liveKeysDelta: keys.length })
    for (const partition of [own, ...others.slice(0, 2)]) {
      for (const bounds of [{}, { from: '01000', to: '05000' }, { from: '02700' }, { from: '05600', to }]) {
        const range = { reverse: false, ...bounds }
        const expected = keys.filter((key) => partitionOf(key, PARTITIONS) === partition && isIn(key, range))
        const scan = { range, limit: 100, bytesMax: 1e9, partitions: [partition] }
        t.same(await scanAll(store, scan), expected)
        const page = await store.scan(scan)
        t.same(plain(page.records), plain(page.keys.map((key) => records.get(key))))
      }
    }
  })

  withStore('identity, live keys, texts, hints and records survive closing', async (t, store, place) => {
    const record = recordOf('hinted')
    const hint = (id: number) => ({ id, target: 'node2', partition: 3, key: `k${id}`, record })
    await store.write(
      writeOf({ a: record }, { liveKeysDelta: 1, hintsKept: [hint(300), hint(2)], meta: { table: '{}' } }),
    )
    await store.write(writeOf({}, { hintsDropped: [hint(2)], hintsKept: [hint(70_000)], meta: { table: 'é1' } }))
    t.equal(store.liveKeys, 1)
    const { sequence } = store
    t.ok(sequence >= store.identity.sequence + 2)
    await store.close()
    const again = await place.open()
    t.equal(again.identity.storeId, store.identity.storeId)
    t.match(again.identity.storeId, /^[0-9a-f]{16}$/)
    t.equal(again.identity.sequence, sequence)
    t.equal(again.identity.liveKeys, 1)
    t.same(again.identity.meta, { table: 'é1' })
    t.equal(plain(again.identity.hints), plain([hint(300), hint(70_000)]))
    t.equal(plain(again.read(['a'])), plain([record]))
    await again.close()
  })

  withStore('dropped keys are gone, and only they', async (t, store) => {
    await store.write(writeOf({ a: recordOf('a'), b: recordOf(null), c: recordOf('c') }))
    await store.write(writeOf({}, { keysDropped: ['b', 'never there'] }))
    t.same((await store.scan(scanOf({ reverse: false }))).keys, ['a', 'c'])
    t.equal(store.read(['b'])[0], undefined)
  })

  withStore(
    'after close everything is refused; closing twice is fine; what was taken is accepted',
    async (t, store, place) => {
      const last = store.write(writeOf({ last: recordOf('1') }))
      await Promise.all([store.close(), store.close()])
      await last
      t.throws(() => store.read(['a']), { code: 'STORE_CLOSED' })
      await t.rejects(store.write(writeOf({ a: recordOf('1') })), { code: 'STORE_CLOSED' })
      await t.rejects(store.scan(scanOf({ reverse: false })), { code: 'STORE_CLOSED' })
      const again = await place.open()
      t.not(again.read(['last'])[0], undefined)
      await again.close()
    },
  )
}

export function scanOf(range: KeyRange, more: Partial<StoreScan> = {}): StoreScan {
  return { range, limit: 100, bytesMax: 1e9, partitions: ALL_PARTITIONS, ...more }
}

async function scanAll(store: Store, scan: StoreScan): Promise<Key[]> {
  const keys: Key[] = []
  let range = scan.range
  for (;;) {
    const page: StorePage = await store.scan({ ...scan, range })
    if (page.keys.length > scan.limit || page.keys.length !== page.records.length)
      throw new Error('the page is too long')
    keys.push(...page.keys)
    if (page.next === undefined) return keys
    range = range.reverse
      ? { ...range, to: page.next, toExclusive: true }
      : { ...range, from: page.next, fromExclusive: true }
  }
}

function isIn(key: Key, { from, fromExclusive, to, toExclusive }: KeyRange): boolean {
  const isAbove = from === undefined || key > from || (key === from && fromExclusive !== true)
  return isAbove && (to === undefined || key < to || (key === to && toExclusive !== true))
}

function spoil(record: unknown): void {
  const { value } = record as { value: Uint8Array }
  value.fill(0xee)
}
