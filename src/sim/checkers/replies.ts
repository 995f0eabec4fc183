/**
 * What replicas say: only what their store has accepted, only as the owners they are, only under the row they were asked
 * about, and nothing after the deadline. Watches the wire and the disks.
 */

import type { Address, Key, NodeId, PartitionId } from '../../protocol/ids.js'
import { type Message, REPLY, type ReplicaRead, type ReplicaWrite } from '../../protocol/messages.js'
import { readQuorumOf } from '../../protocol/ring/quorum.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { isFullOwner, type PartitionTable, type Row } from '../../protocol/ring/table.js'
import { recordCovers, sameVersion, type VersionRecord } from '../../protocol/versions/record.js'
import type { Mail, Observer } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker, describe, stored } from './checker.js'

/** A request that has been delivered, and when. */
interface Asked<Request> {
  readonly request: Request
  readonly deliveredAtMs: number
}

type ReadReply = Message & { readonly type: 'replica/read-reply' }
type WriteReply = Message & { readonly type: 'replica/write-reply' }

/** Watches the wire for all checkers of replies: finds the request that a reply answers, by receiver, sender and number. */
export class Replies implements Observer {
  readonly #reads = new Map<Address, Map<string, Asked<ReplicaRead>>>()
  readonly #writes = new Map<Address, Map<string, Asked<ReplicaWrite>>>()
  readonly #checkers: readonly ReplyChecker[]

  constructor(checkers: readonly ReplyChecker[]) {
    this.#checkers = checkers
  }

