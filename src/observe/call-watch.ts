/**
 * Tells who looks on of each call of the public door: a span where an SDK of OpenTelemetry is registered, the request channel
 * where somebody has subscribed. Where nobody does, the client asks `isOn` and calls as if this were not there.
 *
 * Changes nothing of what a call gives. Called by the clients of both engines.
 */

import type { Span } from '@opentelemetry/api'
import { type RequestMessage, requestChannel } from './channels.js'
import { isTracing, openTelemetry } from './open-telemetry.js'
import { DATABASE, endSpan, type TracedSpan } from './spans.js'

export class CallWatch {
  readonly #who: { readonly location: string; readonly gateway: string }
  readonly #isContext: boolean
  #current: TracedSpan | undefined

  /**
   * `isContext`: while a call runs its span is OpenTelemetry's active one, for steps that are made as one promise after the other. Not
   * where calls are gathered and sent together: those would all be the first one's.
   */
  constructor(who: { readonly location: string; readonly gateway: string }, options: { readonly isContext: boolean }) {
    this.#who = who
    this.#isContext = options.isContext
  }

  get isOn(): boolean {
    return isTracing() || requestChannel.hasSubscribers
  }

  /** The span of the call whose first, synchronous part runs now; undefined: it has none. */
  get current(): TracedSpan | undefined {
    return this.#current
  }

  run<T>(operation: RequestMessage['operation'], keys: number, call: () => Promise<T>): Promise<T> {
    const traced = this.#start(operation, keys)
    const told = () =>
      requestChannel.hasSubscribers ? requestChannel.tracePromise(call, { operation, keys, ...this.#who }) : call()
    if (traced === undefined) return told()
    const before = this.#current
    this.#current = traced
    try {
      const api = this.#isContext ? openTelemetry()?.api : undefined
      return endWith(api === undefined ? told() : api.context.with(traced.context, told), traced.span)
    } finally {
      this.#current = before
    }
  }

  #start(operation: RequestMessage['operation'], keys: number): TracedSpan | undefined {
    const telemetry = openTelemetry()
    if (telemetry === undefined) return undefined
    const { api, tracer } = telemetry
    const parent = api.context.active()
    const attributes = {
      ...DATABASE,
      'db.operation.name': operation,
      'db.namespace': this.#who.location,
      'coterie.gateway': this.#who.gateway,
      ...((operation === 'batch' || operation === 'getMany') && keys > 1 ? { 'db.operation.batch.size': keys } : {}),
    }
    const span = tracer.startSpan(operation, { kind: api.SpanKind.CLIENT, attributes }, parent)
    // Not sampled: nobody will see what is below it either.
    if (!span.isRecording()) return undefined
    return { span, context: api.trace.setSpan(parent, span) }
  }
}

/** What nobody catches stays uncaught: the promise that is given back is not the one that is listened to. */
function endWith<T>(promise: Promise<T>, span: Span): Promise<T> {
  return promise.then(
    (result) => {
      endSpan(span)
      return result
    },
    (error: unknown) => {
      endSpan(span, error)
      throw error
    },
  )
}
