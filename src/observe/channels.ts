/**
 * The channels of `node:diagnostics_channel` for embedders and their tools. Without subscribers they cost a look at a property.
 *
 * Their names and what is published are part of the public door; the README has the table.
 */

import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { Cluster } from '../shared/api.js'
import type { ClusterEvents } from '../shared/cluster-events.js'

/** What comes with `coterie:open`: a cluster has been opened. */
export interface OpenMessage {
  /** As `openCluster` gives it. */
  readonly cluster: Cluster
}

/** What comes with `coterie:event`: an event of any open cluster of this thread. */
export interface EventMessage {
  /** As in `status()`. */
  readonly location: string
  /** Its name. */
  readonly event: keyof ClusterEvents
  /** What the cluster's listeners get; undefined where there is nothing to tell. */
  readonly facts: ClusterEvents[keyof ClusterEvents][0]
}

/** What comes with `tracing:coterie:request:*`; `result` and `error` are added as `TracingChannel.tracePromise` adds them. */
export interface RequestMessage {
  /** The call; of a scan each page. */
  readonly operation: 'get' | 'read' | 'getMany' | 'put' | 'delete' | 'batch' | 'scan'
  /** Keys that it is about; of a page of a scan, the most that it may bring. */
  readonly keys: number
  /** As in `status()`. */
  readonly location: string
  /** Of the thread that calls. */
  readonly gateway: string
  /** From `asyncStart` on, if it went well: what the caller gets. */
  readonly result?: unknown
  /** From `error` on: what it rejects with. */
  readonly error?: unknown
}

export const CHANNEL_NAMES = { open: 'coterie:open', event: 'coterie:event', request: 'coterie:request' } as const

const openChannel = channel(CHANNEL_NAMES.open)
const eventChannel = channel(CHANNEL_NAMES.event)
export const requestChannel = tracingChannel<unknown, RequestMessage>(CHANNEL_NAMES.request)

export function publishOpen(cluster: Cluster): void {
  if (openChannel.hasSubscribers) openChannel.publish({ cluster } satisfies OpenMessage)
}

export function publishEvent<Name extends keyof ClusterEvents>(
  location: string,
  event: Name,
  [facts]: ClusterEvents[Name],
): void {
  if (eventChannel.hasSubscribers) eventChannel.publish({ location, event, facts } satisfies EventMessage)
}
