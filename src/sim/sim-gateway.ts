/**
 * A simulated gateway: runs the real `Gateway` for the calls of some clients. It can vanish, with whoever waited.
 *
 * Called by `SimWorld`.
 */

import { isLogKey } from '../protocol/batch-log/log-keys.js'
import type { OperationOutcome } from '../protocol/coordinator/request.js'
import { Gateway } from '../protocol/gateway.js'
import type { ClientRequest, GatewayEvent } from '../protocol/gateway-contract.js'
import type { Address, GatewayId, Incarnation, Key, NodeId } from '../protocol/ids.js'
import type { Message } from '../protocol/messages.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { VersionRecord } from '../protocol/versions/record.js'
import { type Call, type CallOptions, WHOLE_PAGE } from './call.js'
import type { SimWorld } from './world.js'

const TIMER_MS_MIN = 0.5

/** Asked for in one call; the rest is filled in. */
export type CallSpec = Pick<Call, 'kind' | 'keys' | 'texts'> & CallOptions

/** Undefined: the gateway has vanished, and nobody will ever be told. */
type OnEnd = (outcome: OperationOutcome | undefined) => void

interface Pending {
  readonly call: Call
  readonly onEnd: OnEnd | undefined
}

const ENCODER = new TextEncoder()

export class SimGateway {
  readonly id: GatewayId
  readonly core: Gateway
  readonly #world: SimWorld
  readonly #pending = new Map<number, Pending>()
  #timerAtMs = Number.POSITIVE_INFINITY
  /** Added to its clock; 0 where all share one. */
  #skewNs = 0n
  isGone = false
  /** Peers that it has not heard of yet. */
  #unheard: number

  constructor(id: GatewayId, world: SimWorld, table: PartitionTable) {
    this.id = id
    this.#unheard = world.nodes.size
    if (!world.options.config.sharedClock) this.jumpClock(world.chance.clocks.next())
    this.#world = world
    this.core = new Gateway(id, world.options.config, table)
  }

  /** The supervisor's first mail, which names every node, has come: until then nobody is let in. */
  get isWelcome(): boolean {
    return this.#unheard <= 0
  }

  /** Calls that have not been answered. */
  get pending(): number {
    return this.#pending.size
  }

  call(spec: CallSpec, onEnd?: OnEnd): void {
    this.callAll([spec], onEnd === undefined ? undefined : (_place, outcome) => onEnd(outcome))
  }

  /** Calls of one turn of a program: they reach the gateway together. `onEnd` is told which of them has ended. */
  callAll(specs: readonly CallSpec[], onEnd?: (place: number, outcome: OperationOutcome | undefined) => void): void {
    const calls = specs.map((spec, place) => {
      const call = this.#callOf(spec)
      this.#pending.set(call.number, { call, onEnd: onEnd && ((outcome) => onEnd(place, outcome)) })
      for (const observer of this.#world.watching.onCall) observer.onCall(call)
      return call
    })
    const stampTimeNs = this.#world.stampNs(this.#skewNs)
    this.#step({ type: 'client/requests', requests: calls.map(requestOf), stampTimeNs })
  }

  #callOf({ kind, keys, texts, ...options }: CallSpec): Call {
    const { config } = this.#world.options
    const { page = WHOLE_PAGE, sloppy = false, logged = false, timeoutMs = 1_000, context, seen = [] } = options
    const quorum = options.quorum ?? (kind === 'put' ? config.w : config.r)
    const { nowMs } = this.#world
    const number = this.#world.takeCallNumber()
    const times = { calledAtMs: nowMs, deadlineMs: nowMs + timeoutMs }
    return { number, gateway: this.id, kind, keys, texts, page, quorum, sloppy, logged, context, seen, ...times }
  }

  deliver(from: Address, message: Message): void {
    if (message.type === 'peer/changed') this.#unheard -= 1
    if (!this.isGone) this.#step({ type: 'message', from, message })
  }

  /** The thread at the other end ends. */
  onLinkClosed(node: NodeId, incarnation: Incarnation): void {
    if (this.isGone) return
    for (const observer of this.#world.watching.onLinkClosed) observer.onLinkClosed(this.id, node, incarnation)
    this.#step({ type: 'link/closed', node, incarnation })
  }

  /** Takes over the logged batches of those that are no more. */
  replayBatches(): void {
    const living = [...this.#world.gateways.values()].map(({ core }) => core.logOwner)
    const { forgottenBefore } = this.#world.supervisor
    this.#step({ type: 'batches/replay', living, forgottenBefore })
  }

  /** From here on its clock is wrong by half a second at most. Shape: 0…1. */
  jumpClock(where: number): void {
    this.#skewNs = BigInt(Math.round((where - 0.5) * 1e9))
  }

  /** Its thread ends in the middle of its work. */
  vanish(): void {
    this.isGone = true
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { call } of pending) for (const observer of this.#world.watching.onVanished) observer.onVanished(call)
    for (const { onEnd } of pending) onEnd?.(undefined)
  }

  #step(event: GatewayEvent): void {
    const world = this.#world
    const effects = this.core.step(event, world.nowMs)
    this.#arm()
    for (const effect of effects) {
      if (effect.type === 'send') world.post(this.id, effect.to, effect.message)
      else if (effect.type === 'reply') this.#onReply(effect.id, shownOf(effect.outcome))
      else if (effect.type === 'repair')
        for (const observer of world.watching.onNotice) observer.onNotice(this.id, effect)
    }
  }

  #onReply(number: number, outcome: OperationOutcome): void {
    const pending = this.#pending.get(number)
    const { watching } = this.#world
    if (pending === undefined) {
      for (const observer of watching.onStrayEnd) observer.onStrayEnd(this.id, number, outcome)
      return
    }
    this.#pending.delete(number)
    for (const observer of watching.onEnd) observer.onEnd(pending.call, outcome)
    pending.onEnd?.(outcome)
  }

  #arm(): void {
    const atMs = Math.max(this.core.nextDeadlineMs(), this.#world.nowMs + TIMER_MS_MIN)
    if (atMs >= this.#timerAtMs || atMs === Number.POSITIVE_INFINITY) return
    this.#timerAtMs = atMs
    this.#world.at(atMs, () => {
      if (this.#timerAtMs !== atMs || this.isGone) return
      this.#timerAtMs = Number.POSITIVE_INFINITY
      if (this.core.nextDeadlineMs() <= this.#world.nowMs) this.#step({ type: 'timer' })
      else this.#arm()
    })
  }
}

/** As the public door shows it: without the log of batches. */
function shownOf(outcome: OperationOutcome): OperationOutcome {
  if (outcome.type !== 'page' || !outcome.page.keys.some(isLogKey)) return outcome
  const { keys, records, next } = outcome.page
  const shown = keys.flatMap((key, place) => (isLogKey(key) ? [] : [place]))
  const page = {
    keys: shown.map((place) => keys[place] as Key),
    records: shown.map((place) => records[place] as VersionRecord),
  }
  return { type: 'page', page: next === undefined ? page : { ...page, next } }
}

function requestOf(call: Call): ClientRequest {
  const { number: id, kind, keys, texts, page, quorum, sloppy, logged, context, deadlineMs } = call
  if (kind === 'get') return { kind, id, key: keys[0] ?? '', r: quorum, sloppy, deadlineMs }
  if (kind === 'scan') return { kind, id, ...page, r: quorum, deadlineMs }
  const values = texts.map((text) => (text === null ? null : ENCODER.encode(text)))
  const put = { kind, id, keys, values, w: quorum, sloppy, logged, deadlineMs }
  return context === undefined ? put : { ...put, context }
}
