/** Deletes: a tombstone is forgotten only where nothing is left that it keeps down. */

import type { Key, NodeId } from '../../protocol/ids.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { isFullOwner, rowOf, writeTargetsOf } from '../../protocol/ring/table.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import { recordCovers, tombstoneOf, type VersionRecord } from '../../protocol/versions/record.js'
import type { SimWorld } from '../world.js'
import { Checker, describe, type Report, stored } from './checker.js'

export class Reaps extends Checker {
  readonly name = 'reaps'
  readonly rule = 'Deletes: a tombstone is dropped only when all owners and standbys hold it and no hint could undo it'
  readonly #partitions: number
  /** node, key → what its store has accepted last. */
  readonly #accepted = new Map<string, VersionRecord>()
  /** node, key → tombstones that its store has dropped. */
  readonly #dropped = new Map<string, Set<string>>()

  constructor(report: Report, partitions: number) {
    super(report)
    this.#partitions = partitions
  }

  onAccepted(node: NodeId, write: StoreWrite, world: SimWorld): void {
    for (const key of write.keysDropped ?? []) this.#onDropped(node, key, world)
    write.keys.forEach((key, place) => {
      this.#accepted.set(`${node} ${key}`, write.records[place] as VersionRecord)
    })
  }

  #onDropped(node: NodeId, key: Key, world: SimWorld): void {
    const name = `${node} ${key}`
    const record = this.#accepted.get(name)
    this.#accepted.delete(name)
    const row = rowOf(world.supervisor.table, partitionOf(key, this.#partitions))
    const targets = writeTargetsOf(row)
    const tombstone = record === undefined ? undefined : tombstoneOf(record)
    // What has moved away goes, whatever it is; also where it is to come back.
    if (record === undefined || tombstone === undefined) return
    this.#dropped.set(name, (this.#dropped.get(name) ?? new Set()).add(tombstone))
    if (!isFullOwner(row, node)) return
    for (const other of targets) if (other !== node) this.#checkOwner(node, other, key, record, world)
    for (const [keeper, { disk }] of world.nodes) {
      const hint = disk.view().identity.hints.find((kept) => kept.key === key && recordCovers(record, kept.record))
      if (hint !== undefined)
        this.broken(
          `${node} has dropped the tombstone of ${key}, and ${keeper} keeps a hint ${describe(hint.record)} of it`,
        )
    }
  }

  #checkOwner(node: NodeId, other: NodeId, key: Key, tombstone: VersionRecord, world: SimWorld): void {
    const there = stored(world, other, key)
    if (there === 'damaged' || (there !== undefined && recordCovers(there, tombstone))) return
    if (there === undefined && this.#dropped.get(`${other} ${key}`)?.has(tombstoneOf(tombstone) ?? '') === true) return
    this.broken(`${node} has dropped the tombstone of ${key}, and ${other} has ${describe(there)}`)
  }
}
