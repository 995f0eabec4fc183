/** Whatever is written while trees are built anew, and whichever version a page shows: a trusted tree is that of its store. */

import fc from 'fast-check'
import { test } from 'tap'
import { KeyHash } from '../../../src/protocol/key-hash.js'
import { MerkleForest, type TreeImage } from '../../../src/protocol/repair/merkle-forest.js'
import { MerkleTree } from '../../../src/protocol/repair/merkle-tree.js'
import { partitionOf } from '../../../src/protocol/ring/slot.js'
import type { StorePage, StoreScan } from '../../../src/protocol/store-contract.js'
import { type LwwRecord, versionHash } from '../../../src/protocol/versions/record.js'
import { makeStamp } from '../../../src/protocol/versions/stamp.js'
import { createMemoryDisk, MemoryStore } from '../../../src/storage/memory-store.js'

const PARTITIONS = 16

const record = (time: number): LwwRecord => ({
  kind: 'lww',
  stamp: makeStamp(BigInt(time), 0, 'gateway1'),
  value: time % 5 === 0 ? null : Uint8Array.of(time),
})

interface Draft {
  readonly keys: readonly string[]
  readonly records: readonly LwwRecord[]
}

/** A store that accepts when it is told to, and its forest. */
class Stand {
  readonly #hash = new KeyHash()
  readonly store = new MemoryStore({ disk: createMemoryDisk('0123456789abcdef'), partitions: PARTITIONS })
  #token = 1
  readonly forest: MerkleForest
  /** As it will be once everything on its way is accepted. */
  readonly #current = new Map<string, LwwRecord>()
  #onItsWay: Draft[] = []
  #asked: { readonly token: number; readonly scan: StoreScan } | undefined
  #seen: StorePage | undefined
  #time = 1
  nowMs = 0

  constructor(images?: readonly TreeImage[]) {
    this.forest = new MerkleForest({ partitions: PARTITIONS, take: () => this.#token++, images })
  }

  write(key: string): void {
    const made = record(this.#time++)
    const before = this.#current.get(key)
    this.forest.change(
      partitionOf(key, PARTITIONS),
      this.#hash.of(key),
      before === undefined ? 0 : versionHash(before),
      versionHash(made),
    )
    this.#current.set(key, made)
    this.#onItsWay.push({ keys: [key], records: [made] })
  }

  accept(): void {
    const draft = this.#onItsWay.shift()
    if (draft !== undefined) this.store.accept({ ...draft, liveKeysDelta: 0 })
  }

  ask(): void {
    this.nowMs += 1_000
    this.#asked ??= this.forest.advance(this.#onItsWay, this.nowMs)
  }

  /** LevelDB's iterator sees the store as it was at some moment between question and answer. */
  look(): void {
    if (this.#asked !== undefined) this.#seen ??= this.store.page({ ...this.#asked.scan, limit: 3 })
  }

  answer(): void {
    this.look()
    if (this.#asked === undefined || this.#seen === undefined) return
    const { token } = this.#asked
    const page = this.#seen
    this.#asked = undefined
    this.#seen = undefined
    this.forest.onScanned(token, page, this.nowMs)
  }

  finish(): void {
    while (this.#onItsWay.length > 0) this.accept()
    for (let pages = 0; this.forest.remaining > 0 && pages < 1_000; pages++) {
      this.ask()
      this.answer()
    }
  }

  /** What the trees ought to be. */
  expected(): readonly TreeImage[] {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    const page = this.store.page({ range: { reverse: false }, limit: 1e6, bytesMax: 1e9, partitions })
    return partitions.flatMap((partition) => {
      const tree = new MerkleTree(this.forest.fan)
      page.keys.forEach((key, place) => {
        if (partitionOf(key, PARTITIONS) === partition)
          tree.change(this.#hash.of(key), 0, versionHash(page.records[place] as LwwRecord))
      })
      return tree.isEmpty ? [] : [{ partition, leaves: tree.leaves() }]
    })
  }
}

const keys = fc.constantFrom(...Array.from({ length: 12 }, (_, index) => `key ${index}`))
const steps = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('write' as const), key: keys }),
    fc.record({ what: fc.constantFrom('accept', 'ask', 'look', 'answer'), key: keys }),
    fc.record({ what: fc.constant('distrust' as const), key: keys }),
  ),
  { maxLength: 120 },
)

test('trees built anew while writes go on are those of the store, and so are trees that were stored', async (t) => {
  fc.assert(
    fc.property(steps, (taken) => {
      const stand = new Stand()
      for (const { what, key } of taken) {
        if (what === 'write') stand.write(key)
        else if (what === 'distrust') stand.forest.distrust(partitionOf(key, PARTITIONS))
        else if (what === 'accept') stand.accept()
        else if (what === 'ask') stand.ask()
        else if (what === 'look') stand.look()
        else stand.answer()
      }
      stand.finish()
      const images = stand.forest.images()
      const next = new MerkleForest({ partitions: PARTITIONS, take: () => 0, images })
      return show(images) === show(stand.expected()) && show(next.images()) === show(images)
    }),
    { numRuns: 400 },
  )
  t.pass('400 runs')
})

test('trees that cannot be trusted are not given away; a partition that is dropped has none', async (t) => {
  const stand = new Stand([])
  stand.write('key 1')
  t.equal(stand.forest.images()?.length, 1)
  stand.forest.distrustAll()
  t.equal(stand.forest.images(), undefined)
  t.notOk(stand.forest.isTrusted(partitionOf('key 1', PARTITIONS)))
  stand.finish()
  t.equal(show(stand.forest.images()), show(stand.expected()))
  stand.forest.drop(partitionOf('key 1', PARTITIONS))
  t.same(stand.forest.images(), [])
  t.equal(stand.forest.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

function show(images: readonly TreeImage[] | undefined): string {
  return JSON.stringify(images?.map(({ partition, leaves }) => [partition, [...leaves]]))
}

test('a damaged record counts as nothing from the pass that finds it to the write that replaces it', async (t) => {
  const partition = partitionOf('key 1', PARTITIONS)
  const hash = new KeyHash()
  const page = (stored: StorePage['records'][number]) => ({ keys: ['key 1'], records: [stored] })
  const forest = new MerkleForest({ partitions: PARTITIONS, take: () => 1, images: undefined })
  forest.advance([], 0)
  forest.onScanned(1, page('damaged'), 0)
  t.ok(forest.isTrusted(partition))
  t.equal(forest.images(), undefined, 'what is damaged is not stored')
  // The filter of live keys knows what it was.
  forest.change(partition, hash.of('key 1'), versionHash(record(1)), versionHash(record(2)))
  const expected = new MerkleTree(forest.fan)
  expected.change(hash, 0, versionHash(record(2)))
  t.same(forest.images(), [{ partition, leaves: expected.leaves() }])

  forest.onReplaced(partition, 'key 1')
  t.notOk(forest.isTrusted(partition), 'damaged since: nobody knows what the tree has of it')
})

test('after a refused write only what was counted is built anew: what is being dropped stays out', async (t) => {
  const stand = new Stand([])
  const partition = partitionOf('key 1', PARTITIONS)
  stand.write('key 1')
  stand.accept()
  stand.forest.drop(partition)
  stand.write('key 2')
  stand.forest.distrustAll()
  t.ok(stand.forest.isTrusted(partition))
  t.notOk(stand.forest.isTrusted(partitionOf('key 2', PARTITIONS)))
})
