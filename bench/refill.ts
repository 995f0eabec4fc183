/**
 * `npm run bench:refill`: a node goes down for good; how long until every partition has all its copies again, with and without a standby, with the
 * default limit of transfers and with none. Beside it, in the same run: the store of the dead node copied by classic-level alone. Writes a table.
 *
 * --keys N  --value-bytes N  --rest-ms N   (before the death: what LevelDB still does after the load)
 * --only NAME    runs whose name begins like this
 * --quick        few keys: shows that it works, measures little
 * --out FOLDER   (default bench/results; with --quick none)
 *
 * Exit code 1 if a write is lost or replication does not come back. Rates are told, not judged.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, openCluster } from '../src/index.js'
import { argument, flag, markdownTable, provenance, type Row, writePage } from './harness.js'
import { type Copied, copyPlainly } from './refill/plain-copy.js'
import { countMoved, type Moved, untilFull, untilReplicated } from './shape/replication.js'

const quick = flag('quick')
/** Three copies of them are 1 GiB of values. */
const keys = Number(argument('keys') ?? (quick ? 2_000 : 349_525))
const valueBytes = Number(argument('value-bytes') ?? 1_024)
const restMs = Number(argument('rest-ms') ?? (quick ? 0 : 3_000))
const only = argument('only') ?? ''
const out = argument('out') ?? (quick ? undefined : 'bench/results')
const REPLICATION = { n: 3, r: 2, w: 2 }
const NODES = 5
const DEAD = 'node1'
const UNLIMITED = 10_737_418_240
const REPLICATED_WITHIN_MS = 300_000
/** The aim: the rate of a transfer, in parts of the plain copy's. */
const SHARE_MIN = 0.5
const BATCH = 500
const BATCHES_IN_FLIGHT = 4
const LOAD_TIMEOUT_MS = 120_000

interface Variant {
  readonly name: string
  readonly standbys: number
  readonly transferBytesPerSecond?: number
}

const VARIANTS: readonly Variant[] = [
  { name: 'no standby, defaults', standbys: 0 },
  { name: 'no standby, no limit', standbys: 0, transferBytesPerSecond: UNLIMITED },
  { name: 'standby, defaults', standbys: 1 },
  { name: 'standby, no limit', standbys: 1, transferBytesPerSecond: UNLIMITED },
]

interface Outcome {
  readonly variant: Variant
  /** Copies that the dead node had. */
  readonly copies: number
  readonly fullMs: number
  /** Until nothing was left over either. */
  readonly replicatedMs: number
  /** Until the last record had arrived. */
  readonly arrivedMs: number
  readonly moved: Moved
  readonly plain: Copied
}

const broken: string[] = []
const beganMs = performance.now()
const from = await provenance(`npm run bench:refill${quick ? ' -- --quick' : ''}`)
const keyOf = (index: number): string => `key:${String(index).padStart(12, '0')}`
const keyBytes = keyOf(0).length
const noise = makeNoise()
const outcomes: Outcome[] = []
for (const variant of VARIANTS.filter(({ name }) => name.startsWith(only))) {
  const folder = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
  try {
    outcomes.push(await measure(variant, folder))
  } finally {
    await rm(folder, { recursive: true })
  }
}
await report()
for (const line of broken) console.log(`BROKEN ${line}`)
if (broken.length > 0) process.exitCode = 1

async function measure(variant: Variant, folder: string): Promise<Outcome> {
  const { name, ...options } = variant
  const location = join(folder, 'cluster')
  const cluster = await openCluster({ location, nodes: NODES, replication: REPLICATION, faults: true, ...options })
  let measured: Omit<Outcome, 'plain'>
  try {
    await load(cluster)
    await untilReplicated(cluster, keys, REPLICATED_WITHIN_MS)
    await delay(restMs)
    const copies = cluster.status().nodes.find(({ id }) => id === DEAD)?.keys ?? 0
    const endMoved = countMoved(cluster)
    const startMs = performance.now()
    await cluster.faults.crash(DEAD, { permanent: true })
    const fullAtMs = await untilFull(cluster, REPLICATED_WITHIN_MS)
    const replicatedAtMs = await untilReplicated(cluster, keys, REPLICATED_WITHIN_MS)
    const moved = endMoved()
    const arrivedMs = moved.lastAtMs - startMs
    const times = { fullMs: fullAtMs - startMs, replicatedMs: replicatedAtMs - startMs, arrivedMs }
    measured = { variant, copies, ...times, moved }
    const lost = await countLost(cluster)
    if (lost > 0) broken.push(`${name}: ${lost} of ${keys} keys are not as they were written`)
  } finally {
    await cluster.close()
  }
  const plain = await copyPlainly(join(location, DEAD, 'store'), join(folder, 'copy'))
  const outcome = { ...measured, plain }
  console.log(JSON.stringify(rowOf(outcome)))
  return outcome
}

