/** The stores: hints are dropped only when they have arrived; in the end all owners hold the same. */

import { isLogKey } from '../../protocol/batch-log/log-keys.js'
import type { Key, NodeId, PartitionId } from '../../protocol/ids.js'
import { REPLY } from '../../protocol/messages.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { type PartitionTable, type Row, rowOf, writeTargetsOf } from '../../protocol/ring/table.js'
import type { Hint, StoredRecord, StoreWrite } from '../../protocol/store-contract.js'
import {
  mergeRecords,
  newestStampOf,
  recordCovers,
  sameVersion,
  tombstoneOf,
  type VersionRecord,
} from '../../protocol/versions/record.js'
import { stampTimeNs } from '../../protocol/versions/stamp.js'
import { HAS_LEFT, type Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker, describe, stored } from './checker.js'

/** Owners that a handoff went to may have changed before it was over. */
const HANDOFF_MS = 5_000

/**
 * An acknowledged hint is dropped only once whoever it was meant for has it; if that is no owner any more, once all have it that
 * live, of the owners that there were while it was handed over.
 */
export class HintsConserved extends Checker {
  readonly name = 'hints'
  readonly rule = 'Hints: an acknowledged hint is never dropped'
  /** Nodes whose store has forgotten, by the store's id: what they had accepted cannot be seen any more. */
  readonly #storeIds = new Map<NodeId, Set<string>>()
  /** node, key → the newest record that some life of it has accepted. */
  readonly #accepted = new Map<string, VersionRecord>()
  readonly #asked = new Map<string, Mail>()
  /** Newest last, and since when they are on disk. */
  readonly #tables: { readonly table: PartitionTable; readonly atMs: number }[] = []
  #world: SimWorld | undefined

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  /** Who leaves has handed over what it kept. It need not wait for its store to forget it. */
  onDeath(node: NodeId, reason: string): void {
    const world = this.#world
    if (reason !== HAS_LEFT || world === undefined) return
    for (const hint of world.nodes.get(node)?.disk.view().identity.hints ?? []) this.#check(node, hint, world)
  }

  onPersisted(table: PartitionTable): void {
    this.#tables.push({ table, atMs: this.#world?.nowMs ?? 0 })
  }

  onOpened(node: NodeId, { storeId }: { readonly storeId: string }): void {
    this.#storeIds.set(node, (this.#storeIds.get(node) ?? new Set()).add(storeId))
  }

  onAccepted(node: NodeId, write: StoreWrite, world: SimWorld): void {
    write.keys.forEach((key, place) => {
      // A later life whose store is another one may begin with something older.
      const before = this.#accepted.get(`${node} ${key}`)
      const record = write.records[place] as VersionRecord
      this.#accepted.set(`${node} ${key}`, before === undefined ? record : mergeRecords(before, record))
    })
    for (const hint of write.hintsDropped ?? []) this.#check(node, hint, world)
  }

  onDelivered(mail: Mail): void {
    if (mail.message.type === 'hint/store') this.#asked.set(`${mail.to} ${mail.from} ${mail.message.id}`, mail)
  }

  onSend({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'hint/stored') return
    const asked = this.#asked.get(`${from} ${to} ${message.replyTo}`)?.message
    if (asked?.type !== 'hint/store') return
    const hints = world.nodes.get(from)?.disk.view().identity.hints ?? []
    asked.keys.forEach((key, place) => {
      if (message.statuses[place] !== REPLY.ok) return
      const record = asked.records[place] as VersionRecord
      const isKept = hints.some((hint) => hint.key === key && recordCovers(hint.record, record))
      if (!isKept && !this.#hasArrived(asked.targets[place] as NodeId, key, record, world))
        this.broken(`${from} acknowledged a hint of ${key} for ${asked.targets[place]} that its store has not`)
    })
  }

  /**
   * Everything has been handed over: what lies there still is owed by nobody. Stores have had time to forget the rest. Where
   * everybody is a full copy, one that is down for good keeps its place, and what is kept for it waits.
   */
  override onSettled(world: SimWorld, isRead: boolean): void {
    if (!isRead) return
    const { supervisor } = world
    const isAwaited = ({ target, partition }: Hint): boolean =>
      supervisor.isDown(target) && rowOf(supervisor.table, partition).owners.includes(target)
    for (const { id, core, disk } of world.nodes.values())
      for (const hint of core === undefined ? [] : disk.view().identity.hints.filter((hint) => !isAwaited(hint)))
        this.broken(`${id} still keeps its hint of ${hint.key} for ${hint.target}, and does not hand it over`)
  }

  #check(keeper: NodeId, hint: Hint, world: SimWorld): void {
    const rows = this.#rowsSince(hint.partition, world.nowMs - HANDOFF_MS)
    const isDown = (node: NodeId): boolean => world.supervisor.isDown(node)
    const lacks = (node: NodeId): boolean => !this.#hasArrived(node, hint.key, hint.record, world)
    const lackingOf = (row: Row): NodeId[] => {
      const owners = writeTargetsOf(row)
      // Who leaves gives to the others what it kept for one that is down for good, and keeps its place.
      const isInVain = isDown(hint.target) && lacks(hint.target)
      const concerned =
        owners.includes(hint.target) && !isInVain ? [hint.target] : owners.filter((node) => !isDown(node))
      return concerned.filter(lacks)
    }
    if (rows.some((row) => lackingOf(row).length === 0)) return
    const told = rows.map((row) => `${lackingOf(row).join(' ')} (row ${row.epoch})`).join(', ')
    this.broken(
      `${keeper} dropped, or took along, its hint ${describe(hint.record)} of ${hint.key} for ${hint.target}; ${told} do not have it`,
    )
  }

