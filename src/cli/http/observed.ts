/** What watchers of processes ask: `/metrics` for Prometheus, `/healthz` and `/readyz`. Called by the server; what they say is `src/observe`'s. */

import type { ServerResponse } from 'node:http'
import { healthOf } from '../../observe/health.js'
import { PrometheusMetrics } from '../../observe/prometheus.js'
import type { Cluster } from '../../shared/api.js'
import { sendJson } from '../control/json-http.js'
import { SAFE_HEADERS } from './guard.js'

export class Observed {
  readonly #cluster: Cluster
  readonly #metrics: PrometheusMetrics

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#metrics = new PrometheusMetrics(cluster)
  }

  /** False: it is not one of these. */
  async send(path: string, response: ServerResponse): Promise<boolean> {
    if (path === '/metrics') await this.#sendMetrics(response)
    else if (path === '/healthz') this.#sendHealth('live', response)
    else if (path === '/readyz') this.#sendHealth('ready', response)
    else return false
    return true
  }

  close(): void {
    this.#metrics.close()
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    const { contentType, body } = await this.#metrics.text()
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
    response.end(body)
  }

  /** 200: yes; 503: no, and why. */
  #sendHealth(what: 'live' | 'ready', response: ServerResponse): void {
    const health = healthOf(this.#cluster)
    sendJson(response, health[what] ? 200 : 503, health, SAFE_HEADERS)
  }
}
