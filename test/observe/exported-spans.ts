/** A real SDK that keeps what it is given, and the tree of it. Called by tests. */

import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SamplingDecision,
  type SamplingResult,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

export interface SpanTree {
  readonly name: string
  readonly span: ReadableSpan
  readonly children: readonly SpanTree[]
}

export class ExportedSpans {
  readonly #exporter = new InMemorySpanExporter()
  /** How often a sampler that takes nothing was asked. */
  refusals = 0

  /** As a program does it before anything else. */
  register(options: { readonly isSampled: boolean } = { isSampled: true }): void {
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
      ...(options.isSampled ? {} : { sampler: { shouldSample: () => this.#refuse(), toString: () => 'none' } }),
    })
    trace.setGlobalTracerProvider(provider)
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  }

  unregister(): void {
    trace.disable()
    context.disable()
  }

  #refuse(): SamplingResult {
    this.refusals += 1
    return { decision: SamplingDecision.NOT_RECORD }
  }

  get all(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  /** What has ended since the last time, from those down whose parents have not. */
  take(): readonly SpanTree[] {
    const spans = [...this.all]
    this.#exporter.reset()
    const treeOf = (span: ReadableSpan): SpanTree => ({
      name: span.name,
      span,
      children: spans.filter((child) => child.parentSpanContext?.spanId === span.spanContext().spanId).map(treeOf),
    })
    const ids = new Set(spans.map((span) => span.spanContext().spanId))
    return spans.filter(({ parentSpanContext }) => !ids.has(parentSpanContext?.spanId ?? '')).map(treeOf)
  }
}
