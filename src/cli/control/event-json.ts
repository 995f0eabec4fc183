/** The cluster's events as plain data, for `GET /v1/watch`. */

import type { Cluster } from '../../shared/api.js'
import { type ClusterEvents, EVENT_NAMES } from '../../shared/cluster-events.js'
import { jsonOfBytes } from './json-bytes.js'

export interface EventJson {
  /** ISO 8601. */
  readonly at: string
  readonly event: keyof ClusterEvents
  readonly facts: unknown
}

type Watcher = (event: EventJson) => void

/** One listener of the cluster's for all who watch; none while nobody does. */
export class EventFeed {
  readonly #cluster: Cluster
  readonly #watchers = new Set<Watcher>()
  readonly #listeners = EVENT_NAMES.map((event) => ({
    event,
    listener: (facts: unknown = {}): void => this.#tell({ at: new Date().toISOString(), event, facts: plain(facts) }),
  }))

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Gives back what ends it. */
  watch(watcher: Watcher): () => void {
    if (this.#watchers.size === 0) for (const { event, listener } of this.#listeners) this.#cluster.on(event, listener)
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0)
        for (const { event, listener } of this.#listeners) this.#cluster.off(event, listener)
    }
  }

  #tell(event: EventJson): void {
    for (const watcher of this.#watchers) watcher(event)
  }
}

/** Errors and bytes, which JSON does not have, also below. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message }
  if (value instanceof Uint8Array) return jsonOfBytes(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}
