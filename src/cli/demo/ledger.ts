/**
 * What the store must hold, record by record: how many writes of each were sent and how many acknowledged. Every record is
 * written by one caller, one write at a time, so its writes are versions 0, 1, 2, …, and a read may show any version from
 * the last acknowledged before it began to the last sent before it ended. Every eighth write is a delete.
 */

import { type Cities, versionOf } from './cities.js'

export type Verdict = 'right' | 'stale' | 'wrong'

const DELETE_EVERY = 8

export class Ledger {
  readonly #cities: Cities
  readonly #sent: Uint32Array
  readonly #acknowledged: Uint32Array

  /** Begins after the load: version 0 of every record is acknowledged. */
  constructor(cities: Cities) {
    this.#cities = cities
    this.#sent = new Uint32Array(cities.count)
    this.#acknowledged = new Uint32Array(cities.count)
  }

  get writesAcknowledged(): number {
    return this.#acknowledged.reduce((total, version) => total + version, 0)
  }

  /** Records that must be there. */
  get live(): number {
    return this.#acknowledged.reduce((total, version) => total + (isDelete(version) ? 0 : 1), 0)
  }

  acknowledged(index: number): number {
    return this.#acknowledged[index] ?? 0
  }

  /** The next write of a record: its version, and its value, undefined for a delete. */
  send(index: number): { version: number; value: string | undefined } {
    const version = (this.#sent[index] ?? 0) + 1
    this.#sent[index] = version
    return { version, value: this.expected(index, version) }
  }

  acknowledge(index: number, version: number): void {
    this.#acknowledged[index] = version
  }

  expected(index: number, version: number): string | undefined {
    return isDelete(version) ? undefined : this.#cities.value(index, version)
  }

  /** Judges what a read saw that began when `from` was the last acknowledged version. */
  judge(index: number, seen: string | undefined, from: number): Verdict {
    const to = this.#sent[index] ?? 0
    if (seen === undefined) {
      for (let version = from; version <= to; version++) if (isDelete(version)) return 'right'
      return 'wrong'
    }
    const version = versionOf(seen)
    if (version < 0 || version > to || seen !== this.expected(index, version)) return 'wrong'
    return version < from ? 'stale' : 'right'
  }

  /** Judges the final state: exactly the last acknowledged version, or one that was sent and never answered. */
  judgeFinal(index: number, seen: string | undefined): Verdict {
    return this.judge(index, seen, this.acknowledged(index))
  }
}

function isDelete(version: number): boolean {
  return version % DELETE_EVERY === DELETE_EVERY - 1
}
