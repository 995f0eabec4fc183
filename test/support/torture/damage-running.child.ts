/**
 * A process with one cluster open: it ends a node, damages a file of it, and lets it start again, while it writes and reads. It
 * says what is wrong: what quorum reads and scans serve meanwhile, whether every copy is back once it has settled; and every so
 * often, closed, what lies in the stores. It is told which file by messages; that it dies is what its parent watches for.
 */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ThreadFaults } from '../../../src/faults.js'
import { type Cluster, openCluster } from '../../../src/index.js'
import { Prng } from '../../../src/protocol/prng.js'
import { nodeFolders } from '../../../src/storage/layout.js'
import { nodeIds } from '../cluster.js'
import { damageFile, type FileDeed } from './damage-deeds.js'
import {
  COPIES,
  closeAndLook,
  type DamageReport,
  KEYS,
  keyOf,
  missingCopies,
  SMALL,
  unsettled,
  valueIn,
  wrongKeys,
  wrongScan,
} from './damage-judge.js'
import { type NodeFile, nodeFilesOf } from './damage-kinds.js'
import type { DamageCase } from './damage-plan.js'

/** What it is told. */
export interface RunningTask {
  readonly damage: DamageCase
  readonly nodes: number
  /** Of its cluster, which is made anew by the first task of the process and after whatever did not hold. */
  readonly location: string
  /** The stores are looked into after it. */
  readonly isLast: boolean
}

/** Damages between two looks into the closed stores. */
const ROUNDS_PER_LOOK = 25
/** Every damage ends a life; none of the nodes is to be given up. */
const OPTIONS = { ...SMALL, faults: true, restartsMax: 1_000, restartWindowMs: 100 } as const

interface Running {
  cluster: Cluster
  readonly expected: Map<string, string | null>
  round: number
}

let running: Running | undefined

process.on('message', (task: RunningTask) => {
  void examine(task).then((report) => process.send?.(report))
})

async function examine(task: RunningTask): Promise<DamageReport> {
  running ??= await begin(task)
  running.round += 1
  await write(running, KEYS / 10)
  const report = await damageAndJudge(running, task)
  if (report.problems.length === 0 && running.round % ROUNDS_PER_LOOK !== 0 && !task.isLast) return report
  const wrong = await closeAndLook(running.cluster, running.expected)
  const problems = [...report.problems, ...wrong]
  if (problems.length > 0 || task.isLast) running = undefined
  else running.cluster = await openCluster({ ...OPTIONS, location: task.location })
  return { ...report, problems }
}

async function begin({ location, nodes }: RunningTask): Promise<Running> {
  rmSync(location, { recursive: true, force: true })
  const cluster = await openCluster({ ...OPTIONS, location, nodes })
  const begun = { cluster, expected: new Map<string, string | null>(), round: 0 }
  await write(begun, KEYS)
  await cluster.settled()
  return begun
}

/** The next so many keys, in turn; one in seven is deleted. */
async function write({ cluster, expected, round }: Running, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => (round * count + index) % KEYS)
  const operations = numbers.map((number) => {
    const key = keyOf(number)
    return (number + round) % 7 === 0
      ? ({ type: 'del', key } as const)
      : ({ type: 'put', key, value: valueIn(number, round) } as const)
  })
  await cluster.batch(operations, { timeoutMs: 20_000 })
  for (const operation of operations) expected.set(operation.key, 'value' in operation ? operation.value : null)
}

async function damageAndJudge(running: Running, { damage, location }: RunningTask): Promise<DamageReport> {
  const { cluster, expected } = running
  const { kind, deed } = damage.damage as { kind: NodeFile; deed: FileDeed }
  const prng = new Prng(damage.seed)
  const node = await nodeWith(cluster, { location, kind, prng })
  let isNoticed = false
  const onNoticed = () => {
    isNoticed = true
  }
  const noticing = ['node:amnesia', 'node:quarantine', 'record:damaged'] as const
  for (const name of noticing) cluster.on(name, onNoticed)
  let what = ''
  await faultsOf(cluster).changeFiles(node, 'a file was damaged', async () => {
    const files = nodeFilesOf(location, node, kind)
    what = damageFile(prng.pick(files) ?? `no ${kind} in ${node}`, deed, prng)
  })
  const startedMs = performance.now()
  const problems = await readUntilSettled(running)
  const healedMs = performance.now() - startedMs
  for (const name of noticing) cluster.off(name, onNoticed)
  problems.push(...(await wrongScan(cluster, expected)), ...missingCopies(cluster, expected))
  problems.push(...(await repairsOfAllCopies(running)))
  return { what: `${node}/${what}`, problems, healedMs, fate: isNoticed ? 'noticed' : 'unnoticed' }
}

/** A node that has such a file; where none has, one comes to have it. */
async function nodeWith(
  cluster: Cluster,
  { location, kind, prng }: { location: string; kind: NodeFile; prng: Prng },
): Promise<string> {
  const nodes = prng.shuffled(nodeIds(cluster))
  const found = () => nodes.find((node) => nodeFilesOf(location, node, kind).length > 0)
  const [first = ''] = nodes
  if (found() !== undefined) return found() ?? first
  if (kind === 'opening') writeFileSync(join(nodeFolders(location, first).folder, kind), '{"pid":1,"deaths":0}')
  else {
    // A store that is opened again has its log in a table, and its text log under another name.
    if (kind === 'quarantine') await cluster.faults.corrupt(first)
    else await cluster.faults.crash(first)
    await cluster.settled()
  }
  const node = found()
  if (node === undefined) throw new Error(`no node has a ${kind}`)
  return node
}

/** Reads of everything while a node is away, starts and is filled. */
const PASSES_MAX = 4

/** By quorum; the first passes with writes in between. */
async function readUntilSettled(running: Running): Promise<string[]> {
  const { cluster, expected } = running
  let problems: readonly string[] | undefined
  const settled = unsettled(cluster).then((found) => {
    problems = found
  })
  const wrong: string[] = []
  for (let pass = 0; pass < PASSES_MAX && (pass < 2 || problems === undefined); pass++) {
    if (pass < 2) await write({ ...running, round: running.round * 3 + pass }, 5)
    wrong.push(...(await wrongKeys(cluster, expected, `meanwhile, pass ${pass}`)))
  }
  await settled
  // What was written after it had settled.
  return [...wrong, ...(problems ?? []), ...(await unsettled(cluster))]
}

/** All copies are equal: reading them all finds nothing to repair. */
async function repairsOfAllCopies({ cluster, expected }: Running): Promise<string[]> {
  let repairs = 0
  const onRepair = () => {
    repairs += 1
  }
  cluster.on('repair', onRepair)
  const wrong = await wrongKeys(cluster, expected, 'of all copies', COPIES)
  cluster.off('repair', onRepair)
  return repairs === 0 ? wrong : [...wrong, `${repairs} copies were not equal after settling`]
}

function faultsOf(cluster: Cluster): ThreadFaults {
  const { faults } = cluster
  if (!(faults instanceof ThreadFaults)) throw new Error('a cluster of this process has its own faults')
  return faults
}
