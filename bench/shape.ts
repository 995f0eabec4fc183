/**
 * `npm run bench:shape`: what callers see of joins, a leave and lost stores. Callers with one request each never stop; between the steps
 * there are calm stretches to compare with. In the end every key is read. Writes a table.
 *
 * --keys N  --value-bytes N  --callers N  --warm-up-ms N  --calm-ms N
 * --quick        few keys, short stretches: shows that it works, measures little
 * --out FOLDER   (default bench/results; with --quick none)
 *
 * Exit code 1 if a request failed, a read or a write was wrong, or replication or even shares were not reached. Latencies are told, not judged.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, openCluster } from '../src/index.js'
import { argument, flag, markdownTable, provenance, type Row, writePage } from './harness.js'
import { Ledger } from './shape/ledger.js'
import { countMoved, type Moved, sharesOf, untilReplicated } from './shape/replication.js'
import { STEPS, type Step } from './shape/steps.js'
import { type Stretch, Traffic } from './shape/traffic.js'

const quick = flag('quick')
const keys = Number(argument('keys') ?? (quick ? 2_000 : 200_000))
const valueBytes = Number(argument('value-bytes') ?? 100)
const callers = Number(argument('callers') ?? 8)
const warmUpMs = Number(argument('warm-up-ms') ?? (quick ? 200 : 10_000))
const calmMs = Number(argument('calm-ms') ?? (quick ? 200 : 5_000))
const out = argument('out') ?? (quick ? undefined : 'bench/results')
const REPLICATION = { n: 3, r: 2, w: 2 }
const NODES = 5
const REPLICATED_WITHIN_MS = 120_000
/** The aim: p99 during a step, in times that of the calm before it. */
const P99_TIMES_MAX = 3
const BATCH = 1_000

interface Outcome {
  readonly step: Step
  readonly tookMs: number
  readonly calm: Stretch
  readonly during: Stretch
  readonly failed: number
  readonly moved: Moved
  readonly shares: ReturnType<typeof sharesOf>
}

const broken: string[] = []
const beganMs = performance.now()
const from = await provenance(`npm run bench:shape${quick ? ' -- --quick' : ''}`)
const folder = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
try {
  await run()
} finally {
  await rm(folder, { recursive: true })
}
for (const line of broken) console.log(`BROKEN ${line}`)
if (broken.length > 0) process.exitCode = 1

async function run(): Promise<void> {
  const ledger = new Ledger(keys, valueBytes)
  const cluster = await openCluster({ location: folder, nodes: NODES, replication: REPLICATION, faults: true })
  const outcomes: Outcome[] = []
  try {
    await load(cluster, ledger)
    const traffic = new Traffic(cluster, ledger, callers)
    try {
      await delay(warmUpMs)
      for (const step of STEPS) outcomes.push(await take(step, cluster, traffic))
    } finally {
      await traffic.stop()
    }
    await cluster.settled({ timeoutMs: REPLICATED_WITHIN_MS })
    if (traffic.failed > 0) broken.push(`${traffic.failed} requests failed, the first: ${traffic.failures.join(' / ')}`)
    if (traffic.unsound > 0) broken.push(`${traffic.unsound} reads were stale or wrong`)
    const lost = await countLost(cluster, ledger)
    if (lost > 0) broken.push(`${lost} of ${keys} keys lack their last acknowledged write`)
    await report(outcomes, ledger, lost)
  } finally {
    await cluster.close()
  }
}

async function load(cluster: Cluster, ledger: Ledger): Promise<void> {
  for (let first = 0; first < keys; first += BATCH)
    await cluster.batch(
      indexesFrom(first).map((index) => ({ type: 'put', key: ledger.key(index), value: ledger.value(index, 0) })),
    )
  await cluster.settled()
}

