/**
 * Under `siblings`: a strict read shows exactly the values that were written and that nothing has taken away.
 *
 * What takes a value away: a write or delete with a context, everything that its client had read with that context; a delete
 * without one, whatever its coordinator saw, which nobody but the coordinator knows. All else stays beside each other. Reads
 * are judged at the end, when it is known how everything ended.
 *
 * A write that was tried again is there once for each try, and which of them a reader saw cannot be told: so values are
 * counted, between the least and the most that can be there.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key } from '../../protocol/ids.js'
import { type Call, isWholeQuorum } from '../call.js'
import { Checker, textsOf } from './checker.js'
import { isLastOfKey, isRefused, readsOf } from './outcomes.js'

type Counts = ReadonlyMap<string, number>

interface Change {
  readonly number: number
  readonly text: string | null
  /** Text → how many of it were read with the context. */
  readonly seen: Counts
  readonly calledAt: number
  /** Infinity: it may take effect at any time, or never. */
  endedAt: number
  isRefused: boolean
  /** A delete without a context. */
  readonly isBlind: boolean
}

interface Read {
  readonly key: Key
  readonly call: Call
  readonly texts: Counts
  readonly calledAt: number
  readonly endedAt: number
  readonly endedAtMs: number
}

export class SiblingValues extends Checker {
  readonly name = 'siblings'
  readonly rule = 'Siblings: a key holds exactly its concurrent writes'
  readonly #r: number
  readonly #now: () => number
  readonly #changes = new Map<Key, Change[]>()
  readonly #reads: Read[] = []
  /** Call → when it was made, and what it changes. */
  readonly #open = new Map<number, { readonly calledAt: number; readonly changes: readonly Change[] }>()
  /** Grows by one for each call and each answer. */
  #ticks = 0

  constructor(report: ConstructorParameters<typeof Checker>[0], r: number, now: () => number) {
    super(report)
    this.#r = r
    this.#now = now
  }

  onCall(call: Call): void {
    const calledAt = this.#ticks++
    const changes: Change[] = []
    if (call.kind === 'put')
      call.keys.forEach((key, place) => {
        if (!isLastOfKey(call.keys, place)) return
        const change = changeOf(call, call.texts[place] ?? null, calledAt)
        this.#changes.set(key, [...(this.#changes.get(key) ?? []), change])
        changes.push(change)
      })
    this.#open.set(call.number, { calledAt, changes })
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    const { calledAt = 0, changes = [] } = this.#open.get(call.number) ?? {}
    this.#open.delete(call.number)
    const endedAt = this.#ticks++
    for (const change of changes) {
      if (outcome.type === 'written') change.endedAt = endedAt
      change.isRefused = isRefused(outcome)
    }
    if (!isWholeQuorum(call, this.#r)) return
    const endedAtMs = this.#now()
    for (const { key, record } of readsOf(call, outcome, this.#changes.keys()))
      this.#reads.push({ key, call, texts: countsOf(textsOf(record)), calledAt, endedAt, endedAtMs })
  }

  override atEnd(): void {
    for (const read of this.#reads) this.#check(read)
  }

  #check(read: Read): void {
    // What begins later is nothing to it.
    const changes = (this.#changes.get(read.key) ?? []).filter(
      (change) => !change.isRefused && change.calledAt < read.endedAt,
    )
    const texts = new Set(read.texts.keys())
    for (const { text } of changes) if (text !== null) texts.add(text)
    for (const text of texts) {
      const wrong = wrongOf(text, read, changes)
      if (wrong === undefined) continue
      const { call, key, endedAtMs } = read
      this.broken(`call ${call.number} (${call.kind}, ended at ${endedAtMs.toFixed(3)}) of ${key}: ${wrong}`)
    }
  }
}

/** What is wrong with how often the text was read. */
function wrongOf(text: string, read: Read, changes: readonly Change[]): string | undefined {
  const count = read.texts.get(text) ?? 0
  const writes = changes.filter((change) => change.text === text)
  const isOver = (change: Change): boolean => change.endedAt < read.calledAt
  // Two that had read the same number of them may have read the same ones.
  const replacing = changes.filter((change) => isOver(change) && seenBy(change, text) > 0)
  const most = writes.length - Math.max(0, ...replacing.map((change) => seenBy(change, text)))
  if (count > most) {
    if (replacing.length === 0) return `shows ${text} ${count} times, it was written ${writes.length} times`
    return `shows ${text}, which ${describeChange(replacing[0])} has replaced`
  }
  const blind = changes.filter((change) => change.isBlind)
  const isMaybeDeleted = (write: Change): boolean => blind.some(({ endedAt }) => write.calledAt < endedAt)
  const kept = writes.filter((write) => isOver(write) && !isMaybeDeleted(write)).length
  const least = kept - changes.reduce((sum, change) => sum + seenBy(change, text), 0)
  return count < least ? `lacks ${text}, which was acknowledged before and which nothing has replaced` : undefined
}

function changeOf({ number, seen, context }: Call, text: string | null, calledAt: number): Change {
  const unknown = { endedAt: Number.POSITIVE_INFINITY, isRefused: false }
  const isBlind = text === null && context === undefined
  return { number, text, seen: countsOf(seen), calledAt, ...unknown, isBlind }
}

function countsOf(texts: readonly string[]): Counts {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

function seenBy(change: Change, text: string): number {
  return change.seen.get(text) ?? 0
}

function describeChange(change: Change | undefined): string {
  return change === undefined ? '' : `${change.text ?? 'a delete'} (call ${change.number})`
}
