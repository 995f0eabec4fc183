/**
 * What a node may move at a time: so many bytes a second, and so many transfers, over all that it takes and all that it gives
 * (fills, and what exchanges find to differ).
 *
 * It counts what has been moved, so that in any time no more is moved than the rate allows, and one chunk of each transfer that
 * was under way. Shared by the machines of one node.
 */

import type { VersionRecord } from './versions/record.js'

export class TransferBudget {
  readonly bytesPerSecond: number
  /** Sources that are read at a time, and pulls that are answered at a time. */
  readonly transfersMax: number
  #freeAtMs = 0

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
}

/** About what they take in a message and in a store. */
function transferBytes(records: readonly VersionRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += record.kind === 'lww' ? (record.value?.byteLength ?? 0) + 100 : 500
  return bytes
}
