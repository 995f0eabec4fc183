/** The door for who watches a cluster, `coterie/observe`: exports, no logic. */

export { type Health, healthOf } from './observe/health.js'
export { PrometheusMetrics } from './observe/prometheus.js'
