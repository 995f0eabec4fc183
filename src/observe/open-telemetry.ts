/**
 * OpenTelemetry's API, if the program has it and has registered an SDK; nothing is loaded before. The package is an optional peer: a
 * library must use the program's own copy, because an older one does not see what a newer one has registered.
 *
 * The only file that loads `@opentelemetry/api`.
 */

import { createRequire } from 'node:module'
import type * as OpenTelemetryApi from '@opentelemetry/api'
import { version } from '../shared/version.js'

type Api = typeof OpenTelemetryApi

interface Loaded {
  readonly api: Api
  readonly ownVersion: string
}

/** Under this symbol every copy of the API, of whatever 1.x, keeps what is registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')
const registry = globalThis as { [REGISTERED]?: { readonly trace?: unknown } }

/** null: it is not to be found from here. */
let loaded: Loaded | null | undefined

/** Is there a provider of tracers? A look at one property: it may be asked at every call. */
export function isTracing(): boolean {
  return registry[REGISTERED]?.trace !== undefined
}

/** Undefined: no SDK is registered, or its API cannot be found from here. */
export function openTelemetry(): { readonly api: Api; readonly tracer: OpenTelemetryApi.Tracer } | undefined {
  if (!isTracing()) return undefined
  loaded ??= load()
  if (loaded === null) return undefined
  const { api, ownVersion } = loaded
  return { api, tracer: api.trace.getTracer('coterie', ownVersion) }
}

function load(): Loaded | null {
  try {
    return { api: createRequire(import.meta.url)('@opentelemetry/api') as Api, ownVersion: version() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null
    throw error
  }
}
