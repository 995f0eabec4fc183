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

/** The newest that is known of a key: a stamp (`lww`), or counters by actor (`siblings`). */
export type Version = ReadonlyMap<ActorId | '', Stamp | number>
type Known = Map<Key, Map<ActorId | '', Stamp | number>>

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
    write.keys.forEach((key, place) => {
      accept(this.#data, node, key, write.records[place] as VersionRecord)
    })
    for (const { key, record } of write.hintsKept ?? []) accept(this.#hints, node, key, record)
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
  if (record.kind === 'lww') return new Map([['', record.stamp]])
  return new Map(record.set.map(({ actor, counter }) => [actor, counter]))
}

function covers(known: Version | undefined, version: Version): boolean {
  if (known === undefined) return false
  for (const [actor, newest] of version) if (!((known.get(actor) ?? 0) >= newest)) return false
  return true
}

function accept(holdings: Map<NodeId, Known>, node: NodeId, key: Key, record: VersionRecord): void {
  const ofNode: Known = holdings.get(node) ?? new Map()
  holdings.set(node, ofNode)
  const known = ofNode.get(key) ?? new Map()
  ofNode.set(key, known)
  for (const [actor, newest] of versionOf(record)) if (!((known.get(actor) ?? 0) >= newest)) known.set(actor, newest)
}
