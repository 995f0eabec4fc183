/**
 * What an answer stands on: an acknowledged write is in the stores of w full owners (and of w new ones while owners change), all
 * keys of one partition together; what a read shows is in the stores of so many that no later read can miss it. A sloppy write is
 * in w stores, hints included.
 *
 * Where a gateway coordinates a single write, the row is the gateway's own. Where nodes coordinate, and of a batch, whose parts end
 * one after the other, it is some row of those that there were meanwhile.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key, NodeId, PartitionId } from '../../protocol/ids.js'
import { readQuorumOf, writeQuorumOf } from '../../protocol/ring/quorum.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { isJoint, newOwnersOf, type PartitionTable, type Row } from '../../protocol/ring/table.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { DvvSet, Sibling } from '../../protocol/versions/dvv.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'
import { describeVersion, Holdings, type Version, versionOf } from './holdings.js'
import { RowHistory } from './row-history.js'

/** Of each key what a store must have some of: the same value written again by another call has a dot of its own. */
type Versions = ReadonlyMap<Key, readonly Version[]>

export class Quorums extends Checker {
  readonly name = 'quorums'
  readonly rule = 'Quorums: w owners hold what was acknowledged; enough hold what was read'
  readonly #holdings = new Holdings()
  readonly #rows = new RowHistory()
  /** key, text → what a store must have that has it: its stamp (the lowest, where the same was written again), or one of its dots. */
  readonly #versions = new Map<string, readonly Version[]>()
  /** Records, and key and stamp of siblings, of which that is known. */
  readonly #seen = new WeakSet<VersionRecord>()
  readonly #learnt = new Set<string>()
  readonly #decoder = new TextDecoder()
  #world: SimWorld | undefined

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onPersisted(table: PartitionTable): void {
    this.#rows.onPersisted(table)
  }

  onOpened(node: NodeId, { storeId }: { readonly storeId: string }): void {
    this.#holdings.onOpened(node, storeId, this.#world?.nowMs ?? 0)
  }

  onAccepted(node: NodeId, write: StoreWrite): void {
    this.#holdings.onAccepted(node, write)
    write.records.forEach((record, place) => {
      if (record.kind === 'siblings') this.#learnDots(write.keys[place] as Key, record.set)
    })
  }

  onSend({ message }: Mail): void {
    if (message.type === 'replica/write') this.#learnAll(message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests) if (request.kind === 'put') this.#learnAll(request.keys, request.records)
  }

