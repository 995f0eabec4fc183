/**
 * A pending owner fills its partitions: it pulls each, in key order, from one of the sources that its order names, merging what
 * it gets with the writes that arrive meanwhile, and then compares it with the others. One pass over a source serves all
 * partitions that come from it. Only when all sources of a partition have been read, or compared with, to the end is the
 * partition reported as filled.
 *
 * Who has a copy, its own or that of the first source, asks first whose Merkle trees are the same: where the roots were equal at one
 * moment, nothing was missing at that moment, and since the row names this node every write has come here. What differs,
 * because of writes under way most likely, is looked at again; then range by range.
 *
 * It must never report a partition that lacks something a source had. Called by `DynamoNode` of the pending owner.
 */

import { EXCHANGE_KEYS, TRANSFER_CHUNK_BYTES } from '../config.js'
import { type Epoch, type NodeId, type PartitionId, SUPERVISOR } from '../ids.js'
import { type Message, PURPOSE, REPLY, type ReplyStatus } from '../messages.js'
import { digestOf } from '../range-digest.js'
import type { StorePage } from '../store-contract.js'
import type { TransferBudget } from '../transfer-budget.js'
import type { FillOrder, TransferChunk, TransferPull } from '../transfer-messages.js'
import type { FillOutput } from './fill-output.js'
import { heldBack, type Pass, passesOf, type Wanted } from './fill-pass.js'
import { recordsOf, type Trees } from './transfer-source.js'

/** A chunk is a tenth of a second's worth, so that a slow transfer is slow and not in bursts; but never less than this. */
const CHUNK_BYTES_MIN = 4_096
/** Of a chunk while the node is called: merging it keeps requests waiting for a millisecond or so. */
const CHUNK_BYTES_CALLED = 16_384
/** Pause before a source that could not answer is asked again. */
const PULL_RETRY_MS = 20
/** Pause before a chunk that the own store did not take whole is asked for again: what is damaged is being healed. */
const STORE_RETRY_MS = 200
/** A source that does not answer a pull for so long is asked again. */
const PULL_TIMEOUT_MS = 2_000

/** Between two looks at the roots of trees. */
const LOOK_PAUSE_MS = 50

/** How often it is told how far the fill is. */
const PROGRESS_MS = 100

interface Filling {
  readonly rowEpoch: Epoch
  readonly sources: readonly NodeId[]
  /** Of the sources, those that have not been read to the end. */
  readonly missing: Set<NodeId>
}

export class Fill {
  readonly #budget: TransferBudget
  readonly #chunkBytes: number
  readonly #takeLocal: () => number
  readonly #takeMessageId: () => number
  readonly #trees: Trees
  readonly #filling = new Map<PartitionId, Filling>()
  #passes: Pass[] = []
  #epoch: Epoch = 0
  /** Since there was nothing to fill. */
  #sum = { partitionsDone: 0, records: 0, bytes: 0 }
  #toldAtMs = Number.NEGATIVE_INFINITY
  #output: FillOutput[] = []

  constructor(options: {
    budget: TransferBudget
    takeLocal: () => number
    takeMessageId: () => number
    trees: Trees
  }) {
    this.#budget = options.budget
    this.#trees = options.trees
    this.#chunkBytes = Math.min(TRANSFER_CHUNK_BYTES, Math.max(CHUNK_BYTES_MIN, options.budget.bytesPerSecond / 10))
    this.#takeLocal = options.takeLocal
    this.#takeMessageId = options.takeMessageId
  }

  /** Partitions that are not filled yet. */
  get remaining(): number {
    return this.#filling.size
  }

