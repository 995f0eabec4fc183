/**
 * Logged batches: whatever died in between, in the end all keys of one have been written or none has; and nothing that was begun
 * is left in their log (what too few owners had of it may be, see `batch-replay.ts`). What a later write has covered tells nothing, nor does a delete that may be forgotten.
 *
 * A batch is known by its values, and its stamp by what was sent of it: who calls again with the same values is another batch.
 */

import { isLogKey } from '../../protocol/batch-log/log-keys.js'
import type { Key } from '../../protocol/ids.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { rowOf } from '../../protocol/ring/table.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker, stored } from './checker.js'

interface Batch {
  readonly keys: readonly Key[]
  readonly stamps: Set<Stamp>
}

export class LoggedBatches extends Checker {
  readonly name = 'logged-batches'
  readonly rule = 'Logged batches: all keys of one are written, or none is, in the end'
  /** Stamp → keys that some node was sent under it: later writes cover what they left, not that they came. */
  readonly #delivered = new Map<Stamp, Set<Key>>()
  /** key, text → its batch. */
  readonly #batches = new Map<string, Batch>()
  readonly #seen = new WeakSet<VersionRecord>()
  readonly #decoder = new TextDecoder()

  onCall({ kind, logged, keys, texts }: Call): void {
    if (kind !== 'put' || !logged) return
    const last = new Map(keys.map((key, place) => [key, texts[place]]))
    const named = [...last].map(([key, text]) => `${key} ${text}`)
    const known = named.map((name) => this.#batches.get(name)).find((batch) => batch !== undefined)
    const batch = known ?? { keys: [...last.keys()], stamps: new Set() }
    for (const [key, text] of last) if (text !== null) this.#batches.set(`${key} ${text}`, batch)
  }

  onSend({ message }: Mail): void {
    if (message.type === 'replica/write') this.#onRecords(message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests) if (request.kind === 'put') this.#onRecords(request.keys, request.records)
  }

  onDelivered({ to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'replica/write' || !world.nodes.has(to)) return
    message.records.forEach((record, place) => {
      const key = message.keys[place] as Key
      if (record.kind !== 'lww' || isLogKey(key)) return
      const keys = this.#delivered.get(record.stamp)
      if (keys === undefined) this.#delivered.set(record.stamp, new Set([key]))
      else keys.add(key)
    })
  }

  override onSettled(world: SimWorld): void {
    const newest = newestRecords(world)
    for (const [key, record] of newest) {
      if (!isLogKey(key) || record.kind !== 'lww' || record.value === null) continue
      const { stamp } = record
      for (const [other, there] of newest)
        if (!isLogKey(other) && there.kind === 'lww' && there.stamp === stamp)
          this.broken(`${key} is still in the log, and ${other} is written, stamped ${stamp}`)
    }
    for (const batch of new Set(this.#batches.values()))
      for (const stamp of batch.stamps) this.#check(batch, stamp, newest, world)
  }

  #check({ keys }: Batch, stamp: Stamp, newest: ReadonlyMap<Key, VersionRecord>, world: SimWorld): void {
    const came = this.#delivered.get(stamp)
    const missing = keys.filter((key) => came?.has(key) === false)
    if (missing.length > 0)
      this.broken(
        `of the batch stamped ${stamp}, ${[...(came ?? [])].join(', ')} was sent and ${missing.join(', ')} never`,
      )
    const mayBeForgotten = world.options.config.tombstoneGraceMs > 0
    const stampOf = (key: Key): Stamp | undefined => {
      const record = newest.get(key)
      return record?.kind === 'lww' ? record.stamp : undefined
    }
    const has = keys.filter((key) => stampOf(key) === stamp)
    const lacks = keys.filter((key) => {
      const there = stampOf(key)
      return there === undefined ? !mayBeForgotten : there < stamp
    })
    if (has.length > 0 && lacks.length > 0)
      this.broken(`of the batch stamped ${stamp}, ${has.join(', ')} is there and ${lacks.join(', ')} is not`)
  }

  #onRecords(keys: readonly Key[], records: readonly VersionRecord[]): void {
    for (const [place, record] of records.entries()) {
      if (record.kind !== 'lww' || record.value === null || this.#seen.has(record)) continue
      this.#seen.add(record)
      this.#batches.get(`${keys[place]} ${this.#decoder.decode(record.value)}`)?.stamps.add(record.stamp)
    }
  }
}

/** Of every key, what its owners have. */
function newestRecords(world: SimWorld): ReadonlyMap<Key, VersionRecord> {
  const { table } = world.supervisor
  const newest = new Map<Key, VersionRecord>()
  for (const node of world.nodes.values()) {
    if (node.core === undefined) continue
    for (const key of node.disk.content.records.keys()) {
      const { owners } = rowOf(table, partitionOf(key, world.options.config.partitions))
      const record = owners.includes(node.id) ? stored(world, node.id, key) : undefined
      if (record === undefined || record === 'damaged' || record.kind !== 'lww') continue
      const other = newest.get(key)
      if (other === undefined || (other.kind === 'lww' && other.stamp < record.stamp)) newest.set(key, record)
    }
  }
  return newest
}
