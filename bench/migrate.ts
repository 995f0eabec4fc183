/**
 * `npm run bench:migrate`: a cluster under load moves to a Redis Cluster of six processes on this machine. How fast each stage is, what the
 * load sees of it, and whether every record is there after, read one by one by another program's way. Writes a table.
 *
 * --keys N  --value-bytes N  --callers N
 * --quick        few keys: shows that it works, measures little
 * --out FOLDER   (default bench/results; with --quick none)
 *
 * Exit code 1 if a record is not as it was last written, or a call failed. Rates are told, not judged.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, CoterieError, type MigrationSummary, openCluster } from '../src/index.js'
import { argument, flag, markdownTable, provenance, type Row, writePage } from './harness.js'
import { startRedisCluster } from './subjects/redis-cluster.js'
import { redisVersion } from './subjects/redis-process.js'

const quick = flag('quick')
const keys = Number(argument('keys') ?? (quick ? 5_000 : 1_000_000))
const valueBytes = Number(argument('value-bytes') ?? 100)
const callers = Number(argument('callers') ?? 4)
const out = argument('out') ?? (quick ? undefined : 'bench/results')
const NODES = 5
const BATCH = 500
const BATCHES_IN_FLIGHT = 4
/** Of the load alone, before and after. */
const ALONE_MS = quick ? 300 : 5_000
const NAME = 'bench'

/** What the load saw in one stage. */
interface Seen {
  readonly stage: string
  readonly fromMs: number
  tookMs: number
  readonly getsMs: number[]
  readonly putsMs: number[]
}

const broken: string[] = []
const from = await provenance(`npm run bench:migrate${quick ? ' -- --quick' : ''}`)
const filler = '.'.repeat(valueBytes)
/** The last write of each key that was acknowledged. */
const versions = new Int32Array(keys)
const keyOf = (index: number): string => `key:${String(index).padStart(12, '0')}`
const recordOf = (index: number): string => `${index} ${versions[index]} ${filler}`.slice(0, valueBytes)
const stages: Seen[] = []

const folder = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
const redis = await startRedisCluster(join(folder, 'redis'))
const seeds = redis.all.map(({ port }) => `redis://127.0.0.1:${port}`)
let summary: MigrationSummary
let verifiedPerSecond = 0
try {
  const cluster = await openCluster({ location: join(folder, 'cluster'), nodes: NODES })
  try {
    await load(cluster)
    summary = await underLoad(cluster, async () => {
      await stage('before', () => delay(ALONE_MS))
      cluster.on('migration', (status) => begin(status.stage))
      const migrated = await cluster.migrate({ to: { engine: 'redis-cluster', seeds, name: NAME } })
      await stage('after', () => delay(ALONE_MS))
      return migrated
    })
    verifiedPerSecond = await checkAll()
  } finally {
    await cluster.close()
  }
} finally {
  await redis.end()
  await rm(folder, { recursive: true })
}
await report()
for (const line of broken) console.log(`BROKEN ${line}`)
if (broken.length > 0) process.exitCode = 1