  onCall(call: Call): void {
    if (this.#world !== undefined) this.#rows.onCall(call, this.#world)
  }

  onVanished(call: Call): void {
    this.#rows.onGone(call)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    const world = this.#world
    if (world === undefined) return
    if (outcome.type === 'written') {
      for (const [partition, versions] of this.#groupsOf(call, world))
        this.#checkWrite(call, partition, versions, world)
    } else if (outcome.type === 'value' && outcome.record !== undefined) {
      this.#checkRead(call, call.keys[0] ?? '', versionOf(outcome.record), world)
    }
    this.#rows.onGone(call)
  }

  /** What was written, by partition. Deletes have no text to be known by. */
  #groupsOf(call: Call, { options }: SimWorld): ReadonlyMap<PartitionId, Versions> {
    const groups = new Map<PartitionId, Map<Key, readonly Version[]>>()
    call.keys.forEach((key, place) => {
      const versions = this.#versions.get(`${key} ${call.texts[place]}`)
      if (versions === undefined) return
      const partition = partitionOf(key, options.config.partitions)
      groups.set(partition, (groups.get(partition) ?? new Map<Key, readonly Version[]>()).set(key, versions))
    })
    return groups
  }

  #checkWrite(call: Call, partition: PartitionId, versions: Versions, world: SimWorld): void {
    const keys = [...versions.keys()].join(' ')
    const { config } = world.options
    const neededOf = (places: readonly unknown[]): number => call.quorum || writeQuorumOf(config, places.length)
    const rows = this.#rowsOf(call, partition, world)
    if (rows.length === 0 && (!call.sloppy || call.quorum === 0)) return
    if (call.sloppy) {
      const holders = [...world.nodes.keys()].filter((node) => this.#holds(node, versions, true))
      const needed = call.quorum || Math.min(...rows.map(({ owners }) => neededOf(owners)))
      if (holders.length < needed)
        this.broken(`a sloppy write of ${keys} with w=${needed} was acknowledged, ${named(holders)}`)
      return
    }
    const holdersOf = (places: readonly (NodeId | null)[]): NodeId[] =>
      places.filter((owner): owner is NodeId => owner !== null && this.#holds(owner, versions))
    const areEnough = (places: readonly (NodeId | null)[]): boolean => holdersOf(places).length >= neededOf(places)
    const isEnough = (row: Row): boolean => areEnough(row.owners) && (!isJoint(row) || areEnough(newOwnersOf(row)))
    if (rows.some(isEnough)) return
    const told = rows.map((row) => {
      const joint = isJoint(row)
        ? `, of the new ones ${named(holdersOf(newOwnersOf(row)))} (w=${neededOf(newOwnersOf(row))})`
        : ''
      return `under row ${row.epoch} ${named(holdersOf(row.owners))} (w=${neededOf(row.owners)})${joint}`
    })
    this.broken(`a write of ${keys} was acknowledged, ${told.join('; ')}`)
  }

  #checkRead(call: Call, key: Key, version: Version, world: SimWorld): void {
    const { config } = world.options
    if (call.sloppy) return
    const rows = this.#rowsOf(call, partitionOf(key, config.partitions), world)
    const holdersOf = ({ owners }: Row): NodeId[] =>
      owners.filter((owner): owner is NodeId => owner !== null && this.#holds(owner, new Map([[key, [version]]])))
    const isEnough = (row: Row): boolean => {
      const places = row.owners.length
      const r = readQuorumOf(config, places)
      const asked = call.quorum || r
      return asked < r || holdersOf(row).length >= Math.max(writeQuorumOf(config, places), places - asked + 1)
    }
    if (rows.length === 0 || rows.some(isEnough)) return
    const told = rows.map((row) => `under row ${row.epoch} ${named(holdersOf(row))}`).join('; ')
    this.broken(`a read of ${key} with r=${call.quorum} showed ${describeVersion(version)}, ${told}`)
  }

  #rowsOf(call: Call, partition: PartitionId, world: SimWorld): readonly Row[] {
    const { coordination, conflict } = world.options.config
    const rows = this.#rows.rowsOf(call, partition)
    if (coordination === 'server' || conflict === 'siblings' || call.keys.length > 1) return rows
    const own = world.gateways.get(call.gateway)?.core.table.rows[partition]
    return own === undefined ? [] : [own]
  }

  #holds(node: NodeId, versions: Versions, mayBeHint = false): boolean {
    const nowMs = this.#world?.nowMs ?? 0
    const isHeld = (key: Key, version: Version): boolean =>
      this.#holdings.holds(node, key, version, nowMs) || (mayBeHint && this.#holdings.holdsHint(node, key, version))
    return [...versions].every(([key, some]) => some.some((version) => isHeld(key, version)))
  }

  #learnAll(keys: readonly Key[], records: readonly VersionRecord[]): void {
    records.forEach((record, place) => {
      if (record.kind !== 'lww' || record.value === null || this.#seen.has(record)) return
      this.#seen.add(record)
      const name = `${keys[place]} ${this.#decoder.decode(record.value)}`
      const [known] = this.#versions.get(name) ?? []
      if (typeof known !== 'string' || record.stamp < known) this.#versions.set(name, [record.stamp])
    })
  }

  #learnDots(key: Key, set: DvvSet): void {
    for (const { actor, counter, siblings } of set)
      for (let place = 0; place < siblings.length; place++) {
        const { stamp, value } = siblings[place] as Sibling
        const name = `${key} ${stamp}`
        if (value === null || this.#learnt.has(name)) continue
        this.#learnt.add(name)
        const text = `${key} ${this.#decoder.decode(value)}`
        this.#versions.set(text, [...(this.#versions.get(text) ?? []), new Map([[actor, counter - place]])])
      }
  }
}

function named(nodes: readonly NodeId[]): string {
  return nodes.length === 0 ? 'no store has it' : `only ${nodes.join(' ')} hold it`
}
