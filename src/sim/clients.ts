/**
 * The clients of a simulated run: each calls, waits for the answers, thinks, calls again. Where the plan says so, all fall
 * silent together for a while, and begin together again. A client whose gateway has vanished goes on at another one.
 *
 * Called by `run.ts`; what they ask is `ClientCalls`' choice.
 */

import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { FailureCode } from '../protocol/failure.js'
import { ClientCalls, type Wish } from './client-calls.js'
import type { Plan } from './plan.js'
import type { SimGateway } from './sim-gateway.js'
import type { SimWorld } from './world.js'

export interface ClientOptions {
  readonly number: number
  readonly world: SimWorld
  readonly plan: Pick<Plan, 'seed' | 'conflict' | 'sloppy' | 'logs' | 'rhythm'>
  /** True: there is another call to be made, and it is taken. */
  readonly takeCall: () => boolean
  readonly gateway: () => SimGateway | undefined
}

/** What waits for a gateway looks for one so often. */
const LOOK_MS = 20
/** What is said at once. Who called again as quickly would use up its calls while nothing can be done. */
const REFUSED_AT_ONCE: readonly FailureCode[] = ['OVERLOADED', 'QUORUM_UNAVAILABLE']
/** Who was refused so waits so much longer. */
const BACKOFF = 8
/** After a silence all begin within so long. */
const BEGINNING_MS = 2

export class SimClient {
  readonly #options: ClientOptions
  readonly #calls: ClientCalls
  /** What follows from the calls of the last turn. */
  #next: Wish[] = []
  #open = 0
  #isRefused = false
  #startMs = 0
  #gateway: SimGateway | undefined
  isDone = false

  constructor(options: ClientOptions) {
    this.#options = options
    this.#calls = new ClientCalls({ number: options.number, ...options.plan })
  }

  start(): void {
    this.#startMs = this.#options.world.nowMs
    this.#think()
  }

  #think(): void {
    const { world, plan } = this.#options
    const { thinkMs, activeMs, silentMs, backsOff } = plan.rhythm
    const pauseMs = this.#calls.chance() * 2 * thinkMs * (this.#isRefused && backsOff ? BACKOFF : 1)
    this.#isRefused = false
    let atMs = world.nowMs + pauseMs
    const since = (atMs - this.#startMs) % (activeMs + silentMs)
    if (since > activeMs) atMs += activeMs + silentMs - since + this.#calls.chance() * BEGINNING_MS
    world.at(atMs, () => this.#begin())
  }

  #begin(): void {
    const { world, takeCall, gateway } = this.#options
    if (this.#gateway === undefined || this.#gateway.isGone) this.#gateway = gateway()
    if (this.#gateway === undefined) {
      world.at(world.nowMs + LOOK_MS, () => this.#begin())
      return
    }
    const wishes = this.#wishes().filter(takeCall)
    if (wishes.length === 0) {
      this.isDone = true
      return
    }
    this.#open = wishes.length
    this.#gateway.callAll(
      wishes.map(({ spec }) => spec),
      (place, outcome) => this.#onEnd(wishes[place] as Wish, outcome),
    )
  }

  #wishes(): Wish[] {
    const wishes = this.#next
    this.#next = []
    const { together } = this.#options.plan.rhythm
    const wanted = together === 1 ? 1 : 1 + Math.floor(this.#calls.chance() * together)
    while (wishes.length < wanted) wishes.push(...this.#calls.draw())
    return wishes
  }

  #onEnd(wish: Wish, outcome: OperationOutcome | undefined): void {
    if (outcome?.type === 'failed' && REFUSED_AT_ONCE.includes(outcome.failure.code)) this.#isRefused = true
    const next = this.#calls.onEnd(wish, outcome)
    if (next !== undefined) this.#next.push(next)
    this.#open -= 1
    if (this.#open === 0) this.#think()
  }
}
