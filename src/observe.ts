/** The door for who watches a cluster, `coterie/observe`: exports, no logic. */

export type { EventMessage, OpenMessage, RequestMessage } from './observe/channels.js'
export type { LogLevel } from './observe/event-levels.js'
export { type Health, healthOf } from './observe/health.js'
export { type EventLogger, logEvents } from './observe/log-events.js'
export { PrometheusMetrics } from './observe/prometheus.js'
