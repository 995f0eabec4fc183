/**
 * A cluster in Prometheus' text format, through a registry of its own. Every scrape takes one look at the cluster (nobody is asked,
 * shared counters are read) and all of its lines are of that moment.
 *
 * The only importer of prom-client, which is loaded with the first scrape. Called by the command's `/metrics`, and by embedders.
 */

import type { Metric, Registry } from 'prom-client'
import type { Cluster } from '../shared/api.js'
import { EventCounts } from './event-counts.js'
import { healthIn } from './health.js'
import type { MetricDefinition, Seen } from './metric.js'
import { METRICS } from './metric-table.js'
import { quorumsAway } from './quorums.js'

/** The metrics of an open cluster. They count its events from when they are made; make them when it has been opened. */
export class PrometheusMetrics {
  readonly #cluster: Cluster
  readonly #events: EventCounts
  #registry: Promise<Registry> | undefined
  /** Of the scrape that has just begun. */
  #seen: Seen | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#events = new EventCounts(cluster)
  }

  /** One scrape: the body to answer `GET /metrics` with, and its content type. Also after the cluster was closed. */
  async text(): Promise<{ contentType: string; body: string }> {
    this.#registry ??= this.#makeRegistry().catch((error: unknown) => {
      // The next scrape tries again: there may have been no file descriptor left to load it with.
      this.#registry = undefined
      throw error
    })
    const registry = await this.#registry
    // Every metric is read before `metrics()` gives its promise back: scrapes at the same time do not mix.
    this.#seen = this.#look()
    const body = registry.metrics()
    this.#seen = undefined
    return { contentType: registry.contentType, body: await body }
  }

  /** Stops listening to events. The cluster stays as it is. */
  close(): void {
    this.#events.close()
  }

  #look(): Seen {
    const cluster = this.#cluster
    const status = cluster.status()
    const quorums = quorumsAway(status, cluster.ring())
    this.#events.keepOnly(status.nodes.map(({ id }) => id))
    return { status, metrics: cluster.metrics(), quorums, health: healthIn(status, quorums), events: this.#events }
  }

  async #makeRegistry(): Promise<Registry> {
    const { Registry } = await import('prom-client')
    const registry = new Registry()
    for (const definition of METRICS) registry.registerMetric(this.#metricOf(definition))
    return registry
  }

  /**
   * prom-client's own counters and histograms can only be added to; what is counted elsewhere already is given to the registry as
   * what it asks a metric for.
   */
  #metricOf({ name, type, help, read }: MetricDefinition): Metric {
    const get = async () => {
      const values = this.#seen === undefined ? [] : read(this.#seen)
      return {
        name,
        type,
        help,
        values: values.map(({ labels, value, suffix = '' }) => ({ labels, value, metricName: `${name}${suffix}` })),
      }
    }
    return { name, get } as unknown as Metric
  }
}