  /** The rows in force since then, oldest first. */
  #rowsSince(partition: PartitionId, sinceMs: number): readonly Row[] {
    const rows: Row[] = []
    this.#tables.forEach(({ table }, place) => {
      const endedAtMs = this.#tables[place + 1]?.atMs ?? Number.POSITIVE_INFINITY
      const row = rowOf(table, partition)
      if (endedAtMs >= sinceMs && rows.at(-1)?.epoch !== row.epoch) rows.push(row)
    })
    return rows
  }

  #hasArrived(node: NodeId, key: Key, record: VersionRecord, world: SimWorld): boolean {
    const there = stored(world, node, key)
    if (there === 'damaged' || (there !== undefined && recordCovers(there, record))) return true
    const accepted = this.#accepted.get(`${node} ${key}`)
    return accepted !== undefined && recordCovers(accepted, record)
  }
}

/** Once everything has settled, all full owners of a partition hold the same records of it. */
export class ReplicasIdentical extends Checker {
  readonly name = 'replicas-identical'
  readonly rule = 'Repair: after convergence all owners hold the same'

  override onSettled(world: SimWorld, isRead: boolean): void {
    const { partitions } = world.options.config
    const keys = new Map<Key, PartitionId>()
    for (const node of world.nodes.values())
      for (const key of node.disk.content.records.keys()) keys.set(key, partitionOf(key, partitions))
    for (const [key, partition] of keys) {
      // Where everybody is a full copy, one that is down for good keeps its place.
      const isThere = (owner: NodeId | null): owner is NodeId => owner !== null && !world.supervisor.isDown(owner)
      const owners = rowOf(world.supervisor.table, partition).owners.filter(isThere)
      const records = owners.map((owner) => forgotten(stored(world, owner, key), world))
      // Damage is seen when it is read, at the latest.
      if ((!isRead || isLogKey(key)) && records.includes('damaged')) continue
      const [first] = records
      const differs = records.findIndex(
        (record) =>
          record === 'damaged' ||
          first === 'damaged' ||
          !sameVersion(record, first) ||
          describe(record) !== describe(first),
      )
      if (differs < 0) continue
      const texts = owners.map((owner, index) => `${owner} ${describe(records[index])}`)
      this.broken(`${key} of partition ${partition}: ${texts.join(', ')}`)
    }
  }
}

/** Once everything has settled, nobody keeps records of a partition that it is nothing to: they would come back with it. */
export class Leftovers extends Checker {
  readonly name = 'leftovers'
  readonly rule = 'Deletes, changing owners: a store keeps nothing of a partition that has moved away'

  override onSettled(world: SimWorld): void {
    const { partitions } = world.options.config
    const { table } = world.supervisor
    for (const node of world.nodes.values()) {
      if (node.core === undefined) continue
      for (const key of node.disk.content.records.keys()) {
        const partition = partitionOf(key, partitions)
        const row = rowOf(table, partition)
        if (!writeTargetsOf(row).includes(node.id))
          this.broken(`${node.id} still keeps ${key} of partition ${partition}, which is ${row.owners.join(' ')}'s`)
      }
    }
  }
}

/** A delete that may be forgotten is, by one owner after the other: that it is remembered still makes no difference. */
function forgotten(record: StoredRecord, world: SimWorld): StoredRecord {
  const { tombstoneGraceMs } = world.options.config
  if (tombstoneGraceMs === 0 || typeof record !== 'object' || tombstoneOf(record) === undefined) return record
  const ripeNs = world.clock.readNs(world.nowMs) - BigInt(2 * tombstoneGraceMs) * 1_000_000n
  return stampTimeNs(newestStampOf(record)) < ripeNs ? undefined : record
}
