/** Every metric, in the order of the exposition and of the README's table. */

import { CLUSTER_METRICS } from './cluster-metrics.js'
import type { MetricDefinition } from './metric.js'
import { NODE_METRICS } from './node-metrics.js'
import { PROCESS_METRICS } from './process-metrics.js'
import { REQUEST_METRICS } from './request-metrics.js'

export const METRICS: readonly MetricDefinition[] = [
  ...REQUEST_METRICS,
  ...CLUSTER_METRICS,
  ...NODE_METRICS,
  ...PROCESS_METRICS,
]
