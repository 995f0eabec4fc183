/** What clients saw: every call ends once and in time; strict keys are linearizable; what was acknowledged is there. */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { GatewayId, Key } from '../../protocol/ids.js'
import { type Call, isWholeQuorum } from '../call.js'
import type { Plan } from '../plan.js'
import type { SimWorld } from '../world.js'
import { Checker, textsOf } from './checker.js'
import { checkLinearizability, describeViolation } from './linearizability.js'
import type { Operation } from './operation.js'
import { isLastOfKey, isRefused, readsOf } from './outcomes.js'

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

/** When a call was made and answered. */
interface Times {
  readonly invokedAt: number
  readonly returnedAt: number
}

/** What a put was to its caller, as the linearizability checker takes it. Undefined outcome: the caller has vanished. */
function writeOf(
  key: Key,
  text: string | null,
  { invokedAt, returnedAt }: Times,
  outcome: OperationOutcome | undefined,
): Operation {
  const write = text === null ? ({ kind: 'delete' } as const) : ({ kind: 'put', value: text } as const)
  if (outcome?.type === 'written') return { key, ...write, invokedAt, returnedAt }
  if (isRefused(outcome)) return { key, ...write, invokedAt, returnedAt, failed: true }
  return { key, ...write, invokedAt, returnedAt: Number.POSITIVE_INFINITY }
}

/**
 * Keys that are only ever written strictly, with the cluster's w, are linearizable to those who read them with its r; and
 * nothing is read that was not written.
 */
export class Linearizability extends Checker {
  readonly name = 'linearizability'
  readonly rule = 'Quorums: a strict key is linearizable'
  readonly #history: Operation[] = []
  readonly #open = new Map<number, Call>()
  readonly #isStrict: (key: Key) => boolean
  readonly #r: number
  /** Those that were written: what a page does not give of the others says nothing. */
  readonly #keys = new Set<Key>()
  /** Grows by one for each call and each answer: times that order them. */
  #ticks = 0
  readonly #calledAt = new Map<number, number>()

  constructor(report: ConstructorParameters<typeof Checker>[0], r: number, isStrict: (key: Key) => boolean) {
    super(report)
    this.#r = r
    this.#isStrict = isStrict
  }

  onCall(call: Call): void {
    this.#open.set(call.number, call)
    this.#calledAt.set(call.number, this.#ticks++)
    if (call.kind === 'put') for (const key of call.keys) if (this.#isStrict(key)) this.#keys.add(key)
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
    const times = { invokedAt: this.#calledAt.get(call.number) ?? 0, returnedAt }
    this.#calledAt.delete(call.number)
    if (call.kind === 'put')
      call.keys.forEach((key, place) => {
        if (!this.#isStrict(key) || !isLastOfKey(call.keys, place)) return
        this.#history.push(writeOf(key, call.texts[place] ?? null, times, outcome))
      })
    else if (!call.sloppy && isWholeQuorum(call, this.#r))
      for (const { key, record } of readsOf(call, outcome, this.#keys))
        if (this.#isStrict(key)) this.#history.push({ key, kind: 'get', ...times, result: textsOf(record)[0] })
  }
}

interface Write {
  readonly text: string | null
  readonly calledAtMs: number
  /** Infinity: nobody knows whether it took effect. */
  endedAtMs: number
  isAcknowledged: boolean
  isRefused: boolean
}

/**
 * After everything has settled, what a key holds is the newest: no acknowledged write came after it. Also of keys that were
 * written sloppily. A delete counts as a write of nothing. Where all share a clock, what was called later is newer; else only
 * what was called after the other had ended.
 */
export class LostWrites extends Checker {
  readonly name = 'lost-writes'
  readonly rule = 'No acknowledged write is lost, no deleted key comes back'
  readonly #writes = new Map<Key, Write[]>()
  readonly #open = new Map<number, Write[]>()
  readonly #plan: Pick<Plan, 'sharedClock' | 'quorums'>
  readonly #now: () => number
  #isSettled = false

  constructor(
    report: ConstructorParameters<typeof Checker>[0],
    plan: Pick<Plan, 'sharedClock' | 'quorums'>,
    now: () => number,
  ) {
    super(report)
    this.#plan = plan
    this.#now = now
  }

  /** No write comes after this. */
  override onSettled(): void {
    this.#isSettled = true
  }

  onCall(call: Call): void {
    if (call.kind !== 'put') return
    const writes: Write[] = []
    call.keys.forEach((key, place) => {
      if (!isLastOfKey(call.keys, place)) return
      const unknown = { endedAtMs: Number.POSITIVE_INFINITY, isAcknowledged: false, isRefused: false }
      const write = { text: call.texts[place] ?? null, calledAtMs: call.calledAtMs, ...unknown }
      this.#writes.set(key, [...(this.#writes.get(key) ?? []), write])
      writes.push(write)
    })
    this.#open.set(call.number, writes)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    for (const write of this.#open.get(call.number) ?? []) {
      write.isRefused = isRefused(outcome)
      if (outcome.type !== 'written') continue
      write.isAcknowledged = true
      write.endedAtMs = this.#now()
    }
    this.#open.delete(call.number)
    if (!this.#isSettled || !isWholeQuorum(call, this.#plan.quorums.r)) return
    for (const { key, record } of readsOf(call, outcome, this.#writes.keys())) this.#onLastRead(key, textsOf(record)[0])
  }

  #onLastRead(key: Key, text: string | undefined): void {
    const writes = this.#writes.get(key) ?? []
    const candidates = writes.filter((write) => (write.text ?? undefined) === text && !write.isRefused)
    if (candidates.length === 0 && text !== undefined) return this.broken(`${key} holds ${text}, which nobody wrote`)
    // Nothing, without a delete: as if it had been deleted before the first write.
    const { sharedClock } = this.#plan
    const latestMs = Math.max(...candidates.map(({ calledAtMs, endedAtMs }) => (sharedClock ? calledAtMs : endedAtMs)))
    const isOther = (write: Write): boolean => (write.text ?? undefined) !== text
    const over = writes.find((write) => write.isAcknowledged && isOther(write) && write.calledAtMs > latestMs)
    if (over === undefined) return
    const what = over.text === null ? `its delete at ${over.calledAtMs}` : `${over.text}, written at ${over.calledAtMs}`
    this.broken(`${key} holds ${text ?? 'nothing'}, though ${what} was acknowledged after`)
  }
}
