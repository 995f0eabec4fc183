/**
 * What every key must hold: the last write of it that was sent, and the last that was acknowledged. A key has one writer, which has one
 * write of it under way at a time: its writes are versions 0, 1, 2, …, and a read may show any of them from the last that was acknowledged before it
 * began to the last that was sent before it ended.
 */

export type Verdict = 'right' | 'stale' | 'wrong'

/** The index and the version. */
const HEAD_BYTES = 8

export class Ledger {
  readonly count: number
  readonly valueBytes: number
  readonly #sent: Uint32Array
  readonly #acknowledged: Uint32Array

  /** Version 0 of every key counts as acknowledged: it is what is loaded. */
  constructor(count: number, valueBytes: number) {
    if (valueBytes < HEAD_BYTES) throw new RangeError(`a value has ${HEAD_BYTES} bytes at least`)
    this.count = count
    this.valueBytes = valueBytes
    this.#sent = new Uint32Array(count)
    this.#acknowledged = new Uint32Array(count)
  }

  get writes(): number {
    return this.#acknowledged.reduce((sum, version) => sum + version, 0)
  }

  key(index: number): string {
    return `key:${String(index).padStart(9, '0')}`
  }

  value(index: number, version: number): Buffer {
    const value = Buffer.alloc(this.valueBytes, (index * 31 + version) % 251)
    value.writeUInt32LE(index, 0)
    value.writeUInt32LE(version, 4)
    return value
  }

  acknowledged(index: number): number {
    return this.#acknowledged[index] ?? 0
  }

  /** The next write of a key. */
  send(index: number): number {
    const version = (this.#sent[index] ?? 0) + 1
    this.#sent[index] = version
    return version
  }

  acknowledge(index: number, version: number): void {
    this.#acknowledged[index] = version
  }

  /** Judges what a read saw that began when `from` was the last acknowledged version; at the end, that of now. */
  judge(index: number, seen: Uint8Array | undefined, from = this.acknowledged(index)): Verdict {
    if (seen === undefined || seen.byteLength !== this.valueBytes) return 'wrong'
    const version = Buffer.from(seen.buffer, seen.byteOffset, seen.byteLength).readUInt32LE(4)
    if (version > (this.#sent[index] ?? 0) || !this.value(index, version).equals(seen)) return 'wrong'
    return version < from ? 'stale' : 'right'
  }
}
