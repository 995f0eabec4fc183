/**
 * What a strict answer stands on: an acknowledged write is in the stores of w full owners (and of w new ones while owners
 * change); what a strict read shows is in the stores of so many that no later read can miss it. A sloppy write is in w stores,
 * hints included. Of `lww` only.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key, NodeId } from '../../protocol/ids.js'
import { readQuorumOf, writeQuorumOf } from '../../protocol/ring/quorum.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { isJoint, newOwnersOf, type Row, rowOf } from '../../protocol/ring/table.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** No request of a run has a longer deadline. */
const LOST_MS = 2_000

export class Quorums extends Checker {
  readonly name = 'quorums'
  readonly rule = 'Quorums: w owners hold what was acknowledged; enough hold what was read'
  /** node → key → the newest stamp that its store has accepted, as data, or as a hint. */
  readonly #data = new Map<NodeId, Map<Key, Stamp>>()
  readonly #hints = new Map<NodeId, Map<Key, Stamp>>()
  /** What a store had that was lost: its answers were true when they were given, and a request may stand on them for a while. */
  readonly #lost = new Map<NodeId, { readonly data: ReadonlyMap<Key, Stamp>; readonly atMs: number }>()
  readonly #storeIds = new Map<NodeId, string>()
  /** key, text → its stamp; the lowest, where the same was written again. */
  readonly #stamps = new Map<string, Stamp>()
  readonly #decoder = new TextDecoder()
  #world: SimWorld | undefined

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onOpened(node: NodeId, { storeId }: { readonly storeId: string }): void {
    if (this.#storeIds.get(node) !== storeId) {
      const data = this.#data.get(node)
      if (data !== undefined) this.#lost.set(node, { data, atMs: this.#world?.nowMs ?? 0 })
      this.#data.delete(node)
      this.#hints.delete(node)
    }
    this.#storeIds.set(node, storeId)
  }

  onAccepted(node: NodeId, write: StoreWrite): void {
    write.keys.forEach((key, place) => {
      this.#accept(this.#data, node, key, write.records[place])
    })
    for (const { key, record } of write.hintsKept ?? []) this.#accept(this.#hints, node, key, record)
  }

  onSend({ message }: Mail): void {
    if (message.type === 'replica/write') this.#learn(message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests) if (request.kind === 'put') this.#learn(request.keys, request.records)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    const world = this.#world
    if (world === undefined) return
    if (outcome.type === 'written') {
      call.keys.forEach((key, place) => {
        const stamp = this.#stamps.get(`${key} ${call.texts[place]}`)
        if (stamp !== undefined) this.#checkWrite(call, key, stamp, world)
      })
    } else if (outcome.type === 'value' && outcome.record?.kind === 'lww') {
      this.#checkRead(call, call.keys[0] ?? '', outcome.record.stamp, world)
    }
  }

  #checkWrite(call: Call, key: Key, stamp: Stamp, world: SimWorld): void {
    if (call.sloppy) {
      const holders = [...world.nodes.keys()].filter(
        (node) => this.#holds(node, key, stamp) || this.#holdsHint(node, key, stamp),
      )
      const places = this.#rowOf(call, key, world)?.owners.length ?? 1
      const needed = call.quorum || writeQuorumOf(world.options.config, places)
      if (holders.length < needed)
        this.broken(`a sloppy write of ${key} with w=${needed} was acknowledged, ${named(holders)}`)
      return
    }
    // A batch ends with its last partition: the rows of the others may have changed since theirs ended.
    if (call.keys.length > 1) return
    // The coordinator's table is the gateway's own; where nodes coordinate, theirs may be older or newer.
    const row = this.#rowOf(call, key, world)
    if (row === undefined) return
    const owners = row.owners.filter((owner) => owner !== null && this.#holds(owner, key, stamp))
    const { config } = world.options
    const needed = call.quorum || writeQuorumOf(config, row.owners.length)
    if (owners.length < needed) this.broken(`a write of ${key} with w=${needed} was acknowledged, ${named(owners)}`)
    if (!isJoint(row)) return
    const newOwners = newOwnersOf(row).filter((owner) => owner !== null && this.#holds(owner, key, stamp))
    const neededNew = call.quorum || writeQuorumOf(config, newOwnersOf(row).length)
    if (newOwners.length < neededNew)
      this.broken(
        `a write of ${key} with w=${neededNew} was acknowledged while owners change, of the new ones ${named(newOwners)}`,
      )
  }

  #checkRead(call: Call, key: Key, stamp: Stamp, world: SimWorld): void {
    const { config } = world.options
    const row = this.#rowOf(call, key, world)
    if (call.sloppy || row === undefined) return
    const places = row.owners.length
    const r = readQuorumOf(config, places)
    const asked = call.quorum || r
    if (asked < r) return
    const needed = Math.max(writeQuorumOf(config, places), places - asked + 1)
    const owners = row.owners.filter((owner) => owner !== null && this.#holds(owner, key, stamp))
    if (owners.length < needed)
      this.broken(`a read of ${key} with r=${call.quorum} showed ${stamp}, ${needed} are needed, ${named(owners)}`)
  }

  #rowOf(call: Call, key: Key, world: SimWorld): Row | undefined {
    const { partitions, coordination } = world.options.config
    const gateway = world.gateways.get(call.gateway)
    return coordination === 'server' || gateway === undefined
      ? undefined
      : rowOf(gateway.core.table, partitionOf(key, partitions))
  }

  #holds(node: NodeId, key: Key, stamp: Stamp): boolean {
    if ((this.#data.get(node)?.get(key) ?? '') >= stamp) return true
    const lost = this.#lost.get(node)
    return lost !== undefined && (this.#world?.nowMs ?? 0) - lost.atMs < LOST_MS && (lost.data.get(key) ?? '') >= stamp
  }

  #holdsHint(node: NodeId, key: Key, stamp: Stamp): boolean {
    return (this.#hints.get(node)?.get(key) ?? '') >= stamp
  }

  #accept(map: Map<NodeId, Map<Key, Stamp>>, node: NodeId, key: Key, record: VersionRecord | undefined): void {
    if (record?.kind !== 'lww') return
    const ofNode = map.get(node) ?? new Map<Key, Stamp>()
    map.set(node, ofNode)
    if (record.stamp > (ofNode.get(key) ?? '')) ofNode.set(key, record.stamp)
  }

  #learn(keys: readonly Key[], records: readonly VersionRecord[]): void {
    records.forEach((record, place) => {
      if (record.kind !== 'lww' || record.value === null) return
      const name = `${keys[place]} ${this.#decoder.decode(record.value)}`
      if (record.stamp < (this.#stamps.get(name) ?? '~')) this.#stamps.set(name, record.stamp)
    })
  }
}

function named(nodes: readonly (NodeId | null)[]): string {
  return nodes.length === 0 ? 'no store has it' : `only ${nodes.join(' ')} hold it`
}
