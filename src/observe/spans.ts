/** What all spans have in common. Called by whoever makes some. */

import type { Attributes, Context, Span } from '@opentelemetry/api'
import { CoterieError } from '../shared/errors.js'
import { openTelemetry } from './open-telemetry.js'

/** OpenTelemetry's conventions for databases name it; there is no such value among the well-known ones. */
export const DATABASE = { 'db.system.name': 'coterie' } as const

/** `SpanStatusCode.ERROR`: the API is not loaded for a number. */
const STATUS_ERROR = 2

export interface TracedSpan {
  readonly span: Span
  /** In which its children are made. */
  readonly context: Context
}

/** Ends it, as failed if there is an error. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) {
    const { code, message } = toldOf(error)
    span.setAttributes({ 'error.type': code, 'db.response.status_code': code })
    span.setStatus({ code: STATUS_ERROR, message })
  }
  span.end()
}

/** Ends it with what a node said; everything but `ok` is an error. */
export function endWithOutcome(span: Span, outcome: string): void {
  span.setAttribute('coterie.outcome', outcome)
  if (outcome !== 'ok') {
    span.setAttribute('error.type', outcome)
    span.setStatus({ code: STATUS_ERROR })
  }
  span.end()
}

/** A step of a call whose span is the active one: a span below it while it lasts. Without one the step is taken as it is. */
export function inSpan<T>(
  name: string,
  attributes: Attributes,
  step: () => Promise<T>,
  outcomeOf: (result: T) => string,
): Promise<T> {
  const telemetry = openTelemetry()
  if (telemetry?.api.trace.getActiveSpan()?.isRecording() !== true) return step()
  const span = telemetry.tracer.startSpan(name, { attributes })
  const promise = step()
  promise.then(
    (result) => endWithOutcome(span, outcomeOf(result)),
    (error: unknown) => endSpan(span, error),
  )
  return promise
}

function toldOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CoterieError) return { code: error.code, message: error.message }
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: '_OTHER', message: String(error) }
}
