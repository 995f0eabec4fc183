/**
 * A full owner (or the salvaged store of a dead one) gives its records of some partitions, chunk by chunk in key order.
 *
 * A chunk ends before a damaged record, which is then healed: a transfer never skips what it cannot read, unless an operator has
 * accepted that it is lost. Keeps no state between chunks but the scan that runs. Called by `DynamoNode`.
 */

import type { Address, Key, PartitionId } from '../ids.js'
import { REPLY, type ReplyStatus } from '../messages.js'
import { digestOf } from '../range-digest.js'
import type { StorePage, StoreScan } from '../store-contract.js'
import type { TransferBudget } from '../transfer-budget.js'
import type { TransferChunk, TransferPull } from '../transfer-messages.js'
import type { VersionRecord } from '../versions/record.js'

/** Keys in one chunk at most: merging them stops the receiver for a few milliseconds, no longer. */
const CHUNK_KEYS_MAX = 512

export interface ChunkReply {
  readonly to: Address
  readonly message: TransferChunk
  /** The key whose record must be healed before the transfer can go on. */
  readonly damaged?: string
}

/** The Merkle trees of a node, as far as transfers look at them. */
export interface Trees {
  /** See `MerkleForest`. */
  readonly lapses: number
  isTrusted(partition: PartitionId): boolean
  low(partition: PartitionId, level: number, node: number): number
  high(partition: PartitionId, level: number, node: number): number
}

export class TransferSource {
  readonly #budget: TransferBudget
  readonly #pulls = new Map<
    number,
    { readonly to: Address; readonly message: TransferPull; readonly sinceMs: number }
  >()

  constructor(budget: TransferBudget) {
    this.#budget = budget
  }

  /** Others are being served, or what has been moved already is enough for now. */
  isBusy(nowMs: number): boolean {
    return this.#pulls.size >= this.#budget.transfersMax || nowMs < this.#budget.freeAtMs
  }

  /** The scan that answers the pull. */
  onPull(from: Address, message: TransferPull, token: number, nowMs: number): StoreScan {
    this.#pulls.set(token, { to: from, message, sinceMs: nowMs })
    const { after, bytesMax, partitions, copy } = message
    const begin = after === undefined ? {} : { from: after, fromExclusive: true }
    const to = copy?.to === undefined ? {} : { to: copy.to }
    return { range: { ...begin, ...to, reverse: false }, limit: CHUNK_KEYS_MAX, bytesMax, partitions }
  }

  /** Which of these roots are ours; costs nothing, and so is never refused for want of time. */
  compareRoots(from: Address, { id, partitions, roots }: TransferPull, trees: Trees): ChunkReply {
    const equal = partitions.filter(
      (partition, place) =>
        trees.isTrusted(partition) &&
        trees.low(partition, 0, 0) === roots?.lows[place] &&
        trees.high(partition, 0, 0) === roots.highs[place],
    )
    const blind = partitions.some((partition) => trees.isTrusted(partition)) ? {} : { isBlind: true }
    const reply = { type: 'transfer/chunk' as const, replyTo: id, status: REPLY.ok, keys: [], records: [] }
    return { to: from, message: { ...reply, equal, ...blind } }
  }

  /** A pull that cannot be served now. */
  refuse(message: TransferPull, to: Address, status: ReplyStatus): ChunkReply {
    return { to, message: { type: 'transfer/chunk', replyTo: message.id, status, keys: [], records: [] } }
  }

  /** Undefined if the scan was not one of ours. */
  onScanned(token: number, page: StorePage, nowMs: number): ChunkReply | undefined {
    const pull = this.#pulls.get(token)
    if (pull === undefined) return undefined
    this.#pulls.delete(token)
    this.#budget.rest(pull.sinceMs, nowMs)
    const { copy, skipsDamaged } = pull.message
    const firstBad = page.records.indexOf('damaged')
    // Where a copy is compared, its end is the page's, unless the page ended early.
    const isWhole = page.next === undefined || page.next === copy?.to
    const next = copy !== undefined && isWhole ? copy.to : page.next
    if (copy !== undefined && isWhole && firstBad < 0 && digestOf(recordsOf(page)) === copy.digest) {
      const same = { type: 'transfer/chunk' as const, replyTo: pull.message.id, status: REPLY.ok, same: true }
      const to = next === undefined ? {} : { next }
      return { to: pull.to, message: { ...same, keys: [], records: [], ...to } }
    }
    const bad = skipsDamaged === true ? -1 : firstBad
    const end = bad < 0 ? page.keys.length : bad
    const isRead = (_: unknown, place: number): boolean => place < end && page.records[place] !== 'damaged'
    const keys = page.keys.filter(isRead)
    const records = page.records.filter(isRead) as VersionRecord[]
    this.#budget.charge(records, nowMs)
    const reply = { type: 'transfer/chunk' as const, replyTo: pull.message.id, keys, records }
    const { to } = pull
    if (bad < 0) return { to, message: { ...reply, status: REPLY.ok, ...(next === undefined ? {} : { next }) } }
    const damaged = page.keys[bad] as string
    const last = keys.at(-1)
    if (last === undefined) return { to, message: { ...reply, status: REPLY.unknown }, damaged }
    return { to, message: { ...reply, status: REPLY.ok, next: last }, damaged }
  }
}

/** Those that are not damaged. */
export function recordsOf(page: StorePage): ReadonlyMap<Key, VersionRecord> {
  const records = new Map<Key, VersionRecord>()
  page.keys.forEach((key, index) => {
    const record = page.records[index]
    if (record !== undefined && record !== 'damaged') records.set(key, record)
  })
  return records
}
