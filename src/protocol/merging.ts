/**
 * How a replica merges what it is given with what it has: what of it is kept, and what that changes in the Merkle trees, in
 * the count of live keys, and in what is known without reading.
 *
 * A write that is newer than everything this replica has ever held, to keys that are known to be live, is kept unread. Everything
 * else is compared with what the key will hold once everything on its way has been accepted.
 *
 * It must never let an older version replace a newer one, nor a damaged record be taken for absent. Called by `Replica` only.
 */

import { Draft, type Unit, type Waiting } from './draft.js'
import type { Key, PartitionId } from './ids.js'
import { KeyHash } from './key-hash.js'
import { LiveKeyFilter } from './live-key-filter.js'
import { PURPOSE, REPLY } from './messages.js'
import type { MerkleForest } from './repair/merkle-forest.js'
import { partitionOf } from './ring/slot.js'
import type { StoredRecord } from './store-contract.js'
import { isLive, mergeRecords, NOTHING, recordCovers, type VersionRecord, versionHash } from './versions/record.js'
import type { Stamp } from './versions/stamp.js'

interface MergingOptions {
  /** Told of every write. */
  readonly forest: MerkleForest
  /** A stamp above all that the store can hold: the shared clock at boot. */
  readonly bootStamp: Stamp
  readonly partitions: number
  /** What each key will hold once everything on its way has been accepted. */
  readonly currentOf: (keys: readonly Key[]) => readonly StoredRecord[]
  /** The newest write on its way that brings the key. */
  readonly bringing: (key: Key) => Draft | undefined
  readonly onDamaged: (key: Key) => void
}

export class Merging {
  readonly #forest: MerkleForest
  readonly #partitions: number
  readonly #currentOf: MergingOptions['currentOf']
  readonly #bringing: MergingOptions['bringing']
  readonly #onDamaged: MergingOptions['onDamaged']
  /** No record that this replica holds, or held in an earlier life, has a higher stamp. */
  #highestStamp: Stamp
  readonly #live = new LiveKeyFilter()
  readonly #hash = new KeyHash()

  constructor(options: MergingOptions) {
    this.#forest = options.forest
    this.#highestStamp = options.bootStamp
    this.#partitions = options.partitions
    this.#currentOf = options.currentOf
    this.#bringing = options.bringing
    this.#onDamaged = options.onDamaged
  }