/** A calm stretch, the step, and what comes of it until all copies are where they belong. */
async function take(step: Step, cluster: Cluster, traffic: Traffic): Promise<Outcome> {
  const endCalm = traffic.measure()
  await delay(calmMs)
  const calm = endCalm()
  const failedBefore = traffic.failed
  const endMoved = countMoved(cluster)
  const endStretch = traffic.measure()
  const startMs = performance.now()
  await step.run(cluster)
  const replicatedMs = await untilReplicated(cluster, keys, REPLICATED_WITHIN_MS)
  const during = endStretch()
  const shares = sharesOf(cluster.status())
  if (!shares.isEven) broken.push(`after ${step.name}: ${shares.least} to ${shares.most} replicas a node`)
  const failed = traffic.failed - failedBefore
  const outcome = { step, tookMs: replicatedMs - startMs, calm, during, failed, moved: endMoved(), shares }
  console.log(JSON.stringify(rowOf(outcome)))
  return outcome
}

/** Every key by a strict read of the cluster's quorum. */
async function countLost(cluster: Cluster, ledger: Ledger): Promise<number> {
  let lost = 0
  for (let first = 0; first < keys; first += BATCH) {
    const indexes = indexesFrom(first)
    const values = await cluster.getMany(indexes.map((index) => ledger.key(index)))
    for (const [place, index] of indexes.entries()) if (ledger.judge(index, values[place]) !== 'right') lost += 1
  }
  return lost
}

function indexesFrom(first: number): number[] {
  return Array.from({ length: Math.min(BATCH, keys - first) }, (_, offset) => first + offset)
}

function rowOf({ step, tookMs, calm, during, failed, moved, shares }: Outcome): Row {
  const times = during.p99Ms / calm.p99Ms
  return {
    step: step.name,
    'settled after': `${(tookMs / 1_000).toFixed(1)} s`,
    requests: during.requests,
    failed,
    'p50 calm → step': `${calm.p50Ms.toFixed(2)} → ${during.p50Ms.toFixed(2)} ms`,
    'p99 calm → step': `${calm.p99Ms.toFixed(1)} → ${during.p99Ms.toFixed(1)} ms`,
    'p99 ratio': `${times.toFixed(1)}, ${times <= P99_TIMES_MAX ? 'met' : 'MISSED'}`,
    'longest calm → step': `${calm.maxMs.toFixed(0)} → ${during.maxMs.toFixed(0)} ms`,
    'replicas filled': moved.partitions,
    'MB sent': `${(moved.bytes / 1e6).toFixed(1)}`,
    'replicas a node': `${shares.least}–${shares.most}`,
  }
}

async function report(outcomes: readonly Outcome[], ledger: Ledger, lost: number): Promise<void> {
  const page = `# Joins, leaves and lost stores under load

${NODES} nodes, n=${REPLICATION.n}, r=w=2, ${count(keys)} keys of ${valueBytes} bytes; ${callers} callers with one request each, half gets of any key and half puts, from beginning to
end. ${from}.

${markdownTable(outcomes.map(rowOf))}

- _Settled_: every member knows the newest table, no partition moves, no hint waits, and all members together hold exactly three copies of each key, at two looks
  in a row. The step's latencies are those of that whole time; the calm ones are of the ${calmMs / 1_000} s just before it. The aim is a p99 within ${P99_TIMES_MAX} times the calm one.
- _Sent_: what all fills brought, values and 100 bytes for each record. A new owner reads from n − w + 1 = 2 of the old.
- All in all ${count(ledger.writes)} writes were acknowledged. At the end every key was read by a strict quorum: ${count(lost)} lacked their last acknowledged write. ${
    broken.length === 0 ? 'No request failed, no read was stale.' : `Broken: ${broken.join('; ')}.`
  }
- It took ${((performance.now() - beganMs) / 1_000).toFixed(0)} s.
`
  console.log(`\n${page}`)
  if (out !== undefined) await writePage(out, 'shape.md', page)
}

function count(number: number): string {
  return number.toLocaleString('en')
}