async function load(cluster: Cluster): Promise<void> {
  const inFlight = new Set<Promise<void>>()
  for (let first = 0; first < keys; first += BATCH) {
    const count = Math.min(BATCH, keys - first)
    const operations = Array.from({ length: count }, (_, at) => ({
      type: 'put' as const,
      key: keyOf(first + at),
      value: recordOf(first + at),
    }))
    const batch = cluster.batch(operations, { timeoutMs: 60_000 }).finally(() => inFlight.delete(batch))
    inFlight.add(batch)
    if (inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  await cluster.settled({ timeoutMs: 120_000 })
}

/** Callers, each with keys of its own, that read and write one after the other until the deed is done. */
async function underLoad<T>(cluster: Cluster, deed: () => Promise<T>): Promise<T> {
  let isOver = false
  const caller = async (first: number): Promise<void> => {
    for (let step = 0; !isOver; step++) {
      const index = first + callers * Math.floor(Math.random() * Math.floor(keys / callers))
      const beganMs = performance.now()
      const isPut = step % 2 === 0
      try {
        if (isPut) await put(cluster, index)
        else await cluster.get(keyOf(index))
      } catch (error) {
        if (!(error instanceof CoterieError)) throw error
        broken.push(`a ${isPut ? 'put' : 'get'} failed with ${error.code} in stage ${stages.at(-1)?.stage}`)
      }
      stages.at(-1)?.[isPut ? 'putsMs' : 'getsMs'].push(performance.now() - beganMs)
    }
  }
  const calling = Array.from({ length: callers }, (_, first) => caller(first))
  try {
    return await deed()
  } finally {
    isOver = true
    await Promise.all(calling)
  }
}

async function put(cluster: Cluster, index: number): Promise<void> {
  const value = `${index} ${(versions[index] ?? 0) + 1} ${filler}`.slice(0, valueBytes)
  await cluster.put(keyOf(index), value)
  versions[index] = (versions[index] ?? 0) + 1
}

async function stage(name: string, deed: () => Promise<unknown>): Promise<void> {
  begin(name)
  await deed()
  end()
}

function begin(name: string): void {
  end()
  stages.push({ stage: name, fromMs: performance.now(), tookMs: 0, getsMs: [], putsMs: [] })
}

function end(): void {
  const last = stages.at(-1)
  if (last !== undefined && last.tookMs === 0) last.tookMs = performance.now() - last.fromMs
}

/** By a client of its own, in order: every record, and none besides. Gives records a second. */
async function checkAll(): Promise<number> {
  const store = await openCluster({ engine: 'redis-cluster', seeds, name: NAME })
  try {
    const beganMs = performance.now()
    let index = 0
    let wrong = 0
    for await (const [key, value] of store.scan({ timeoutMs: 60_000 })) {
      if (String(key) !== keyOf(index) || String(value) !== recordOf(index)) wrong += 1
      index += 1
    }
    if (index !== keys) broken.push(`${index} records are there, not ${keys}`)
    if (wrong > 0) broken.push(`${wrong} records are not as they were last written`)
    return Math.round((index / (performance.now() - beganMs)) * 1_000)
  } finally {
    await store.close()
  }
}

async function report(): Promise<void> {
  const shown = stages.filter(({ stage: name, getsMs }) => name !== 'done' && getsMs.length > 0)
  const rows: Row[] = shown.map(({ stage: name, tookMs, getsMs, putsMs }) => ({
    stage: name,
    took: `${(tookMs / 1_000).toFixed(1)} s`,
    'calls/s': Math.round(((getsMs.length + putsMs.length) / tookMs) * 1_000).toLocaleString('en'),
    'get p50': quantile(getsMs, 0.5),
    'get p99': quantile(getsMs, 0.99),
    'get max': quantile(getsMs, 1),
    'put p50': quantile(putsMs, 0.5),
    'put p99': quantile(putsMs, 0.99),
    'put max': quantile(putsMs, 1),
  }))
  const count = (number: number) => Math.round(number).toLocaleString('en')
  const calls = stages.reduce((sum, { getsMs, putsMs }) => sum + getsMs.length + putsMs.length, 0)
  const page = `# Moving to a Redis Cluster under load

${count(keys)} records of ${valueBytes} bytes on ${NODES} nodes (n=3, r=w=2) move to Redis ${redisVersion()}, three masters with a replica each, all on this machine; a write is
acknowledged once w=2 copies have it there, too. ${callers} callers read and write at random meanwhile, one call after the other, half of each. ${from}.

${markdownTable(rows)}

- Backfill: ${count(summary.copied)} records, ${count(summary.perSecond.backfill)} a second. Verification: ${count(summary.verified)} records, ${count(summary.perSecond.verify)} a second; pass ${summary.passes} found no
  difference${summary.mended === 0 ? '' : `, those before ${count(summary.mended)}`}. In all ${(summary.tookMs / 1_000).toFixed(1)} s.
- Writes were held for ${summary.heldMs.toFixed(0)} ms at the cutover; reads were not.
- Of ${count(calls)} calls ${count(broken.length)} failed or were wrong. After it another client read all ${count(keys)} records in order (${count(verifiedPerSecond)} a second) and found each as it was last written, and none besides.
- Nodes, callers, the migration and the six Redis processes share the machine's cores: on machines of their own each would have more.
`
  console.log(page)
  if (out !== undefined) await writePage(out, 'migrate.md', page)
}

function quantile(all: readonly number[], share: number): string {
  const sorted = [...all].sort((a, b) => a - b)
  const found = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return `${found.toFixed(found < 10 ? 2 : 0)} ms`
}
