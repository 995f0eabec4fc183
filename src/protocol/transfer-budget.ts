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

import { pauseMs } from './pacing.js'
import type { VersionRecord } from './versions/record.js'

/** A request within so long: it is called. */
const CALLED_MS = 100
/** What took less is no burden, and is not worth that others are refused meanwhile and come again much later. */
const BURDEN_MS = 1

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

  /** What was begun at `sinceMs` has been done. */
  rest(sinceMs: number, nowMs: number): void {
    if (nowMs - this.#calledAtMs >= CALLED_MS || nowMs - sinceMs < BURDEN_MS) return
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs + pauseMs(sinceMs, nowMs))
  }
}

/** About what they take in a message and in a store. */
function transferBytes(records: readonly VersionRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += record.kind === 'lww' ? (record.value?.byteLength ?? 0) + 100 : 500
  return bytes
}
