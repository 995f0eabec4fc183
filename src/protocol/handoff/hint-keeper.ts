/**
 * Hints that this node keeps for owners that missed writes, and their handoff when the owners are back.
 *
 * A hint names its partition: if the owner it was meant for owns the partition no more, the current owners get it. A hint
 * that was acknowledged to its coordinator is dropped only once every owner it concerns has accepted it; at the bound in
 * bytes new ones are refused. Handoff is throttled: one batch at a time for each target.
 *
 * A hint whose coordinator vanished is an orphan: nobody sees to the other owners any more, and it may be all that there is
 * of its write. It concerns every owner, not only the one that it was kept for.
 *
 * Called by `DynamoNode`. Durable: everything kept here is in the store as well (`StoreWrite.hintsKept`).
 */

import type { Address, Key, NodeId, PartitionId } from '../ids.js'
import { type HintStore, type HintStored, type PeerStatus, REPLY, type ReplyStatus } from '../messages.js'
import { type PartitionTable, rowOf, writeTargetsOf } from '../ring/table.js'
import type { Hint, StoreWrite, WriteKept } from '../store-contract.js'
import { mergeRecords, type VersionRecord } from '../versions/record.js'

/** Hints in one handoff batch. */
const HANDOFF_BATCH = 100
/** Pause after a handoff that failed. */
const HANDOFF_RETRY_MS = 250

export type HintOutput =
  | { readonly type: 'write'; readonly token: number; readonly write: StoreWrite }
  | { readonly type: 'reply'; readonly to: Address; readonly message: HintStored }
  /** Hand this over to a node; answered by `onHandedOver` with the same number. */
  | { readonly type: 'handoff'; readonly handoff: number; readonly node: NodeId; readonly hint: Hint }
  | { readonly type: 'progress'; readonly target: NodeId; readonly hints: number; readonly remaining: number }

/** What is known of the owners. */
export interface Owners {
  peer(node: NodeId): { readonly healthy: boolean; readonly status: PeerStatus } | undefined
}

/** A batch on its way to its target. */
interface Batch {
  readonly target: NodeId
  /** Handoff number → hint, and to whom. */
  readonly handoffs: Map<number, { readonly hint: Hint; readonly node: NodeId; failed: boolean }>
  /** Hints that are kept whatever is answered: owners that could not be asked now lack them. */
  readonly unfinished: Set<number>
  /** Hints that were orphans when they were handed over. */
  readonly orphans: Set<number>
  /** Orphans that everybody who is awaited has. */
  readonly finished: Hint[]
  waiting: number
}

/** Coordinators that are remembered to be gone: what they had sent may come after the news. */
const GONE_MAX = 64

export class HintKeeper {
  readonly #bytesMax: number
  readonly #takeToken: () => number
  readonly #hints = new Map<number, Hint>()
  readonly #byTarget = new Map<NodeId, Set<number>>()
  readonly #byKey = new Map<Key, number[]>()
  /** Orphans, and the owners that have accepted them. */
  readonly #orphans = new Map<number, Set<NodeId>>()
  /** Who asked for a hint; unknown of those of an earlier life. */
  readonly #keptFor = new Map<number, Address>()
  readonly #gone = new Set<Address>()
  #isRetiring = false
  /** Of all that the store holds or may hold: on its way into it, and not yet dropped from it, included. */
  #bytes = 0
  readonly #bytesLoaded: number
  #nextId: number
  readonly #storing = new Map<
    number,
    { readonly to: Address; readonly message: HintStore; readonly kept: readonly Hint[]; isOrphaned: boolean }
  >()
  /** Drops on their way into the store: token → bytes. */
  readonly #dropping = new Map<number, number>()
  readonly #batches = new Map<NodeId, Batch>()
  readonly #batchOf = new Map<number, Batch>()
  readonly #pausedUntilMs = new Map<NodeId, number>()
  /** Targets none of whose hints could be handed over, and as of which change of peers or table. */
  readonly #blockedAt = new Map<NodeId, number>()
  #nextHandoff = 1
  #output: HintOutput[] = []

