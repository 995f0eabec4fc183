/**
 * What any read may show, however little it asks for (r = 1, a sloppy get, a page of a scan): something that was written to
 * that very key, by a write that had begun and was not refused. It may be old; it may be nothing.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key } from '../../protocol/ids.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Call } from '../call.js'
import { Checker, textsOf } from './checker.js'
import { isLastOfKey, isRefused, readsOf } from './outcomes.js'

/** Calls that wrote one text to one key: more than one if the same write was tried again. */
interface Written {
  readonly calls: Set<number>
  /** Calls of clients are numbered in their order: none after this one had begun when the text was first read. */
  readBefore: number
}

export class ReadValues extends Checker {
  readonly name = 'read-values'
  readonly rule = 'Reads: what is read was written to that very key before, and not refused'
  /** key, text → who wrote it, without those that were refused for certain. */
  readonly #written = new Map<string, Written>()
  #newest = 0

  onCall({ kind, number, keys, texts }: Call): void {
    this.#newest = number
    if (kind !== 'put') return
    keys.forEach((key, place) => {
      const text = texts[place] ?? null
      if (text === null || !isLastOfKey(keys, place)) return
      const name = `${key} ${text}`
      const written = this.#written.get(name) ?? { calls: new Set(), readBefore: Number.POSITIVE_INFINITY }
      written.calls.add(number)
      this.#written.set(name, written)
    })
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    if (isRefused(outcome) && call.kind === 'put') this.#onRefused(call)
    else for (const { key, record } of readsOf(call, outcome, [])) this.#onRead(call, key, record)
  }

  #onRead(call: Call, key: Key, record: VersionRecord | undefined): void {
    for (const text of textsOf(record)) {
      const written = this.#written.get(`${key} ${text}`)
      if (written === undefined) this.broken(`${describeRead(call)} showed ${text} of ${key}, which nobody had written`)
      else if (written.calls.size === 0)
        this.broken(`${describeRead(call)} showed ${text} of ${key}, whose write was refused for certain`)
      else written.readBefore = Math.min(written.readBefore, this.#newest + 1)
    }
  }

  /** It may have been read before it was refused; then another call must have written the same by then. */
  #onRefused({ number, keys, texts }: Call): void {
    keys.forEach((key, place) => {
      const written = this.#written.get(`${key} ${texts[place]}`)
      if (written?.calls.delete(number) !== true || written.readBefore === Number.POSITIVE_INFINITY) return
      if (![...written.calls].some((other) => other < written.readBefore))
        this.broken(`${key} was read as ${texts[place]}, whose write (call ${number}) was then refused for certain`)
    })
  }
}

function describeRead({ number, kind, quorum, sloppy }: Call): string {
  return `call ${number} (${sloppy ? 'a sloppy ' : 'a '}${kind} with r=${quorum})`
}
