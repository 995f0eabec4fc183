/** What clients saw: every call ends once and in time; strict keys are linearizable; what was acknowledged is there. */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { GatewayId, Key } from '../../protocol/ids.js'
import type { Call } from '../call.js'
import type { SimWorld } from '../world.js'
import { Checker, textsOf } from './checker.js'
import { checkLinearizability, describeViolation } from './linearizability.js'
import type { Operation } from './operation.js'

/** A gateway's timer is so late at most. */
const DEADLINE_SLACK_MS = 5

/** Every request ends exactly once, by its deadline. */
export class Ends extends Checker {
  readonly name = 'ends'
  readonly rule = 'Requests: every request ends exactly once'
  readonly #open = new Map<number, Call>()

  onCall(call: Call): void {
    this.#open.set(call.number, call)
  }

  onEnd(call: Call): void {
    this.#open.delete(call.number)
  }

  onStrayEnd(gateway: GatewayId, number: number, outcome: OperationOutcome): void {
    this.broken(`call ${number} of ${gateway} was answered once more: ${outcome.type}`)
  }

  onVanished(call: Call): void {
    this.#open.delete(call.number)
  }

  onTurn(_node: string, world: SimWorld): void {
    if (world.isLate) return
    for (const call of this.#open.values()) {
      if (world.nowMs <= call.deadlineMs + DEADLINE_SLACK_MS) return
      this.broken(
        `call ${call.number} (${call.kind} ${call.keys.join(' ')}) has not ended by its deadline ${call.deadlineMs}`,
      )
      this.#open.delete(call.number)
    }
  }

  override atEnd(world: SimWorld): void {
    for (const call of this.#open.values()) this.broken(`call ${call.number} never ended`)
    for (const { id, core } of world.gateways.values())
      if (core.running !== 0 || core.lingering !== 0)
        this.broken(`${id} still has ${core.running} requests, ${core.lingering} linger`)
  }
}

/** What a call of one key was to its caller, as the linearizability checker takes it. Undefined: it says nothing. */
function operationOf(
  call: Call,
  key: Key,
  place: number,
  returnedAt: number,
  outcome: OperationOutcome | undefined,
): Operation | undefined {
  const invokedAt = call.number * 2
  if (call.kind === 'put') {
    const text = call.texts[place]
    const write =
      text === null || text === undefined ? ({ kind: 'delete' } as const) : ({ kind: 'put', value: text } as const)
    if (outcome?.type === 'written') return { key, ...write, invokedAt, returnedAt }
    const isUnknown = outcome === undefined || (outcome.type === 'failed' && outcome.failure.code === 'OUTCOME_UNKNOWN')
    if (isUnknown) return { key, ...write, invokedAt, returnedAt: Number.POSITIVE_INFINITY }
    return { key, ...write, invokedAt, returnedAt, failed: true }
  }
  if (outcome?.type !== 'value') return undefined
  return { key, kind: 'get', invokedAt, returnedAt, result: textsOf(outcome.record)[0] }
}

/** Keys that are only ever called strictly, with the cluster's quorums, are linearizable; and nothing is read that was not written. */
export class Linearizability extends Checker {
  readonly name = 'linearizability'
  readonly rule = 'Quorums: a strict key is linearizable'
  readonly #history: Operation[] = []
  readonly #open = new Map<number, Call>()
  readonly #isStrict: (key: Key) => boolean
  /** Grows by one for each call and each answer: times that order them. Calls use even numbers of their own. */
  #ticks = 0
  readonly #calledAt = new Map<number, number>()

  constructor(report: ConstructorParameters<typeof Checker>[0], isStrict: (key: Key) => boolean) {
    super(report)
    this.#isStrict = isStrict
  }

  onCall(call: Call): void {
    this.#open.set(call.number, call)
    this.#calledAt.set(call.number, this.#ticks++)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    this.#add(call, this.#ticks++, outcome)
  }

  onVanished(call: Call): void {
    this.#add(call, Number.POSITIVE_INFINITY, undefined)
  }

