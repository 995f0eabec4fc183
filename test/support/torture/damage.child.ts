/**
 * A process that opens damaged clusters, one after the other, and says what is wrong with each: what quorum reads and scans
 * serve at once, whether every copy is back after it has settled, and what then lies in the stores. It is told which by
 * messages; that it dies is what its parent watches for.
 */

import { readFileSync } from 'node:fs'
import { type Cluster, openCluster } from '../../../src/index.js'
import { dataKey } from '../../../src/storage/keyspace.js'
import { nodeFolders } from '../../../src/storage/layout.js'
import { openLevel } from '../../../src/storage/open-level.js'
import { decodeRecord } from '../../../src/storage/record-codec.js'
import { collect, copiesOf, nodeIds, outcomeOf, textOf } from '../cluster.js'

/** What it is told. */
export interface DamageTask {
  readonly location: string
  /** A JSON file: key → value, null for deleted keys. */
  readonly expected: string
}

/** What it says of it. */
export interface DamageReport {
  /** What did not hold; none if everything did. */
  readonly problems: readonly string[]
  readonly openMs: number
  readonly settledMs: number
  /** Whether the damage was noticed: a store set aside, an amnesia, a repair. */
  readonly noticed: boolean
}

type Expected = ReadonlyMap<string, string | null>

const LEVEL = { cacheBytes: 65_536, openFilesMax: 100, writeBufferBytes: 65_536, lockWaitMs: 1_000 }

process.on('message', (task: DamageTask) => {
  void examine(task).then((report) => process.send?.(report))
})

async function examine(task: DamageTask): Promise<DamageReport> {
  const expected: Expected = new Map(Object.entries(JSON.parse(readFileSync(task.expected, 'utf8')) as object))
  const startedMs = performance.now()
  const problems: string[] = []
  let cluster: Cluster
  try {
    cluster = await openCluster({ location: task.location, writeBufferBytes: 65_536 })
  } catch (error) {
    return { problems: [`it did not open: ${String(error)}`], openMs: 0, settledMs: 0, noticed: true }
  }
  let noticed = cluster.status().nodes.some((node) => node.quarantined.length > 0 || node.pending > 0)
  for (const name of ['node:amnesia', 'node:quarantine', 'repair', 'record:damaged'] as const) {
    cluster.on(name, () => {
      noticed = true
    })
  }
  const openMs = performance.now() - startedMs
  problems.push(...(await wrongOf(cluster, expected, 'at once, by quorum')))
  problems.push(...(await wrongScan(cluster, expected)))
  const settled = await outcomeOf(cluster.settled({ timeoutMs: 30_000 }))
  if (settled !== 'ok') problems.push(`it did not settle: ${settled}`)
  const settledMs = performance.now() - startedMs - openMs
  const owners = new Map([...expected.keys()].map((key) => [key, cluster.locate(key).owners]))
  const nodes = nodeIds(cluster)
  const live = [...expected.values()].filter((value) => value !== null).length
  if (copiesOf(cluster) !== 3 * live) problems.push(`${copiesOf(cluster)} copies of ${live} live keys after settling`)
  await cluster.close()
  for (const node of nodes) problems.push(...(await wrongStore(task.location, node, { expected, owners })))
  return { problems: problems.slice(0, 10), openMs, settledMs, noticed }
}

async function wrongOf(cluster: Cluster, expected: Expected, when: string): Promise<string[]> {
  const keys = [...expected.keys()]
  const values = await cluster.getMany(keys, { timeoutMs: 20_000 })
  const wrong = keys.filter((key, index) => (textOf(values[index]) ?? null) !== expected.get(key))
  return wrong.length === 0
    ? []
    : [`${when}: ${wrong.length} keys are wrong, among them ${wrong.slice(0, 3).join(', ')}`]
}

async function wrongScan(cluster: Cluster, expected: Expected): Promise<string[]> {
  const found = (await collect(cluster.scan({ timeoutMs: 20_000 }))).map(
    ([key, value]) => [Buffer.from(key).toString(), textOf(value)] as const,
  )
  const live = [...expected].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(found) === JSON.stringify(live) ? [] : [`a scan gave ${found.length} records of ${live.length}`]
}

/** Each owner's own store, without the cluster: the newest version of every key of its partitions, tombstones included. */
async function wrongStore(
  location: string,
  node: string,
  { expected, owners }: { expected: Expected; owners: ReadonlyMap<string, readonly string[]> },
): Promise<string[]> {
  const level = await openLevel(nodeFolders(location, node).store, LEVEL)
  const wrong: string[] = []
  for (const [key, value] of expected) {
    if (owners.get(key)?.includes(node) !== true) continue
    const bytes = await level.get(dataKey(key))
    const record = bytes === undefined ? undefined : decodeRecord(key, bytes)
    const found =
      typeof record === 'object' && record.kind === 'lww' ? (textOf(record.value ?? undefined) ?? null) : record
    if (found !== value) wrong.push(key)
  }
  await level.close()
  return wrong.length === 0
    ? []
    : [`the store of ${node} has ${wrong.length} keys wrong: ${wrong.slice(0, 3).join(', ')}`]
}