async function load(cluster: Cluster): Promise<void> {
  let first = 0
  const place = async (): Promise<void> => {
    while (first < keys) {
      const indexes = indexesFrom(first)
      first += BATCH
      const operations = indexes.map((index) => ({ type: 'put', key: keyOf(index), value: contentOf(index) }) as const)
      // LevelDB makes writers wait for its compactions; a load is not in a hurry.
      await cluster.batch(operations, { timeoutMs: LOAD_TIMEOUT_MS })
    }
  }
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, place))
}

async function countLost(cluster: Cluster): Promise<number> {
  let lost = 0
  for (let first = 0; first < keys; first += BATCH) {
    const indexes = indexesFrom(first)
    const values = await cluster.getMany(indexes.map(keyOf), { timeoutMs: LOAD_TIMEOUT_MS })
    for (const [place, index] of indexes.entries()) {
      const value = values[place]
      if (value === undefined || !contentOf(index).equals(value)) lost += 1
    }
  }
  return lost
}

function indexesFrom(first: number): number[] {
  return Array.from({ length: Math.min(BATCH, keys - first) }, (_, offset) => first + offset)
}

/** Values are cut out of it at places far apart: LevelDB compresses what repeats, and would copy less than is said. */
function makeNoise(): Buffer {
  const bytes = Buffer.alloc(1 << 20)
  let state = 1
  for (let at = 0; at < bytes.length; at += 4) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0
    bytes.writeUInt32LE((state ^ (state >>> 13)) >>> 0, at)
  }
  return bytes
}

function contentOf(index: number): Buffer {
  const at = Math.imul(index, 0x9e3779b1) >>> 0
  const begin = at % (noise.length - valueBytes)
  return noise.subarray(begin, begin + valueBytes)
}

/** Megabytes of keys and values a second. */
function rateOf(records: number, ms: number): number {
  return ms <= 0 ? 0 : (records * (keyBytes + valueBytes)) / ms / 1_000
}

function rowOf({ variant, copies, fullMs, replicatedMs, arrivedMs, moved, plain }: Outcome): Row {
  const rate = rateOf(moved.records, arrivedMs)
  const plainRate = rateOf(plain.entries, plain.tookMs)
  const share = rate / plainRate
  const isSent = moved.records >= copies
  return {
    run: variant.name,
    'lost copies': copies,
    'records sent': moved.records,
    'full again after': `${(fullMs / 1_000).toFixed(1)} s`,
    'nothing left over after': `${(replicatedMs / 1_000).toFixed(1)} s`,
    'sent after': isSent ? `${(arrivedMs / 1_000).toFixed(1)} s` : '—',
    'MB/s sent': isSent ? rate.toFixed(0) : '—',
    'MB/s plain copy': plainRate.toFixed(0),
    share: isSent ? `${share.toFixed(2)}, ${share >= SHARE_MIN ? 'met' : 'MISSED'}` : '—',
  }
}

async function report(): Promise<void> {
  const megabytes = ((keys * (keyBytes + valueBytes)) / 1e6).toFixed(0)
  const page = `# A node down for good: until all copies are there again

${NODES} nodes, n=${REPLICATION.n}, r=w=2; ${keys.toLocaleString('en')} keys of ${keyBytes} bytes with values of ${valueBytes.toLocaleString('en')} that do not compress: ${megabytes} MB of user data, ${(3 * Number(megabytes)).toLocaleString('en')} MB over all
copies; a standby holds ${megabytes} MB more. Nobody calls meanwhile. ${from}.

${markdownTable(outcomes.map(rowOf))}

- _Full again_: from the death until every partition has its three owners, and each of them all that it is to have. _Nothing left over_: until every member knows
  the newest table, too, and all together hold exactly three copies: a standby that became a member has dropped what it does not own. Then every key was read by a strict quorum: ${broken.length === 0 ? 'all were as they had been written' : broken.join('; ')}.
- _Sent_: what arrived at the nodes that take the dead one's places, keys and values. Each copies a partition from one of the owners that are left, by passes in
  the order of the keys, one for each giver and receiver, over records of which most are of other partitions, and compares Merkle trees with n − w = 1
  other, of which it reads nothing where they are the same. A standby compares with both, and is sent what differs.
- _Plain copy_: the dead node's store, as it was, read by one iterator of classic-level and written into another database in batches, in one thread, just after.
  The aim is half of its rate.
- The default limit is ${(67_108_864 / 1e6).toFixed(0)} MB/s for what one node takes and gives, all together (\`transferBytesPerSecond\`); no limit: ${UNLIMITED.toLocaleString('en')}.
- It took ${((performance.now() - beganMs) / 1_000).toFixed(0)} s.
`
  console.log(`\n${page}`)
  if (out !== undefined) await writePage(out, 'refill.md', page)
}