  takeOutput(): readonly FillOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  /**
   * Orders replace older ones of the same partition. One of the same row with other sources changes only these: what has
   * been read under this row stays read, because since then every write has come here as well.
   */
  onOrders(orders: readonly FillOrder[], epoch: Epoch, nowMs: number): void {
    this.#epoch = epoch
    const wanted: Wanted[] = []
    const nothingToRead: FillOrder[] = []
    for (const order of orders) {
      const { partition, rowEpoch, sources } = order
      const earlier = this.#filling.get(partition)
      const kept = earlier?.rowEpoch === rowEpoch ? earlier : undefined
      const missing = sources.filter((source) => !kept?.sources.includes(source) || kept.missing.has(source))
      if (missing.length === 0) {
        this.#filling.delete(partition)
        nothingToRead.push(order)
        continue
      }
      this.#filling.set(partition, { rowEpoch, sources, missing: new Set(missing) })
      const fresh = missing.filter((source) => kept?.missing.has(source) !== true)
      const isRead = kept?.sources.some((source) => !kept.missing.has(source)) === true
      const needsCopy = order.hasCopy !== true && !isRead && !this.#isBeingCopied(partition)
      // Each source gives copies of its share of the partitions.
      const first = needsCopy ? fresh[partition % fresh.length] : undefined
      for (const source of fresh) wanted.push({ order, source, hasCopy: source !== first })
    }
    if (nothingToRead.length > 0) this.#report(nothingToRead)
    this.#dropUnwanted()
    this.#passes.push(...passesOf(wanted, nowMs))
    this.#holdBack()
  }

  /** Pulls wherever that is possible now. `mayAsk`: its thread lives (or, of a salvaged store, may live). */
  advance(mayAsk: (node: NodeId) => boolean, nowMs: number): void {
    for (const pass of this.#passes) {
      if (pass.state !== 'asked' || nowMs - pass.notBeforeMs < PULL_TIMEOUT_MS) continue
      pass.state = 'idle'
      pass.notBeforeMs = nowMs
    }
    this.#pull(mayAsk, nowMs)
  }

  /** Rows that changed need no filling any more, or by another order. */
  onTable(isWanted: (partition: PartitionId, rowEpoch: Epoch) => boolean, epoch: Epoch): void {
    this.#epoch = epoch
    for (const [partition, filling] of [...this.#filling]) {
      if (!isWanted(partition, filling.rowEpoch)) this.#filling.delete(partition)
    }
    this.#dropUnwanted()
    this.#holdBack()
    this.#endIfDone()
  }

  /** True if the page was ours: what this node holds of the next range. */
  onScanned(token: number, page: StorePage, nowMs: number): boolean {
    const pass = this.#passes.find((candidate) => candidate.messageId === token && candidate.state === 'scanning')
    if (pass === undefined) return false
    const digest = digestOf(recordsOf(page))
    this.#ask(pass, nowMs, { digest, ...(page.next === undefined ? {} : { to: page.next }) })
    return true
  }

  onChunk(from: NodeId, chunk: TransferChunk, nowMs: number): void {
    const pass = this.#passes.find((candidate) => candidate.source === from && candidate.messageId === chunk.replyTo)
    if (pass === undefined || pass.state !== 'asked') return
    if (chunk.status !== REPLY.ok) {
      pass.state = 'idle'
      pass.notBeforeMs = nowMs + PULL_RETRY_MS
      return
    }
    if (chunk.isBlind === true) {
      pass.state = 'idle'
      pass.looksLeft = 0
      return
    }
    if (chunk.equal !== undefined) return this.#seal(pass, chunk.equal)
    if (chunk.same === true) {
      pass.state = 'idle'
      pass.notBeforeMs = nowMs
      pass.after = chunk.next
      if (chunk.next === undefined) this.#endPass(pass)
      return
    }
    this.#sum.bytes += this.#budget.charge(chunk.records, nowMs)
    this.#sum.records += chunk.records.length
    if (nowMs - this.#toldAtMs >= PROGRESS_MS) this.#tell(nowMs)
    pass.notBeforeMs = nowMs
    pass.records += chunk.records.length
    pass.isLast = chunk.next === undefined
    pass.next = chunk.next
    pass.local = this.#takeLocal()
    pass.state = 'storing'
    const { keys, records } = chunk
    this.#output.push({ type: 'store', local: pass.local, keys, records, purpose: PURPOSE.handoff })
  }

  /** True if the local write was one of ours. */
  onStored(local: number, status: ReplyStatus, nowMs: number): boolean {
    const pass = this.#passes.find((candidate) => candidate.local === local && candidate.state === 'storing')
    if (pass === undefined) return false
    pass.state = 'idle'
    // Since the chunk came.
    this.#budget.rest(pass.notBeforeMs, nowMs)
    if (status !== REPLY.ok) {
      // The chunk is asked for again: its records must not be missing.
      pass.notBeforeMs = nowMs + STORE_RETRY_MS
      return true
    }
    pass.after = pass.next
    if (pass.isLast) this.#endPass(pass)
    return true
  }

  /** Everything that was on its way has been stored, or (`isStored` false) may not have been. True if the seal was ours. */
  onSealed(token: number, isStored: boolean, nowMs: number): boolean {
    const pass = this.#passes.find((candidate) => candidate.messageId === token && candidate.state === 'sealing')
    if (pass === undefined) return false
    pass.state = 'idle'
    pass.notBeforeMs = nowMs + LOOK_PAUSE_MS
    const { equal } = pass
    pass.equal = undefined
    if (isStored && equal !== undefined && equal.lapses === this.#trees.lapses) this.#settle(pass, equal.partitions)
    if (this.#wantedOf(pass).length === 0) this.#endPass(pass)
    return true
  }

  /** A source died: what it was asked will not come; the pass goes on where it was when the source is back. */
  onPeerLost(node: NodeId, nowMs: number): void {
    for (const pass of this.#passes) {
      if (pass.source !== node || pass.state !== 'asked') continue
      pass.state = 'idle'
      pass.notBeforeMs = nowMs + PULL_RETRY_MS
    }
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(mayAsk: (node: NodeId) => boolean): number {
    let next = Number.POSITIVE_INFINITY
    const busy = this.#busySources()
    const { freeAtMs, transfersMax } = this.#budget
    for (const pass of this.#passes) {
      const isDue = pass.state === 'idle' && !pass.isHeld && !busy.has(pass.source) && busy.size < transfersMax
      if (isDue && mayAsk(pass.source)) next = Math.min(next, Math.max(pass.notBeforeMs, freeAtMs))
      if (pass.state === 'asked') next = Math.min(next, pass.notBeforeMs + PULL_TIMEOUT_MS)
    }
    return next
  }

  /** Some pass over a source brings the first copy. */
  #isBeingCopied(partition: PartitionId): boolean {
    return this.#passes.some(
      (pass) => !pass.hasCopy && pass.partitions.includes(partition) && this.#isWanted(pass, partition),
    )
  }

  /** Comparing waits for the copy. */
  #holdBack(): void {
    this.#passes = heldBack(this.#passes, (pass) => this.#wantedOf(pass))
  }

  #dropUnwanted(): void {
    this.#passes = this.#passes.filter((pass) => pass.partitions.some((partition) => this.#isWanted(pass, partition)))
  }

  #isWanted(pass: Pass, partition: PartitionId): boolean {
    const filling = this.#filling.get(partition)
    const rowEpoch = pass.rowEpochs[pass.partitions.indexOf(partition)]
    return filling !== undefined && filling.rowEpoch === rowEpoch && filling.missing.has(pass.source)
  }

