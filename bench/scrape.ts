/**
 * `npm run bench:scrape`: what a scrape of `/metrics` costs the thread that answers it, for clusters of 5 and of 64 nodes.
 * Writes a table.
 *
 * --quick  --out FOLDER  (default bench/results)
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, openCluster } from '../src/index.js'
import { healthOf, PrometheusMetrics } from '../src/observe.js'
import { argument, flag, machineLine, summarize } from './harness.js'

const quick = flag('quick')
const scrapes = quick ? 20 : 300
const SHAPES = quick
  ? [{ nodes: 5, partitions: 128 }]
  : [
      { nodes: 5, partitions: 128 },
      { nodes: 64, partitions: 128 },
      { nodes: 64, partitions: 1_024 },
    ]

const lines: string[] = []
const [load = 0] = loadavg()
for (const shape of SHAPES) {
  const location = await mkdtemp(join(tmpdir(), 'coterie-scrape-'))
  // Sixty-four threads on few cores are not quick, and no request is measured here.
  const patience = { readTimeoutMs: 60_000, writeTimeoutMs: 60_000, hungAfterMs: 60_000, openTimeoutMs: 120_000 }
  const cluster = await openCluster({ location, ...shape, ...patience })
  await warmUp(cluster)
  lines.push(await measure(cluster, shape))
  await cluster.close()
  await rm(location, { recursive: true })
}

/** Every kind of request, so that no histogram is empty. */
async function warmUp(cluster: Cluster): Promise<void> {
  const keys = Array.from({ length: 1_000 }, (_, number) => `key:${number}`)
  await cluster.batch(keys.map((key) => ({ type: 'put', key, value: 'v'.repeat(100) })))
  await Promise.all(keys.map((key) => cluster.put(key, 'v')))
  await Promise.all(keys.map((key) => cluster.get(key)))
  await cluster.delete('key:0')
  for await (const _pair of cluster.scan());
}

async function measure(cluster: Cluster, { nodes, partitions }: (typeof SHAPES)[number]): Promise<string> {
  const metrics = new PrometheusMetrics(cluster)
  let bytes = 0
  let series = 0
  const scrapeMs: number[] = []
  const healthMs: number[] = []
  for (let scrape = -20; scrape < scrapes; scrape++) {
    const startedMs = performance.now()
    const { body } = await metrics.text()
    const scrapedMs = performance.now()
    healthOf(cluster)
    // The first ones are not compiled yet; Prometheus comes every few seconds, for ever.
    if (scrape >= 0) {
      scrapeMs.push(scrapedMs - startedMs)
      healthMs.push(performance.now() - scrapedMs)
    }
    bytes = body.length
    series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
  }
  metrics.close()
  const [scraped, health] = [summarize(scrapeMs), summarize(healthMs)]
  const sorted = [...scrapeMs].sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0
  const cells = [nodes, partitions, series, (bytes / 1_024).toFixed(0)]
  const times = [scraped.median, p99, scraped.max, health.median].map((ms) => ms.toFixed(2))
  return `| ${[...cells, ...times].join(' | ')} |`
}

const page = `# What a scrape costs

${new Date().toISOString().slice(0, 10)}, ${machineLine()}; load ${load.toFixed(1)} at the start.

\`PrometheusMetrics.text()\` and \`healthOf()\` of a cluster at rest, ${scrapes} times one after the other, in the thread that opened it; a scrape is one
turn of its event loop. Made by \`npm run bench:scrape\`.

| nodes | partitions | series | KiB | scrape, median ms | p99 ms | longest ms | health, median ms |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
console.log(page)
const folder = argument('out') ?? 'bench/results'
await mkdir(folder, { recursive: true })
if (!quick) await writeFile(join(folder, 'scrape.md'), page)