  onDelivered({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type === 'replica/read') addOnce(this.#reads, to, from, message, world.nowMs)
    if (message.type === 'replica/write') addOnce(this.#writes, to, from, message, world.nowMs)
  }

  /** What was asked of an earlier life is answered by nobody. */
  onSpawn(node: NodeId): void {
    this.#reads.delete(node)
    this.#writes.delete(node)
  }

  onSend({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type === 'replica/read-reply') {
      const asked = this.#reads.get(from)?.get(`${to} ${message.replyTo}`)
      if (asked === undefined || asked.request.fallback) return
      for (const checker of this.#checkers) checker.onReadReply?.(from, asked, message, world)
    } else if (message.type === 'replica/write-reply') {
      const asked = this.#writes.get(from)?.get(`${to} ${message.replyTo}`)
      if (asked === undefined) return
      for (const checker of this.#checkers) checker.onWriteReply?.(from, asked, message, world)
    }
  }
}

/** What comes again changes nothing. */
function addOnce<Request extends ReplicaRead | ReplicaWrite>(
  map: Map<Address, Map<string, Asked<Request>>>,
  to: Address,
  from: Address,
  request: Request,
  deliveredAtMs: number,
): void {
  const ofReceiver = map.get(to) ?? new Map<string, Asked<Request>>()
  map.set(to, ofReceiver)
  const name = `${from} ${request.id}`
  if (!ofReceiver.has(name)) ofReceiver.set(name, { request, deliveredAtMs })
}

abstract class ReplyChecker extends Checker {
  onReadReply?(node: NodeId, asked: Asked<ReplicaRead>, reply: ReadReply, world: SimWorld): void
  onWriteReply?(node: NodeId, asked: Asked<ReplicaWrite>, reply: WriteReply, world: SimWorld): void
}

/** Each entry of a write: its keys and records. */
function* entriesOf({
  counts,
  keys,
  records,
}: ReplicaWrite): Generator<{ readonly place: number; readonly entries: readonly (readonly [Key, VersionRecord])[] }> {
  let first = 0
  for (let place = 0; place < counts.length; place++) {
    const end = first + (counts[place] ?? 0)
    const entries = keys.slice(first, end).map((key, index) => [key, records[first + index] as VersionRecord] as const)
    yield { place, entries }
    first = end
  }
}

/** Acknowledged is what the store has accepted; shown is what the store has accepted. */
export class Acknowledgements extends ReplyChecker {
  readonly name = 'acknowledgements'
  readonly rule = 'Acknowledgement: a replica acknowledges, and shows, only what its store has accepted'

  override onReadReply(node: NodeId, { request }: Asked<ReplicaRead>, reply: ReadReply, world: SimWorld): void {
    request.keys.forEach((key, place) => {
      if (reply.statuses[place] !== REPLY.ok) return
      const there = stored(world, node, key)
      const said = reply.records[place]
      if (there === 'damaged') this.broken(`${node} says ${describe(said)} of ${key}, whose record is damaged`)
      else if (!sameVersion(there, said))
        this.broken(`${node} says ${describe(said)} of ${key}, its store has ${describe(there)}`)
    })
  }

  override onWriteReply(node: NodeId, { request }: Asked<ReplicaWrite>, reply: WriteReply, world: SimWorld): void {
    for (const { place, entries } of entriesOf(request)) {
      if (reply.statuses[place] !== REPLY.ok) continue
      for (const [key, record] of entries) {
        const there = stored(world, node, key)
        // Damaged after it was accepted: what it was cannot be seen any more.
        if (there !== 'damaged' && !recordCovers(there, record))
          this.broken(`${node} acknowledged ${describe(record)} of ${key}, its store has ${describe(there)}`)
      }
    }
  }
}

/** Who answers is an owner under the very row that it was asked about, and has not forgotten what it owned. */
export class Owners extends ReplyChecker {
  readonly name = 'owners'
  readonly rule =
    'Epochs and amnesia: a replica serves only its own rows, under the epoch it was asked under, and once it is full'
  /** Places whose store has forgotten, and the epoch in which that was: full again only by a later flip. */
  readonly #forgotten = new Map<NodeId, Map<PartitionId, number>>()
  #table: PartitionTable | undefined
  /** The row before the newest. */
  readonly #before = new Map<PartitionId, Row>()
  readonly #partitions: number

  constructor(report: ConstructorParameters<typeof Checker>[0], partitions: number) {
    super(report)
    this.#partitions = partitions
  }

  onPersisted(table: PartitionTable): void {
    table.rows.forEach((row, partition) => {
      const before = this.#table?.rows[partition]
      if (before !== undefined && before.epoch < row.epoch) this.#before.set(partition, before)
    })
    this.#table = table
  }

  onOpened(node: NodeId, { verdict }: { readonly verdict: string }): void {
    const table = this.#table
    if (verdict !== 'amnesiac' || table === undefined) return
    this.#forgotten.set(node, new Map(table.rows.map((_row, partition) => [partition, table.epoch])))
  }

  override onReadReply(node: NodeId, { request }: Asked<ReplicaRead>, reply: ReadReply, world: SimWorld): void {
    request.keys.forEach((key, place) => {
      if (reply.statuses[place] !== REPLY.ok) return
      this.#check(node, partitionOf(key, this.#partitions), request.rowEpochs[place] ?? 0, world)
    })
  }

  // Of reads only: a write may be acknowledged under a row that changed while the store worked, and pending owners take it.
  #check(node: NodeId, partition: PartitionId, asked: number, world: SimWorld): void {
    const row = world.nodes.get(node)?.core?.table.rows[partition]
    if (row === undefined) return
    if (row.epoch !== asked)
      this.broken(`${node} served partition ${partition} under row epoch ${asked}, its own is ${row.epoch}`)
    if (!isFullOwner(row, node)) this.broken(`${node} served partition ${partition}, which it does not own`)
    const since = this.#forgotten.get(node)?.get(partition)
    if (since !== undefined && row.epoch <= since)
      this.broken(
        `${node} served partition ${partition} under row epoch ${row.epoch}, though it forgot it at epoch ${since}`,
      )
    this.#checkFlip(node, partition, row, world)
  }

  /** Who has just become full (and everybody, where quorums got smaller) must not answer while so many of those before go by the older row that they make a quorum. */
  #checkFlip(node: NodeId, partition: PartitionId, row: Row, world: SimWorld): void {
    const before = this.#before.get(partition)
    const isNewest = this.#table?.rows[partition]?.epoch === row.epoch
    const isSmaller = before !== undefined && row.owners.length < before.owners.length
    if (before === undefined || !isNewest || (isFullOwner(before, node) && !isSmaller)) return
    const old = before.owners.filter(
      (owner): owner is NodeId =>
        owner !== null && (world.nodes.get(owner)?.core?.table.rows[partition]?.epoch ?? row.epoch) < row.epoch,
    )
    if (old.length >= readQuorumOf(world.options.config, before.owners.length))
      this.broken(
        `${node} served partition ${partition} under row epoch ${row.epoch}, while ${old.join(' and ')} still own it by an older one`,
      )
  }
}

/** What comes too late is answered as expired, and not done. */
export class Deadlines extends ReplyChecker {
  readonly name = 'deadlines'
  readonly rule = 'Requests: replicas drop what is expired'

  override onReadReply(node: NodeId, asked: Asked<ReplicaRead>, reply: ReadReply): void {
    this.#check(node, asked, reply.statuses)
  }

  override onWriteReply(node: NodeId, asked: Asked<ReplicaWrite>, reply: WriteReply): void {
    this.#check(node, asked, reply.statuses)
  }

  #check(
    node: NodeId,
    { request, deliveredAtMs }: Asked<ReplicaRead | ReplicaWrite>,
    statuses: readonly number[],
  ): void {
    request.deadlinesMs.forEach((deadlineMs, place) => {
      if (statuses[place] === REPLY.ok && deadlineMs < deliveredAtMs)
        this.broken(
          `${node} took what had come at ${deliveredAtMs.toFixed(3)}, its deadline was ${deadlineMs.toFixed(3)}`,
        )
    })
  }
}
