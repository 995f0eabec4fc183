/**
 * A process that opens a cluster, reads back every key that was ever used, and then reads, writes and deletes until it is
 * killed; meanwhile nodes are wiped and given up, or the disk fills up, if it is told so. What it saw is in its journal. With `ends` it settles,
 * reads from all owners, closes and says what its stores hold. Its argument: a `WriterTask` as JSON.
 */

import { availableParallelism } from 'node:os'
import { type Cluster, openCluster } from '../../../src/index.js'
import { Prng } from '../../../src/protocol/prng.js'
import { copiesOf } from '../cluster.js'
import { JournaledHistory } from '../journal.js'
import { newCounter, readBack, startWorkload } from '../workload.js'
import { Ballast } from './ballast.js'
import { KEYS_IN_USE, OPERATIONS_PER_KEY, VALUE_BYTES } from './shape.js'

/** What the process is told to do. */
export interface WriterTask {
  readonly location: string
  readonly durability: 'process' | 'disk'
  readonly nodes: number
  readonly journal: string
  /** Number of its first operation, and how many keys there are before it. */
  readonly firstNumber: number
  readonly keys: number
  readonly seed: number
  /** `disk`: the location's file system is small, and is filled up. */
  readonly strikes: 'nothing' | 'nodes' | 'disk'
  readonly ends: boolean
}

/** What it says. */
export type WriterReport =
  | { readonly type: 'refused' | 'opened' | 'verified' | 'working' | 'struck' }
  | { readonly type: 'ended'; readonly copies: number; readonly liveKeys: number; readonly quarantined: number }

const CALLERS = 16
const COPIES = 3
const PATIENCE_MS = 20_000

// An orphan must not go on writing: if the parent ends without the kill, so does this.
const onOrphaned = () => process.exit(1)
process.once('disconnect', onOrphaned)
await run(JSON.parse(process.argv[2] ?? '') as WriterTask)

async function run(task: WriterTask): Promise<void> {
  const { location, durability, nodes } = task
  // Small buffers: logs are rotated and tables written in every life.
  const sizes = { partitions: 32, writeBufferBytes: 65_536, recordCacheBytes: 65_536 }
  const opening = { location, durability, nodes, ...sizes, faults: true }
  const ballast = new Ballast(location, new Prng(task.seed))
  const onRefused = () => say({ type: 'refused' })
  const cluster = await (task.strikes === 'disk' ? ballast.open(opening, onRefused) : openCluster(opening))
  say({ type: 'opened' })
  const history = new JournaledHistory(task.journal)
  const keys = Array.from({ length: task.keys }, (_, number) => number)
  const reading = { history, valueBytes: VALUE_BYTES }
  await readBack(cluster, keys, { ...reading, getOptions: { timeoutMs: PATIENCE_MS } })
  say({ type: 'verified' })
  if (task.ends) {
    await cluster.settled({ timeoutMs: 60_000 })
    const before = history.length
    await readBack(cluster, keys, { ...reading, getOptions: { r: COPIES, timeoutMs: PATIENCE_MS } })
    await end(cluster, [...history.rows()].slice(before).filter((row) => row.value !== -1).length)
    return
  }
  const counter = newCounter()
  counter[0] = task.firstNumber
  const options = {
    callers: CALLERS,
    seed: task.seed,
    counter,
    keysInUse: KEYS_IN_USE,
    operationsPerKey: OPERATIONS_PER_KEY,
    mix: { get: 20, put: 60, delete: 20 },
    valueBytes: VALUE_BYTES,
    requestsPerSecondMax: 2_000 * Math.min(4, availableParallelism()),
  }
  startWorkload(cluster, options, history)
  await cluster.get('a first answer')
  say({ type: 'working' })
  const onStruck = () => say({ type: 'struck' })
  if (task.strikes === 'nodes') await strikeNodes(cluster, new Prng(task.seed), onStruck)
  if (task.strikes === 'disk') await ballast.fillAndFree(cluster, onStruck)
}

/** One node after the other: where a node is still being filled, wiping a second one may lose what nobody promised to keep. */
async function strikeNodes(cluster: Cluster, prng: Prng, onStruck: () => void): Promise<never> {
  for (;;) {
    await cluster.settled({ timeoutMs: 60_000 })
    const up = cluster.status().nodes.filter((node) => node.status === 'up')
    const node = prng.pick(up)?.id ?? ''
    // Four members are needed, that one may be given up and three copies be kept.
    const permanent = up.length > 4 && prng.below(4) === 0
    await (permanent ? cluster.faults.crash(node, { permanent }) : cluster.faults.wipe(node))
    onStruck()
  }
}

async function end(cluster: Cluster, liveKeys: number): Promise<void> {
  const copies = copiesOf(cluster)
  const quarantined = cluster.status().nodes.reduce((sum, node) => sum + node.quarantined.length, 0)
  await cluster.close()
  say({ type: 'ended', copies, liveKeys, quarantined })
  process.off('disconnect', onOrphaned)
  process.disconnect()
}

function say(report: WriterReport): void {
  process.send?.(report)
}