  override atEnd(): void {
    for (const call of this.#open.values()) this.#add(call, Number.POSITIVE_INFINITY, undefined)
    for (const violation of checkLinearizability(this.#history).violations) this.broken(describeViolation(violation))
  }

  #add(call: Call, returnedAt: number, outcome: OperationOutcome | undefined): void {
    this.#open.delete(call.number)
    const invokedAt = this.#calledAt.get(call.number) ?? 0
    this.#calledAt.delete(call.number)
    call.keys.forEach((key, place) => {
      if (!this.#isStrict(key) || call.keys.indexOf(key, place + 1) >= 0) return
      const operation = operationOf(call, key, place, returnedAt, outcome)
      if (operation !== undefined) this.#history.push({ ...operation, invokedAt })
    })
  }
}

interface Write {
  readonly text: string | null
  readonly calledAtMs: number
  /** Infinity: nobody knows whether it took effect. */
  endedAtMs: number
  isAcknowledged: boolean
}

/**
 * After everything has settled, what a key holds is the newest: no acknowledged write came wholly after it. Also of keys
 * that were written sloppily, or are only read with r = 1 meanwhile. A delete counts as a write of nothing.
 */
export class LostWrites extends Checker {
  readonly name = 'lost-writes'
  readonly rule = 'No acknowledged write is lost, no deleted key comes back'
  readonly #writes = new Map<Key, Write[]>()
  readonly #open = new Map<number, Write[]>()
  readonly #now: () => number

  constructor(report: ConstructorParameters<typeof Checker>[0], now: () => number) {
    super(report)
    this.#now = now
  }

  onCall(call: Call): void {
    if (call.kind !== 'put') return
    const writes: Write[] = []
    call.keys.forEach((key, place) => {
      if (call.keys.indexOf(key, place + 1) >= 0) return
      const text = call.texts[place] ?? null
      const write = { text, calledAtMs: call.calledAtMs, endedAtMs: Number.POSITIVE_INFINITY, isAcknowledged: false }
      this.#writes.set(key, [...(this.#writes.get(key) ?? []), write])
      writes.push(write)
    })
    this.#open.set(call.number, writes)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    for (const write of this.#open.get(call.number) ?? []) {
      if (outcome.type !== 'written') continue
      write.isAcknowledged = true
      write.endedAtMs = this.#now()
    }
    this.#open.delete(call.number)
  }

  /** What was read of the key at the very end. */
  onFinalRead(key: Key, texts: readonly string[]): void {
    const writes = this.#writes.get(key) ?? []
    const [text = null] = texts
    const candidates = writes.filter((write) => write.text === text)
    if (candidates.length === 0 && text !== null) return this.broken(`${key} holds ${text}, which nobody wrote`)
    const newest = writes.filter((write) => write.isAcknowledged)
    // Nothing: as if it had been deleted before the first write.
    const endsOfCandidates =
      candidates.length === 0 ? [Number.NEGATIVE_INFINITY] : candidates.map((write) => write.endedAtMs)
    const latestEnd = Math.max(...endsOfCandidates)
    const over = newest.find((write) => write.text !== text && write.calledAtMs > latestEnd)
    if (over === undefined) return
    const what = text === null ? 'nothing' : text
    const lost = over.text === null ? `its delete at ${over.calledAtMs}` : `${over.text}, written at ${over.calledAtMs}`
    this.broken(`${key} holds ${what}, though ${lost} was acknowledged after`)
  }
}

/** Under `siblings`: a key holds exactly the writes that no acknowledged write has seen. */
export class SiblingValues extends Checker {
  readonly name = 'siblings'
  readonly rule = 'Siblings: a key holds exactly its concurrent writes'
  /** Of each key: text → texts that the write had seen; and whether it is known to have happened. */
  readonly #writes = new Map<
    Key,
    Map<string, { readonly seen: ReadonlySet<string>; isAcknowledged: boolean; isFailed: boolean }>
  >()

  /** A client writes with what it has read: the context is opaque, what it stands for is known to the client. */
  onWriteWithContext(key: Key, text: string, seen: readonly string[]): void {
    const ofKey = this.#writes.get(key) ?? new Map()
    this.#writes.set(key, ofKey.set(text, { seen: new Set(seen), isAcknowledged: false, isFailed: false }))
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    if (call.kind !== 'put') return
    call.keys.forEach((key, place) => {
      const write = this.#writes.get(key)?.get(call.texts[place] ?? '')
      if (write === undefined) return
      write.isAcknowledged = outcome.type === 'written'
      write.isFailed = outcome.type === 'failed' && outcome.failure.code !== 'OUTCOME_UNKNOWN'
    })
  }

  onFinalRead(key: Key, texts: readonly string[]): void {
    const writes = this.#writes.get(key) ?? new Map()
    const there = new Set(texts)
    if (there.size < texts.length) this.broken(`${key} holds a value twice: ${texts.join(' ')}`)
    for (const text of texts) {
      const write = writes.get(text)
      if (write === undefined) this.broken(`${key} holds ${text}, which nobody wrote`)
      else if (write.isFailed) this.broken(`${key} holds ${text}, whose write has failed for certain`)
    }
    for (const [text, { isAcknowledged }] of writes) {
      const seenBy = [...writes].filter(([, other]) => other.seen.has(text) && !other.isFailed)
      if (there.has(text) && seenBy.some(([, other]) => other.isAcknowledged))
        this.broken(`${key} holds ${text}, which ${seenBy[0]?.[0]} has replaced`)
      if (!there.has(text) && isAcknowledged && seenBy.length === 0)
        this.broken(`${key} has lost ${text}, which no write has seen`)
    }
  }
}
