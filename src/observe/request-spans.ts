/**
 * The spans below a call's: one for its coordination in this thread, and below that one for each message to a replica in which it has
 * a part; where a node coordinates, one for each message that asks a node to. All are made in the caller's thread from what its
 * coordinator sends and hears: the nodes' threads know nothing of them.
 *
 * It looks on only while some call has a span, and tells the gateway when it has seen enough. Called by the client; the protocol calls
 * it as its observer.
 */

import type { RequestObserver, SentMessage } from '../protocol/coordinator/request-observer.js'
import { type MessageId, type Outcome, REPLY, type ReplyStatus, type RequestId } from '../protocol/messages.js'
import { OpenLegs } from './open-legs.js'
import { openTelemetry } from './open-telemetry.js'
import { endWithOutcome, type TracedSpan } from './spans.js'

/** A call with a span, while it has requests that have not ended. */
interface TracedCall extends TracedSpan {
  /** That have not ended. */
  requests: number
  /** Undefined: a node coordinates. */
  readonly coordination: TracedSpan | undefined
  /** Of the first request that failed. */
  failure: string | undefined
}

/** A request of a call. `parts`: operations that are told to be a part of it. */
interface TracedRequest {
  readonly call: TracedCall
  readonly of: TracedSpan
  readonly parts: RequestId[]
}

const REPLY_NAMES: ReadonlyMap<ReplyStatus, string> = new Map(
  Object.entries(REPLY).map(([name, status]) => [status, name]),
)

export class RequestSpans implements RequestObserver {
  readonly #observe: (observer: RequestObserver | undefined) => void
  /** By the span of the call. */
  readonly #calls = new Map<TracedSpan, TracedCall>()
  /** By the number of the program's request. */
  readonly #requests = new Map<number, TracedRequest>()
  readonly #parts = new Map<RequestId, TracedRequest>()
  readonly #legs = new OpenLegs<TracedCall>()

  constructor(observe: (observer: RequestObserver | undefined) => void) {
    this.#observe = observe
  }

  /** Some call has a span, and requests that have not ended. */
  get isOn(): boolean {
    return this.#requests.size > 0
  }

  /** A request of the call whose span this is. `isForwarded`: a node coordinates it. */
  add(request: number, of: TracedSpan, isForwarded: boolean): void {
    let call = this.#calls.get(of)
    if (call === undefined) {
      const coordination = isForwarded ? undefined : startCoordination(of)
      call = { ...of, requests: 0, coordination, failure: undefined }
      this.#calls.set(of, call)
    }
    call.requests += 1
    this.#requests.set(request, { call, of, parts: [] })
    this.#observe(this)
  }

  /** The request has ended; `failure`: with this code. */
  end(request: number, failure: string | undefined): void {
    const traced = this.#requests.get(request)
    if (traced === undefined) return
    const { call, of, parts } = traced
    this.#requests.delete(request)
    for (const part of parts) this.#parts.delete(part)
    call.requests -= 1
    call.failure ??= failure
    // Who has not answered a request that failed is what its trace is for; of one that went well, they may still answer.
    if (failure !== undefined) this.#legs.endAll((leg) => leg.call === call, 'unanswered')
    if (call.requests === 0) {
      this.#calls.delete(of)
      if (call.coordination !== undefined) endWithOutcome(call.coordination.span, call.failure ?? 'ok')
    }
    this.#rest()
  }

  onPart(request: number, operation: RequestId): void {
    const traced = this.#requests.get(request)
    if (traced === undefined) return
    traced.parts.push(operation)
    this.#parts.set(operation, traced)
  }

  onSent(sent: SentMessage): void {
    const places = new Map<TracedCall, number[]>()
    sent.operations.forEach(({ operation }, place) => {
      // Operations of odd numbers are the coordinator's own: hints.
      const call = (this.#parts.get(operation) ?? this.#requests.get(operation / 2))?.call
      if (call === undefined) return
      const its = places.get(call)
      if (its === undefined) places.set(call, [place])
      else its.push(place)
    })
    for (const [call, its] of places) this.#startLeg(sent, call, its)
  }

  onAnswered(id: MessageId, statuses: readonly ReplyStatus[]): void {
    const nameOf = (place: number) => REPLY_NAMES.get(statuses[place] ?? REPLY.failed) ?? 'failed'
    if (this.#legs.answer(id, nameOf)) this.#rest()
  }

  onOutcome(_node: string, operation: RequestId, outcome: Outcome): void {
    const name = outcome.type === 'failed' ? outcome.failure.code : outcome.type === 'stale' ? 'stale' : 'ok'
    if (this.#legs.answerOperation(operation, name)) this.#rest()
  }

  onNodeLost(node: string): void {
    this.#legs.endAll((leg) => leg.node === node, 'lost')
    this.#rest()
  }

  onClosed(): void {
    this.#legs.endAll(() => true, 'unanswered')
  }

  #startLeg(sent: SentMessage, call: TracedCall, places: readonly number[]): void {
    const tracer = openTelemetry()?.tracer
    if (tracer === undefined) return
    const isAsked = sent.type === 'coordinate/requests'
    const parent = call.coordination ?? call
    const partition = onlyOf(places.map((place) => sent.operations[place]?.partition))
    const attributes = {
      [isAsked ? 'coterie.coordinator' : 'coterie.node']: sent.node,
      ...(partition === undefined ? {} : { 'coterie.partition': partition }),
      'coterie.operations': places.length,
      'coterie.message.operations': sent.operations.length,
    }
    const name = isAsked ? 'coordinate' : sent.type.replace('/', ' ')
    const leg = { span: tracer.startSpan(name, { attributes }, parent.context), call, node: sent.node }
    if (isAsked) {
      const operations = places.map((place) => sent.operations[place]?.operation ?? 0)
      this.#legs.addCoordinator({ ...leg, left: operations.length, worst: 'ok' }, operations)
    } else this.#legs.add(sent.id, { ...leg, places })
  }

  /** Nothing is awaited any more. */
  #rest(): void {
    if (this.#requests.size === 0 && this.#legs.isEmpty) this.#observe(undefined)
  }
}

function startCoordination({ context }: TracedSpan): TracedSpan | undefined {
  const telemetry = openTelemetry()
  if (telemetry === undefined) return undefined
  const span = telemetry.tracer.startSpan('coordinate', {}, context)
  return { span, context: telemetry.api.trace.setSpan(context, span) }
}

/** Undefined: there are several. */
function onlyOf(partitions: readonly (number | undefined)[]): number | undefined {
  const [first] = partitions
  return partitions.every((partition) => partition === first) ? first : undefined
}
