/**
 * A few metrics of the process, by the names that every Prometheus client gives them. prom-client's own set starts timers and observers
 * that cannot be stopped; these are read when they are asked for.
 */

import { type MetricDefinition, single } from './metric.js'

const STARTED_SECONDS = Date.now() / 1_000 - process.uptime()

export const PROCESS_METRICS: readonly MetricDefinition[] = [
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    labels: [],
    unit: 'seconds',
    help: 'CPU time of the process, of all its threads, user and system.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return single((user + system) / 1e6)
    },
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    labels: [],
    unit: 'bytes',
    help: 'Resident memory of the process, of all its threads.',
    read: () => single(process.memoryUsage.rss()),
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    labels: [],
    unit: 'seconds',
    help: 'When the process began, in seconds since 1970.',
    read: () => single(STARTED_SECONDS),
  },
  {
    name: 'nodejs_eventloop_utilization_ratio',
    type: 'gauge',
    labels: [],
    unit: '0 to 1',
    help: "Share of its time that the opener's event loop was busy, since it began; the gateway's work is in it, the nodes' is not.",
    read: () => single(performance.eventLoopUtilization().utilization),
  },
]