  #busySources(): Set<NodeId> {
    return new Set(this.#passes.filter((pass) => pass.state !== 'idle').map((pass) => pass.source))
  }

  /** One pull outstanding for each source, of no more sources than the budget allows. */
  #pull(mayAsk: (node: NodeId) => boolean, nowMs: number): void {
    if (this.#passes.length === 0 || nowMs < this.#budget.freeAtMs) return
    const busy = this.#busySources()
    for (const pass of this.#passes) {
      if (busy.size >= this.#budget.transfersMax) return
      if (pass.isHeld || busy.has(pass.source) || pass.notBeforeMs > nowMs || !mayAsk(pass.source)) continue
      busy.add(pass.source)
      if (pass.looksLeft > 0 && this.#askForRoots(pass, nowMs)) continue
      if (pass.hasCopy) this.#look(pass, nowMs)
      else this.#ask(pass, nowMs)
    }
  }

  /** False: there is no tree to be trusted, and ranges are compared at once. */
  #askForRoots(pass: Pass, nowMs: number): boolean {
    const partitions = this.#wantedOf(pass).filter((partition) => this.#trees.isTrusted(partition))
    pass.looksLeft = partitions.length === 0 ? 0 : pass.looksLeft - 1
    if (partitions.length === 0) return false
    pass.equal = { partitions: [], lapses: this.#trees.lapses }
    const lows = partitions.map((partition) => this.#trees.low(partition, 0, 0))
    const highs = partitions.map((partition) => this.#trees.high(partition, 0, 0))
    this.#send(pass, partitions, { roots: { lows, highs } }, nowMs)
    return true
  }

  #chunkBytesAt(nowMs: number): number {
    return this.#budget.isCalled(nowMs) ? Math.min(CHUNK_BYTES_CALLED, this.#chunkBytes) : this.#chunkBytes
  }

  #seal(pass: Pass, partitions: readonly PartitionId[]): void {
    pass.state = 'sealing'
    pass.equal = { partitions, lapses: pass.equal?.lapses ?? -1 }
    pass.messageId = this.#takeMessageId()
    this.#output.push({ type: 'seal', token: pass.messageId })
  }

  /** At the next range of the copy that is here. */
  #look(pass: Pass, nowMs: number): void {
    pass.state = 'scanning'
    pass.messageId = this.#takeMessageId()
    const { after } = pass
    const range = { reverse: false, ...(after === undefined ? {} : { from: after, fromExclusive: true }) }
    const partitions = this.#wantedOf(pass)
    const scan = { range, limit: EXCHANGE_KEYS, bytesMax: this.#chunkBytesAt(nowMs), partitions }
    this.#output.push({ type: 'scan', token: pass.messageId, scan })
  }

  #ask(pass: Pass, nowMs: number, copy?: TransferPull['copy']): void {
    const { after, skipsDamaged } = pass
    const begin = after === undefined ? {} : { after }
    const how = { ...(copy === undefined ? {} : { copy }), ...(skipsDamaged ? { skipsDamaged } : {}) }
    this.#send(pass, this.#wantedOf(pass), { ...begin, ...how }, nowMs)
  }

  #send(
    pass: Pass,
    partitions: readonly PartitionId[],
    how: Pick<TransferPull, 'after' | 'copy' | 'skipsDamaged' | 'roots'>,
    nowMs: number,
  ): void {
    pass.state = 'asked'
    pass.messageId = this.#takeMessageId()
    pass.notBeforeMs = nowMs
    const rowEpochs = partitions.map((partition) => this.#filling.get(partition)?.rowEpoch ?? 0)
    const pull = { type: 'transfer/pull' as const, id: pass.messageId, epoch: this.#epoch, partitions, rowEpochs }
    const message: Message = { ...pull, bytesMax: this.#chunkBytesAt(nowMs), ...how }
    this.#output.push({ type: 'send', to: pass.source, message })
  }

  /**
   * Only what is still wanted: a source refuses a pull as a whole, so that one row that has changed since (another of its places
   * was filled, say) would have the others of its pass refused for ever.
   */
  #wantedOf(pass: Pass): readonly PartitionId[] {
    return pass.partitions.filter((partition) => this.#isWanted(pass, partition))
  }

  #endPass(pass: Pass): void {
    this.#passes = this.#passes.filter((candidate) => candidate !== pass)
    const { source, partitions, records } = pass
    this.#output.push({ type: 'progress', source, partitions, records, done: true })
    this.#settle(pass, partitions)
    this.#holdBack()
  }

  /** The source has nothing of these that is not here. */
  #settle(pass: Pass, partitions: readonly PartitionId[]): void {
    const filled: { partition: PartitionId; rowEpoch: Epoch }[] = []
    for (const partition of partitions) {
      const filling = this.#filling.get(partition)
      if (filling === undefined || !this.#isWanted(pass, partition)) continue
      filling.missing.delete(pass.source)
      if (filling.missing.size > 0) continue
      this.#filling.delete(partition)
      filled.push({ partition, rowEpoch: filling.rowEpoch })
    }
    if (filled.length > 0) this.#report(filled)
  }

  #tell(nowMs: number): void {
    this.#toldAtMs = nowMs
    const partitions = this.#sum.partitionsDone + this.#filling.size
    this.#output.push({ type: 'told', partitions, ...this.#sum })
  }

  /** The last word, if there was something to fill. */
  #endIfDone(): void {
    if (this.#filling.size > 0 || (this.#sum.partitionsDone === 0 && this.#sum.records === 0)) return
    this.#tell(Number.NEGATIVE_INFINITY)
    this.#sum = { partitionsDone: 0, records: 0, bytes: 0 }
  }

  #report(filled: readonly { readonly partition: PartitionId; readonly rowEpoch: Epoch }[]): void {
    const message: Message = {
      type: 'transfer/done',
      partitions: filled.map((entry) => entry.partition),
      rowEpochs: filled.map((entry) => entry.rowEpoch),
    }
    this.#output.push({ type: 'send', to: SUPERVISOR, message })
    this.#sum.partitionsDone += filled.length
    this.#endIfDone()
  }
}