  /** What of it the store is to be given. The status of a unit that is not taken is set. */
  draftOf(waiting: Waiting): Draft {
    const fresh = new Draft(waiting)
    const merging: Unit[] = []
    for (const unit of waiting.units) {
      if (unit.status !== REPLY.ok) continue
      if (this.#isNewest(unit, waiting)) this.#overwrite(unit, waiting, fresh)
      else merging.push(unit)
    }
    if (merging.length > 0) this.#merge(merging, waiting, fresh)
    return fresh
  }

  /** The key's record, a tombstone, is to go. */
  drop(key: Key, record: StoredRecord, fresh: Draft): void {
    const partition = partitionOf(key, this.#partitions)
    this.#forest.change(partition, this.#hash.of(key), hashOf(knownOf(record)), 0)
    fresh.add(key, NOTHING, 0)
  }

  /** These records have been dropped: the partition is not ours any more. */
  forget(keys: readonly Key[]): void {
    for (const key of keys) this.#live.remove(this.#hash.of(key))
  }

  /**
   * Is it newer than everything this replica has ever held, and are its keys known to be live? Then nothing that is there
   * matters (not even if it is damaged), and nothing need be read.
   */
  #isNewest({ purpose, from, end }: Unit, { keys, records }: Waiting): boolean {
    if (purpose !== PURPOSE.write) return false
    for (let place = from; place < end; place++) {
      const record = records[place] as VersionRecord
      if (record.kind !== 'lww' || record.stamp < this.#highestStamp) return false
      if (this.#live.versionOf(this.#hash.of(keys[place] as Key)) === 0) return false
    }
    return true
  }

  #overwrite({ from, end, partition }: Unit, { keys, records }: Waiting, fresh: Draft): void {
    for (let place = from; place < end; place++) {
      const key = keys[place] as Key
      const record = records[place] as VersionRecord & { kind: 'lww' }
      const hash = this.#hash.of(key)
      const before = this.#live.versionOf(hash)
      // Of several of the key in one unit, an earlier one may have been its delete.
      const wasLive = before !== 0
      const isLiveNow = record.value !== null
      this.#count(partition, record, wasLive ? before : hashOf(fresh.find(key)), isLiveNow)
      fresh.add(key, record, Number(isLiveNow) - Number(wasLive))
      if (record.stamp > this.#highestStamp) this.#highestStamp = record.stamp
    }
  }

  /** The key that was hashed last is to hold this. `before`: hash of the version that it replaces; 0: nothing. */
  #count(partition: PartitionId, record: VersionRecord, before: number, live: boolean): void {
    const after = versionHash(record)
    if (live) this.#live.add(this.#hash, after)
    else this.#live.remove(this.#hash)
    this.#forest.change(partition, this.#hash, before, after)
  }

  /** Read, compare, keep what is newer. */
  #merge(units: readonly Unit[], { keys, records }: Waiting, fresh: Draft): void {
    const current = this.#currentOf(units.flatMap(({ from, end }) => keys.slice(from, end)))
    let next = 0
    for (const unit of units) {
      // Where the unit's places stand in `current`.
      const offset = next - unit.from
      next += unit.end - unit.from
      if (!this.#mayMerge(unit, { keys, records }, current, offset)) continue
      for (let place = unit.from; place < unit.end; place++) {
        const key = keys[place] as Key
        const record = records[place] as VersionRecord
        const stored = current[place + offset]
        const made = fresh.find(key)
        const there = made ?? knownOf(stored)
        if (recordCovers(there, record)) {
          fresh.standOn(this.#bringing(key))
          continue
        }
        const merged = there === undefined ? record : mergeRecords(there, record)
        // Was a damaged record live? Nobody knows; most likely it was what it is healed to.
        const isHealed = stored === 'damaged' && made === undefined
        if (isHealed) this.#forest.onReplaced(unit.partition, key)
        this.#take(unit.partition, key, { merged, there, wasLive: isLive(isHealed ? merged : there) }, fresh)
      }
    }
  }

  /** This is what the key will hold. */
  #take(
    partition: PartitionId,
    key: Key,
    change: { merged: VersionRecord; there: VersionRecord | undefined; wasLive: boolean },
    fresh: Draft,
  ): void {
    const { merged, there, wasLive } = change
    const live = isLive(merged)
    fresh.add(key, merged, Number(live) - Number(wasLive))
    this.#hash.of(key)
    this.#count(partition, merged, hashOf(there), live)
    if (merged.kind === 'lww' && merged.stamp > this.#highestStamp) this.#highestStamp = merged.stamp
  }

  /** A damaged record takes nothing but what heals it, and what is newer than everything this replica has ever held. */
  #mayMerge(
    unit: Unit,
    { keys, records }: Pick<Waiting, 'keys' | 'records'>,
    current: readonly StoredRecord[],
    offset: number,
  ): boolean {
    if (unit.purpose === PURPOSE.heal) return true
    for (let place = unit.from; place < unit.end; place++) {
      if (current[place + offset] !== 'damaged') continue
      const record = records[place] as VersionRecord
      if (unit.purpose === PURPOSE.write && record.kind === 'lww' && record.stamp > this.#highestStamp) continue
      unit.status = REPLY.unknown
      this.#onDamaged(keys[place] as Key)
    }
    return unit.status === REPLY.ok
  }
}

function hashOf(record: VersionRecord | undefined): number {
  return record === undefined ? 0 : versionHash(record)
}

function knownOf(record: StoredRecord): VersionRecord | undefined {
  return record === 'damaged' ? undefined : record
}