  constructor(options: { hints: readonly Hint[]; bytesMax: number; takeToken: () => number }) {
    this.#bytesMax = options.bytesMax
    this.#takeToken = options.takeToken
    // Whoever asked for them may be gone since.
    for (const hint of options.hints) {
      this.#keep(hint)
      this.#orphans.set(hint.id, new Set())
      this.#bytes += hintBytes(hint)
    }
    this.#bytesLoaded = this.#bytes
    this.#nextId = options.hints.reduce((highest, hint) => Math.max(highest, hint.id), 0) + 1
  }

  get count(): number {
    return this.#hints.size
  }

  /** Hints for some of the targets. */
  countFor(isMeant: (target: NodeId) => boolean): number {
    let count = 0
    for (const [target, ids] of this.#byTarget) if (isMeant(target)) count += ids.size
    return count
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `bytes` is never above this. What an earlier life acknowledged is kept, even if the bound is lower now. */
  get bytesBound(): number {
    return Math.max(this.#bytesMax, this.#bytesLoaded)
  }

  takeOutput(): readonly HintOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  /** A coordinator asks to keep hints. Acknowledged when the store has them. `isTooOld`: of a write that nobody waits for any more. */
  onStore(from: Address, message: HintStore, isTooOld: (record: VersionRecord) => boolean = () => false): void {
    const kept: Hint[] = []
    let bytes = this.#bytes
    for (let index = 0; index < message.keys.length; index++) {
      const hint: Hint = {
        id: this.#nextId++,
        target: message.targets[index] as NodeId,
        partition: message.partitions[index] as PartitionId,
        key: message.keys[index] as Key,
        record: message.records[index] as VersionRecord,
      }
      bytes += hintBytes(hint)
      if (bytes > this.#bytesMax || this.#isRetiring || isTooOld(hint.record)) break
      kept.push(hint)
    }
    const token = this.#takeToken()
    this.#storing.set(token, { to: from, message, kept, isOrphaned: this.#gone.has(from) })
    this.#bytes += bytesOf(kept)
    if (kept.length === 0) this.#reply(token, 0)
    else
      this.#output.push({ type: 'write', token, write: { keys: [], records: [], liveKeysDelta: 0, hintsKept: kept } })
  }

  /** Partitions that it keeps hints for, or may keep soon. */
  partitions(): ReadonlySet<PartitionId> {
    const partitions = new Set<PartitionId>()
    for (const { partition } of this.#hints.values()) partitions.add(partition)
    for (const { kept } of this.#storing.values()) for (const { partition } of kept) partitions.add(partition)
    return partitions
  }

  /** It keeps none, and none is on its way into the store. */
  get isEmpty(): boolean {
    return this.#hints.size + this.#storing.size + this.#dropping.size === 0
  }

  /**
   * This node leaves: it keeps no new ones. What it keeps for an owner that is down for good and has no successor (where everybody is
   * a full copy) goes to all others: should the owner come back, it compares itself with them.
   */
  retire(): void {
    this.#isRetiring = true
    this.#blockedAt.clear()
  }

  /** True if the store write was one of ours. */
  onWritten(token: number): boolean {
    const dropped = this.#dropping.get(token)
    if (dropped !== undefined) {
      this.#bytes -= dropped
      return this.#dropping.delete(token)
    }
    const storing = this.#storing.get(token)
    if (storing === undefined) return false
    for (const hint of storing.kept) {
      this.#keep(hint)
      if (storing.isOrphaned) this.#orphans.set(hint.id, new Set())
      else this.#keptFor.set(hint.id, storing.to)
    }
    this.#reply(token, storing.kept.length)
    return true
  }

  /** What may still lie in the store goes on to count, until it is opened anew. */
  onFailed(token: number, kept: WriteKept): boolean {
    if (this.#dropping.delete(token)) return true
    const storing = this.#storing.get(token)
    if (storing === undefined) return false
    if (kept === 'nothing') this.#bytes -= bytesOf(storing.kept)
    this.#reply(token, 0, kept === 'nothing' ? REPLY.refused : REPLY.failed)
    return true
  }

  /** A gateway's thread or a node's has ended: what it had asked to keep concerns every owner now. */
  onCoordinatorLost(coordinator: Address): void {
    this.#gone.add(coordinator)
    for (const oldest of this.#gone) if (this.#gone.size > GONE_MAX) this.#gone.delete(oldest)
    for (const storing of this.#storing.values()) storing.isOrphaned ||= storing.to === coordinator
    // A node may have lost its store with its life.
    for (const accepted of this.#orphans.values()) accepted.delete(coordinator)
    for (const [id, asked] of this.#keptFor) {
      if (asked !== coordinator) continue
      this.#keptFor.delete(id)
      this.#orphans.set(id, new Set())
    }
    this.#blockedAt.clear()
  }

  /** A node's next life: what that asks for has a coordinator again. */
  onCoordinatorBack(coordinator: Address): void {
    this.#gone.delete(coordinator)
  }

  /** What a fallback knows of a key: the newest hint (sloppy reads). */
  read(key: Key): VersionRecord | undefined {
    let newest: VersionRecord | undefined
    for (const id of this.#byKey.get(key) ?? []) {
      const record = this.#hints.get(id)?.record
      if (record !== undefined) newest = newest === undefined ? record : mergeRecords(newest, record)
    }
    return newest
  }

  /**
   * Starts a batch for every target that can take one. `changes` counts what `owners` and the table hang on: while it stands
   * still, the hints of a target that could take none are not looked through again.
   */
  replay(table: PartitionTable, owners: Owners, changes: number, nowMs: number): void {
    if (this.#hints.size === 0) return
    for (const target of [...this.#byTarget.keys()].sort()) {
      if (this.#batches.has(target) || (this.#pausedUntilMs.get(target) ?? 0) > nowMs) continue
      if (this.#blockedAt.get(target) === changes) continue
      // Its pause is over: from here on it waits for its node, not for a time.
      this.#pausedUntilMs.delete(target)
      const batch = newBatch(target)
      for (const id of this.#byTarget.get(target) ?? []) {
        if (batch.handoffs.size + batch.finished.length >= HANDOFF_BATCH) break
        const hint = this.#hints.get(id)
        if (hint !== undefined) this.#handOver(batch, hint, writeTargetsOf(rowOf(table, hint.partition)), owners)
      }
      if (batch.waiting > 0) this.#batches.set(target, batch)
      else if (batch.finished.length > 0) this.#endBatch(batch, nowMs)
      else this.#blockedAt.set(target, changes)
    }
  }

  /** When `replay` should be tried again although nothing happened; Infinity: not. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const [target, untilMs] of this.#pausedUntilMs) if (this.#byTarget.has(target)) next = Math.min(next, untilMs)
    return next
  }

  /** A node has accepted (or not) what was handed over. */
  onHandedOver(handoff: number, accepted: boolean, nowMs: number): void {
    const batch = this.#batchOf.get(handoff)
    const entry = batch?.handoffs.get(handoff)
    if (batch === undefined || entry === undefined) return
    this.#batchOf.delete(handoff)
    entry.failed ||= !accepted
    if (accepted) this.#orphans.get(entry.hint.id)?.add(entry.node)
    batch.waiting -= 1
    if (batch.waiting === 0) this.#endBatch(batch, nowMs)
  }

  #handOver(batch: Batch, hint: Hint, targets: readonly NodeId[], owners: Owners): void {
    const isInVain = this.#isRetiring && owners.peer(hint.target)?.status === 'down'
    if (isInVain && !this.#orphans.has(hint.id)) this.#orphans.set(hint.id, new Set())
    const accepted = this.#orphans.get(hint.id)
    let lacking: readonly NodeId[] = [hint.target]
    if (accepted !== undefined || !targets.includes(hint.target)) {
      // Nobody waits for who is down for good, but the owner that it was kept for.
      const isAwaited = (node: NodeId) => (node === hint.target && !isInVain) || owners.peer(node)?.status !== 'down'
      const awaited = targets.filter(isAwaited)
      lacking = awaited.filter((node) => accepted?.has(node) !== true)
      if (lacking.length === 0 && awaited.length > 0) {
        batch.finished.push(hint)
        return
      }
    }
    const nodes = lacking.filter((node) => owners.peer(node)?.healthy === true)
    // An orphan goes to each as it comes. Others all or none now: a hint is dropped when everybody it concerns has it.
    if (nodes.length === 0 || (accepted === undefined && nodes.length < lacking.length)) return
    if (nodes.length < lacking.length) batch.unfinished.add(hint.id)
    if (accepted !== undefined) batch.orphans.add(hint.id)
    for (const node of nodes) {
      const handoff = this.#nextHandoff++
      batch.handoffs.set(handoff, { hint, node, failed: false })
      batch.waiting += 1
      this.#batchOf.set(handoff, batch)
      this.#output.push({ type: 'handoff', handoff, node, hint })
    }
  }

  #endBatch(batch: Batch, nowMs: number): void {
    this.#batches.delete(batch.target)
    const entries = [...batch.handoffs.values()]
    const failed = new Set(entries.filter((entry) => entry.failed).map((entry) => entry.hint.id))
    const done = new Map(batch.finished.map((hint) => [hint.id, hint]))
    const kept = new Set<number>()
    for (const { hint, node } of entries) {
      const { id } = hint
      const accepted = this.#orphans.get(id)
      // It has become an orphan meanwhile, or who accepted it has died since, and may have lost its store.
      const isLacking = accepted !== undefined && (!batch.orphans.has(id) || !accepted.has(node))
      if (failed.has(id) || batch.unfinished.has(id) || isLacking) kept.add(id)
      else done.set(id, hint)
    }
    for (const id of kept) done.delete(id)
    // Behind all others: one owner that takes nothing must not keep the hints of another from leaving.
    const ids = this.#byTarget.get(batch.target)
    for (const id of kept) if (ids?.delete(id)) ids.add(id)
    if (failed.size > 0) this.#pausedUntilMs.set(batch.target, nowMs + HANDOFF_RETRY_MS)
    else this.#pausedUntilMs.delete(batch.target)
    if (done.size === 0) return
    const hintsDropped = [...done.values()]
    for (const hint of hintsDropped) this.#drop(hint)
    const write: StoreWrite = { keys: [], records: [], liveKeysDelta: 0, hintsDropped }
    const token = this.#takeToken()
    this.#dropping.set(token, bytesOf(hintsDropped))
    this.#output.push({ type: 'write', token, write })
    const remaining = this.#byTarget.get(batch.target)?.size ?? 0
    this.#output.push({ type: 'progress', target: batch.target, hints: done.size, remaining })
  }

  #keep(hint: Hint): void {
    this.#hints.set(hint.id, hint)
    const ids = this.#byTarget.get(hint.target) ?? new Set()
    this.#byTarget.set(hint.target, ids.add(hint.id))
    this.#blockedAt.delete(hint.target)
    const sameKey = this.#byKey.get(hint.key) ?? []
    sameKey.push(hint.id)
    this.#byKey.set(hint.key, sameKey)
  }

  #drop(hint: Hint): void {
    if (!this.#hints.delete(hint.id)) return
    this.#orphans.delete(hint.id)
    this.#keptFor.delete(hint.id)
    const ids = this.#byTarget.get(hint.target)
    ids?.delete(hint.id)
    if (ids?.size === 0) {
      this.#byTarget.delete(hint.target)
      this.#blockedAt.delete(hint.target)
    }
    const sameKey = (this.#byKey.get(hint.key) ?? []).filter((id) => id !== hint.id)
    if (sameKey.length === 0) this.#byKey.delete(hint.key)
    else this.#byKey.set(hint.key, sameKey)
  }

  #reply(token: number, kept: number, otherwise: ReplyStatus = REPLY.full): void {
    const storing = this.#storing.get(token)
    this.#storing.delete(token)
    if (storing === undefined) return
    const { to, message } = storing
    const statuses = message.keys.map((_, index) => (index < kept ? REPLY.ok : otherwise))
    const { id: replyTo, epoch } = message
    this.#output.push({ type: 'reply', to, message: { type: 'hint/stored', replyTo, epoch, statuses } })
  }
}

function newBatch(target: NodeId): Batch {
  return { target, handoffs: new Map(), unfinished: new Set(), orphans: new Set(), finished: [], waiting: 0 }
}

function bytesOf(hints: readonly Hint[]): number {
  return hints.reduce((bytes, hint) => bytes + hintBytes(hint), 0)
}

function hintBytes(hint: Hint): number {
  if (hint.record.kind === 'lww') return 160 + hint.key.length + (hint.record.value?.byteLength ?? 0)
  let bytes = 160 + hint.key.length
  for (const entry of hint.record.set)
    for (const sibling of entry.siblings) bytes += 64 + (sibling.value?.byteLength ?? 0)
  return bytes
}
