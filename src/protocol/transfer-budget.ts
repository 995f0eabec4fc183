/**
 * What a node may move at a time: so many bytes a second, and so many transfers, over all that it takes and all that it gives
 * (fills, and what exchanges find to differ).
 *
 * It counts what has been moved, so that in any time no more is moved than the rate allows, and one chunk of each transfer that
 * was under way. Shared by the machines of one node.
 *
 * Small records cost processors long before they cost so many bytes. So while the node is called, it rests after each chunk, the longer
 * the longer that took: requests that wait for the same processors come first. Nobody calls: it goes on at once.
 */

import type { VersionRecord } from './versions/record.js'

/** A request within so long: it is called. */
const CALLED_MS = 100
/** What took less is no burden, and is not worth that others are refused meanwhile and come again much later. */
const BURDEN_MS = 0.5
/**
 * More than other work in the background rests (`pacing.ts`): while rows change, several nodes give and take at the same time, and at first
 * by code that no thread has compiled yet.
 */
const REST_FACTOR = 10
const REST_MS_MAX = 200

export class TransferBudget {
  readonly bytesPerSecond: number
  /** Sources that are read at a time, and pulls that are answered at a time. */
  readonly transfersMax: number
  #freeAtMs = 0
  #calledAtMs = Number.NEGATIVE_INFINITY

  constructor(limits: { readonly transferBytesPerSecond: number; readonly transfersMax: number }) {
    this.bytesPerSecond = limits.transferBytesPerSecond
    this.transfersMax = limits.transfersMax
  }

  /** From when on something may be moved. */
  get freeAtMs(): number {
    return this.#freeAtMs
  }

  /** This has been moved. Returns its bytes. */
  charge(records: readonly VersionRecord[], nowMs: number): number {
    const bytes = transferBytes(records)
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes / this.bytesPerSecond) * 1_000
    return bytes
  }

  /** Somebody reads or writes here. */
  onCalled(nowMs: number): void {
    this.#calledAtMs = nowMs
  }

  /** Lately. */
  isCalled(nowMs: number): boolean {
    return nowMs - this.#calledAtMs < CALLED_MS
  }

  /** What was begun at `sinceMs` has been done. */
  rest(sinceMs: number, nowMs: number): void {
    if (!this.isCalled(nowMs) || nowMs - sinceMs < BURDEN_MS) return
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs + Math.min(REST_MS_MAX, (nowMs - sinceMs) * REST_FACTOR))
  }
}

/** About what they take in a message and in a store. */
function transferBytes(records: readonly VersionRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += record.kind === 'lww' ? (record.value?.byteLength ?? 0) + 100 : 500
  return bytes
}
