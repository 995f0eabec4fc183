/**
 * What stores have accepted, as far as quorums care: of a key the newest stamp, or the newest dot of each actor; as data, and as a
 * hint. What a store lost is held against nobody for a while: its answers were true when they were given.
 *
 * A part of `Quorums`.
 */

import type { ActorId, Key, NodeId } from '../../protocol/ids.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Stamp } from '../../protocol/versions/stamp.js'

/** No request of a run has a longer deadline. */
const LOST_MS = 2_000

type Counters = ReadonlyMap<ActorId, number>
/** The newest that is known of a key: a stamp (`lww`), or counters by actor (`siblings`). */
export type Version = Stamp | Counters
type Known = Map<Key, Version>

export class Holdings {
  readonly #data = new Map<NodeId, Known>()
  readonly #hints = new Map<NodeId, Known>()
  readonly #lost = new Map<NodeId, { readonly data: Known; readonly atMs: number }>()
  readonly #storeIds = new Map<NodeId, string>()

  onOpened(node: NodeId, storeId: string, nowMs: number): void {
    if (this.#storeIds.get(node) !== storeId) {
      const data = this.#data.get(node)
      if (data !== undefined) this.#lost.set(node, { data, atMs: nowMs })
      this.#data.delete(node)
      this.#hints.delete(node)
    }
    this.#storeIds.set(node, storeId)
  }

  onAccepted(node: NodeId, write: StoreWrite): void {
    const { keys, records, hintsKept } = write
    for (let place = 0; place < keys.length; place++)
      accept(this.#data, node, keys[place] as Key, records[place] as VersionRecord)
    for (const { key, record } of hintsKept ?? []) accept(this.#hints, node, key, record)
  }

  holds(node: NodeId, key: Key, version: Version, nowMs: number): boolean {
    if (covers(this.#data.get(node)?.get(key), version)) return true
    const lost = this.#lost.get(node)
    return lost !== undefined && nowMs - lost.atMs < LOST_MS && covers(lost.data.get(key), version)
  }

  holdsHint(node: NodeId, key: Key, version: Version): boolean {
    return covers(this.#hints.get(node)?.get(key), version)
  }
}

/** Everything that the record knows. */
export function versionOf(record: VersionRecord): Version {
  if (record.kind === 'lww') return record.stamp
  return new Map(record.set.map(({ actor, counter }) => [actor, counter]))
}

export function describeVersion(version: Version): string {
  return typeof version === 'string' ? version : [...version].map(([actor, counter]) => `${actor}:${counter}`).join(' ')
}

function covers(known: Version | undefined, version: Version): boolean {
  if (known === undefined) return false
  if (typeof version === 'string') return typeof known === 'string' && known >= version
  if (typeof known === 'string') return false
  for (const [actor, counter] of version) if ((known.get(actor) ?? 0) < counter) return false
  return true
}

function accept(holdings: Map<NodeId, Known>, node: NodeId, key: Key, record: VersionRecord): void {
  const ofNode: Known = holdings.get(node) ?? new Map()
  holdings.set(node, ofNode)
  const known = ofNode.get(key)
  const version = versionOf(record)
  if (covers(known, version)) return
  ofNode.set(key, known === undefined ? version : joined(known, version))
}

function joined(a: Version, b: Version): Version {
  if (typeof a === 'string' || typeof b === 'string') return a > b ? a : b
  const both = new Map(a)
  for (const [actor, counter] of b) if ((both.get(actor) ?? 0) < counter) both.set(actor, counter)
  return both
}
