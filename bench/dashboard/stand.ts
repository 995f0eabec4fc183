/** A cluster with records, the dashboard's server when it is wanted, and a browser. Called by the parts of the bench. */

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { HttpServer } from '../../src/cli/http/http-server.js'
import { newToken } from '../../src/cli/http/token.js'
import { type Cluster, openCluster } from '../../src/index.js'

const RECORDS = 20_000
const FEW_NODES = 16
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export class Stand {
  readonly cluster: Cluster
  readonly browser: Browser
  readonly #folder: string

  private constructor(folder: string, cluster: Cluster, browser: Browser) {
    this.#folder = folder
    this.cluster = cluster
    this.browser = browser
  }

  static async open({ nodes, partitions }: { nodes: number; partitions: number }): Promise<Stand> {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-dashboard-'))
    const location = join(folder, 'data')
    const cluster = await openCluster({ location, nodes, partitions, openTimeoutMs: 120_000, ...patience(nodes) })
    const operations = Array.from({ length: RECORDS }, (_, number) => {
      return { type: 'put', key: keyOf(number), value: 'x'.repeat(100) } as const
    })
    for (let from = 0; from < RECORDS; from += 500) await cluster.batch(operations.slice(from, from + 500))
    await cluster.settled({ timeoutMs: 60_000 })
    // Caches hold what they can from the beginning, so that the rates do not grow while they are compared.
    for (let from = 0; from < RECORDS; from += 500)
      await cluster.getMany(operations.slice(from, from + 500).map(({ key }) => key))
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
    return new Stand(folder, cluster, browser)
  }

  serve(): Promise<HttpServer> {
    const { cluster } = this
    const address = { host: '127.0.0.1', port: 0 }
    return HttpServer.listen({ cluster, address, token: newToken(), faults: false, mayDestroy: false })
  }

  async close(): Promise<void> {
    await this.browser.close()
    await this.cluster.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Sixty-four threads on few cores are not quick: none is to be taken for hung, and no request is to end in between. */
function patience(nodes: number) {
  return nodes <= FEW_NODES ? {} : { readTimeoutMs: 60_000, writeTimeoutMs: 60_000, hungAfterMs: 60_000 }
}

/** One of those that are there. */
export function keyOf(number: number): string {
  return `key:${String(number % RECORDS).padStart(6, '0')}`
}

export interface PageSizes {
  readonly bytes: number
  readonly packedBytes: number
}

/** Of what a browser loads. */
export async function pageSizes(): Promise<PageSizes> {
  const folder = new URL('../../src/dashboard/served/', import.meta.url)
  const names = await readdir(folder)
  const sum = async (wanted: (name: string) => boolean) => {
    const files = await Promise.all(names.filter(wanted).map((name) => stat(new URL(name, folder))))
    return files.reduce((total, { size }) => total + size, 0)
  }
  return {
    bytes: await sum((name) => /\.(html|js|css|svg)$/.test(name)),
    packedBytes: await sum((name) => name.endsWith('.gz')),
  }
}
