/** The cluster's events in a program's own log. It only listens. */

import type { Cluster } from '../shared/api.js'
import { type ClusterEvents, EVENT_NAMES } from '../shared/cluster-events.js'
import { type LogLevel, levelOf } from './event-levels.js'

/** A logger of the shape of pino's: facts first, then the message. */
export type EventLogger = Readonly<Record<LogLevel, (facts: object, message: string) => void>>

/**
 * Writes every event of the cluster to the logger: its name as the message and as `event`, its facts beside it, errors as `err`.
 *
 * Shape:  gives back what ends it. Keys are left out, but of damaged records. Daily work (repairs, hints, transfers) is at `debug`.
 */
export function logEvents(cluster: Cluster, logger: EventLogger): () => void {
  const stops = EVENT_NAMES.map((event) => {
    const listener = (...[facts]: ClusterEvents[typeof event]): void => {
      logger[levelOf(event, facts)]({ event, ...loggedFacts(event, facts ?? {}) }, event)
    }
    cluster.on(event, listener as never)
    return () => cluster.off(event, listener as never)
  })
  return () => {
    for (const stop of stops) stop()
  }
}

/** As a log can have them: what a caller's key is, is nobody's business unless its record is damaged. */
export function loggedFacts(event: keyof ClusterEvents, facts: object): Record<string, unknown> {
  const { key, error, ...rest } = facts as { readonly key?: unknown; readonly error?: unknown }
  return {
    ...rest,
    ...(key instanceof Uint8Array && event.startsWith('record:') ? { key: Buffer.from(key).toString('utf8') } : {}),
    ...(error === undefined ? {} : { err: error }),
  }
}
