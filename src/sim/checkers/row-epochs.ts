/**
 * Writes and fills under another row than the receiver's own: an older one is answered as stale, a newer one waits until its
 * table is stored. (Reads: `Owners`.) A flip takes up nobody who has not been filled under that very row.
 */

import type { Address, NodeId, PartitionId } from '../../protocol/ids.js'
import { REPLY, type ReplicaWrite } from '../../protocol/messages.js'
import { isFullOwner, type PartitionTable, type Row } from '../../protocol/ring/table.js'
import type { TransferPull } from '../../protocol/transfer-messages.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** A write that came under a row that is not the receiver's: why entries must be refused, or must wait. */
interface AskedWrite {
  readonly message: ReplicaWrite
  /** Place of an entry → why. */
  readonly refusals: ReadonlyMap<number, string>
}

export class RowEpochs extends Checker {
  readonly name = 'row-epochs'
  readonly rule = 'Epochs: every write and every fill carries the epoch of its row, and a replica serves only its own'
  /** By sender, receiver and number: only what must not be done. */
  readonly #writes = new Map<string, AskedWrite>()
  readonly #pulls = new Map<string, string>()
  /** Receiver → sender → the highest numbers that have come. */
  readonly #seen = new Map<Address, Map<Address, { 'replica/write': number; 'transfer/pull': number }>>()
  /** Node, partition, row epoch: said to be filled. */
  readonly #filled = new Set<string>()
  #table: PartitionTable | undefined

  onDelivered({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'replica/write' && message.type !== 'transfer/pull') return
    const senders = this.#seen.get(to) ?? new Map()
    this.#seen.set(to, senders)
    const seen = senders.get(from) ?? { 'replica/write': 0, 'transfer/pull': 0 }
    senders.set(from, seen)
    const isAgain = message.id <= seen[message.type]
    if (!isAgain) seen[message.type] = message.id
    const name = `${from} ${to} ${message.id}`
    // Of two copies the later one may be done, where the row has come in between; the earlier one has been done already.
    if (message.type === 'transfer/pull') {
      const reason = refusalOfPull(to, message, world)
      if (reason === undefined) this.#pulls.delete(name)
      else if (!isAgain) this.#pulls.set(name, reason)
      return
    }
    const refusals = refusalsOf(to, message, world)
    if (refusals === undefined) this.#writes.delete(name)
    else if (!isAgain) this.#writes.set(name, { message, refusals })
  }

  onSend({ from, to, message }: Mail, world: SimWorld): void {
    switch (message.type) {
      case 'replica/write-reply': {
        if (this.#writes.size === 0) return
        const asked = this.#writes.get(`${to} ${from} ${message.replyTo}`)
        if (asked !== undefined) this.#checkReply(from, asked, message.statuses, world)
        return
      }
      case 'transfer/chunk': {
        const reason = this.#pulls.get(`${to} ${from} ${message.replyTo}`)
        if (reason !== undefined && message.status === REPLY.ok)
          this.broken(`${from} served a fill of ${to}: ${reason}`)
        return
      }
      case 'transfer/done':
        message.partitions.forEach((partition, place) => {
          this.#filled.add(`${from} ${partition} ${message.rowEpochs[place]}`)
        })
        return
      default:
    }
  }

  /** What was asked of an earlier life is answered by nobody. */
  onSpawn(node: NodeId): void {
    this.#seen.delete(node)
    for (const map of [this.#writes, this.#pulls])
      for (const name of map.keys()) if (name.split(' ')[1] === node) map.delete(name)
  }

  onPersisted(table: PartitionTable): void {
    table.rows.forEach((row, partition) => {
      const before = this.#table?.rows[partition]
      if (before === undefined || before.epoch === row.epoch) return
      for (const owner of row.owners)
        if (owner !== null && !isFullOwner(before, owner) && !this.#filled.has(`${owner} ${partition} ${before.epoch}`))
          this.broken(`${owner} is a full owner of partition ${partition}; it was not filled under row ${before.epoch}`)
    })
    this.#table = table
  }

  #checkReply(node: NodeId, { message, refusals }: AskedWrite, statuses: readonly number[], world: SimWorld): void {
    statuses.forEach((status, place) => {
      if (status !== REPLY.ok) return
      const partition = message.partitions[place] ?? 0
      const asked = message.rowEpochs[place] ?? 0
      const reason = refusals.get(place)
      if (reason !== undefined) this.broken(`${node} took a write of partition ${partition}: ${reason}`)
      const own = rowEpochOf(node, partition, world)
      if (own !== undefined && own < asked)
        this.broken(`${node} took a write of partition ${partition} under row ${asked}, its own is still ${own}`)
    })
  }
}

function rowEpochOf(node: Address, partition: PartitionId, world: SimWorld): number | undefined {
  return world.nodes.get(node)?.core?.table.rows[partition]?.epoch
}

/** Undefined: every entry is of the receiver's own rows. */
function refusalsOf(node: Address, message: ReplicaWrite, world: SimWorld): ReadonlyMap<number, string> | undefined {
  const table = world.nodes.get(node)?.core?.table
  let refusals: Map<number, string> | undefined
  for (let place = 0; place < message.partitions.length; place++) {
    const row = table?.rows[message.partitions[place] ?? 0]
    const asked = message.rowEpochs[place] ?? 0
    if (row === undefined || (asked === row.epoch && isTarget(row, node))) continue
    refusals ??= new Map()
    if (asked < row.epoch) refusals.set(place, `it came under row ${asked}, its own was ${row.epoch}`)
    else if (asked === row.epoch) refusals.set(place, 'it does not own it')
  }
  return refusals
}

function isTarget({ owners, pending, standbys }: Row, node: Address): boolean {
  return owners.includes(node) || pending.includes(node) || standbys.includes(node)
}

/** A salvaged store (which has no core of its own here) gives what it has. */
function refusalOfPull(node: Address, message: TransferPull, world: SimWorld): string | undefined {
  const table = world.nodes.get(node)?.core?.table
  if (table === undefined) return undefined
  for (const [place, partition] of message.partitions.entries()) {
    const row = table.rows[partition]
    const asked = message.rowEpochs[place] ?? 0
    if (row?.epoch !== asked)
      return `it asked for partition ${partition} under row ${asked}, the source had ${row?.epoch}`
    if (!isFullOwner(row, node)) return `the source is no full owner of partition ${partition}`
  }
  return undefined
}
