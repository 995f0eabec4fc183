/**
 * Batches: one stamp for all keys of one, of a key that is named twice the last value; and a replica takes what it is sent of
 * one partition in one piece. (That w owners have all of it once it is acknowledged: `Quorums`.) Of `lww` only.
 *
 * What hints, repairs and fills bring comes key by key, and is told apart by how it came.
 */

import type { Address, Key, NodeId } from '../../protocol/ids.js'
import { type Message, PURPOSE, type ReplicaWrite } from '../../protocol/messages.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker, stored } from './checker.js'

/** One partition's keys of a batch, as a replica was sent them. */
type Group = ReadonlyMap<Key, Stamp>

export class Batches extends Checker {
  readonly name = 'batches'
  readonly rule = 'Batches: one stamp a batch, of duplicates the last wins; atomic per partition and replica'
  /** key, text → its batch; undefined: a later value for the key stood in the same batch. */
  readonly #batches = new Map<string, string | undefined>()
  /** Batch, by its content → how often it was called for (again where the client had not heard of it), and its stamps. */
  readonly #calls = new Map<string, number>()
  readonly #stamps = new Map<string, Set<Stamp>>()
  /** node, key, stamp: sent in a group. */
  readonly #groups = new Map<string, Group>()
  /** node, stamp: some key of it came alone. */
  readonly #alone = new Set<string>()
  /** The very records whose stamps were looked at. */
  readonly #seen = new WeakSet<VersionRecord>()
  readonly #decoder = new TextDecoder()

  onCall({ kind, keys, texts }: Call): void {
    if (kind !== 'put' || keys.length < 2) return
    const batch = keys.map((key, place) => `${key}=${texts[place]}`).join(' ')
    this.#calls.set(batch, (this.#calls.get(batch) ?? 0) + 1)
    const last = new Map(keys.map((key, place) => [key, texts[place]]))
    keys.forEach((key, place) => {
      const text = texts[place]
      if (text !== null && text !== undefined)
        this.#batches.set(`${key} ${text}`, last.get(key) === text ? batch : undefined)
    })
  }

  onSend({ message }: Mail): void {
    if (message.type === 'replica/write') this.#checkStamps(message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests)
        if (request.kind === 'put') this.#checkStamps(request.keys, request.records)
  }

  onDelivered({ to, message }: Mail, world: SimWorld): void {
    if (!world.nodes.has(to)) return
    if (message.type === 'replica/write') this.#onWrite(to, message)
    else for (const record of recordsOf(message)) if (record?.kind === 'lww') this.#alone.add(`${to} ${record.stamp}`)
  }

  onAccepted(node: NodeId, { keys, records }: StoreWrite, world: SimWorld): void {
    if (this.#groups.size === 0) return
    records.forEach((record, place) => {
      const group = record.kind === 'lww' ? this.#groups.get(`${node} ${keys[place]} ${record.stamp}`) : undefined
      if (group === undefined || record.kind !== 'lww' || this.#alone.has(`${node} ${record.stamp}`)) return
      for (const [key, stamp] of group) {
        const there = stored(world, node, key)
        if (there === 'damaged' || (there?.kind === 'lww' && there.stamp >= stamp)) continue
        this.broken(`${node} has taken ${keys[place]} of a group and not ${key}, stamped ${stamp}`)
      }
    })
  }

  #checkStamps(keys: readonly Key[], records: readonly VersionRecord[]): void {
    for (const [place, record] of records.entries()) {
      if (record.kind !== 'lww' || record.value === null || this.#seen.has(record)) continue
      this.#seen.add(record)
      const text = `${keys[place]} ${this.#decoder.decode(record.value)}`
      if (!this.#batches.has(text)) continue
      const batch = this.#batches.get(text)
      if (batch === undefined) this.broken(`${text} is sent, its batch has another value for the key after it`)
      else this.#checkStamp(batch, text, record.stamp)
    }
  }

  /** As many as calls: those of one call cannot be told from those of another. */
  #checkStamp(batch: string, text: string, stamp: Stamp): void {
    const stamps = this.#stamps.get(batch) ?? new Set()
    this.#stamps.set(batch, stamps)
    if (stamps.has(stamp)) return
    if (stamps.size >= (this.#calls.get(batch) ?? 0))
      this.broken(`batch ${batch} is stamped ${[...stamps].join(' and ')}, its ${text} ${stamp}`)
    stamps.add(stamp)
  }

  #onWrite(node: Address, { counts, purposes, keys, records }: ReplicaWrite): void {
    let from = 0
    counts.forEach((count, place) => {
      const isWhole = count > 1 && purposes[place] === PURPOSE.write
      if (!isWhole && purposes[place] === PURPOSE.write) {
        from += count
        return
      }
      const group = new Map<Key, Stamp>()
      for (let at = from; at < from + count; at++) {
        const record = records[at]
        if (record?.kind === 'lww') group.set(keys[at] as Key, record.stamp)
      }
      from += count
      for (const [key, stamp] of group) {
        if (isWhole) this.#groups.set(`${node} ${key} ${stamp}`, group)
        else this.#alone.add(`${node} ${stamp}`)
      }
    })
  }
}

/** Records that a node hears of one by one, and may bring into its own store so. */
function recordsOf(message: Message): readonly (VersionRecord | undefined)[] {
  switch (message.type) {
    case 'transfer/chunk':
    case 'exchange/differ':
    case 'replica/read-reply':
    case 'replica/scan-reply':
    case 'hint/store':
      return message.records
    default:
      return []
  }
}
