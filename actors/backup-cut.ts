/**
 * One consistent cut over all nodes, as the opener's thread takes it: everybody confirms a freeze, then everybody takes a
 * snapshot and goes on.
 *
 * The promise: whatever was acknowledged before the cut is in it, and with it everything that it followed; of what was on its way,
 * some. It needs `ownersNeeded` full owners of each partition: then every write quorum has one of them. Who is silent is
 * left out, as long as that holds; else there is no cut.
 *
 * It must never leave a node frozen: whoever was asked to freeze and is not in the cut is told to go on, after the freeze on the
 * same port; and a node goes on by itself after a while. Called by `Backup`.
 */

import type { NodeId } from '../src/protocol/ids.js'
import { type PartitionTable, standbysOf } from '../src/protocol/ring/table.js'
import { partitionsShort } from '../src/storage/backup-manifest.js'
import { nowMs, type StampClock } from './runtime/clock.js'
import type { NodeThread } from './runtime/node-thread.js'
import type { SupervisorActor } from './supervisor.actor.js'

/** Who has not confirmed by this share of the time is not waited for any longer, if the others are enough. */
const STRAGGLER_SHARE = 0.5
/** A node thaws by itself after its freeze could have been used, and so much. */
const LIMIT_SLACK_MS = 500
/** For what needs no freeze. */
const RELEASE_TIMEOUT_MS = 5_000

export interface LeftOut {
  readonly node: NodeId
  readonly reason: string
}

export interface Cut {
  readonly token: string
  /** Who has a snapshot, in which life. */
  readonly threads: ReadonlyMap<NodeId, NodeThread>
  readonly leftOut: readonly LeftOut[]
  readonly table: PartitionTable
  /** Above every stamp in the cut. */
  readonly clockNs: bigint
  readonly at: Date
  /** From the first freeze that was asked for to the last thaw that was confirmed. */
  readonly frozenMs: number
}

/** Too few owners. */
export class NoCut extends Error {
  constructor(
    readonly partitions: readonly number[],
    readonly leftOut: readonly LeftOut[],
  ) {
    const who = leftOut.map(({ node, reason }) => `${node} (${reason})`).join(', ')
    super(`too few owners of ${partitions.length} partitions took part; left out: ${who === '' ? 'nobody' : who}`)
  }
}

export interface CutOptions {
  readonly supervisor: SupervisorActor
  readonly clock: StampClock
  readonly token: string
  readonly ownersNeeded: (table: PartitionTable) => number
  /** Writes stop for no longer. */
  readonly freezeTimeoutMs: number
}

/** Errors: NoCut. */
export async function takeCut(options: CutOptions): Promise<Cut> {
  const { supervisor, clock, token, ownersNeeded, freezeTimeoutMs } = options
  const asked = new Map<NodeId, NodeThread>()
  const leftOut = new Map<NodeId, string>()
  // A standby owns nothing, and keeps no hints: nothing of it would count.
  const standbys = standbysOf(supervisor.table)
  for (const { id, phase } of supervisor.nodes()) {
    if (standbys.includes(id)) continue
    const thread = supervisor.factsOf(id)?.thread
    if (phase === 'up' && thread !== undefined) asked.set(id, thread)
    else leftOut.set(id, `it is ${phase}`)
  }
  const startedMs = nowMs()
  const frozen = await freezeAll(asked, options)
  // From here to the snapshots nothing is accepted by any store of the cut.
  const { table } = supervisor
  const threads = new Map<NodeId, NodeThread>()
  if (isEnough(table, ownersNeeded, frozen)) {
    const leftMs = Math.max(1, startedMs + freezeTimeoutMs - nowMs())
    const taken = [...frozen].map(async ([node, thread]) => {
      if (await thread.control.snapshot(token, leftMs)) threads.set(node, thread)
      else leftOut.set(node, 'it was not frozen long enough')
    })
    const ended = await Promise.allSettled(taken)
    ended.forEach((end, at) => {
      if (end.status === 'rejected') leftOut.set([...frozen.keys()][at] ?? '', String(end.reason))
    })
  }
  const frozenMs = nowMs() - startedMs
  for (const node of asked.keys()) {
    if (!threads.has(node) && !leftOut.has(node))
      leftOut.set(node, frozen.has(node) ? 'too few others were frozen' : 'it did not confirm the freeze')
  }
  const others = new Map([...asked].filter(([node]) => !threads.has(node)))
  void releaseCut(others, token)
  const sorted = new Map([...threads].sort(([a], [b]) => (a < b ? -1 : 1)))
  const cut = { token, threads: sorted, table, clockNs: clock.readNs(), at: new Date(), frozenMs }
  const reasons = [...leftOut].map(([node, reason]) => ({ node, reason }))
  const short = partitionsShort(table, ownersNeeded(table), undamaged(threads))
  if (short.length === 0) return { ...cut, leftOut: reasons }
  await releaseCut(threads, token)
  throw new NoCut(short, reasons)
}

/** Never rejects: a node that cannot be told does by itself what it would be told, or is gone. */
export async function releaseCut(threads: ReadonlyMap<NodeId, NodeThread>, token: string): Promise<void> {
  await Promise.allSettled([...threads.values()].map((thread) => thread.control.release(token, RELEASE_TIMEOUT_MS)))
}

/** Who has confirmed: all; or after a while enough; or whoever it is at the deadline. */
function freezeAll(
  asked: ReadonlyMap<NodeId, NodeThread>,
  { supervisor, token, ownersNeeded, freezeTimeoutMs }: CutOptions,
): Promise<ReadonlyMap<NodeId, NodeThread>> {
  const frozen = new Map<NodeId, NodeThread>()
  return new Promise((resolve) => {
    let open = asked.size
    let isLate = false
    const timers: NodeJS.Timeout[] = []
    const end = () => {
      for (const timer of timers) clearTimeout(timer)
      // A copy: who confirms later is not in the cut.
      resolve(new Map(frozen))
    }
    const look = () => {
      if (open === 0 || (isLate && isEnough(supervisor.table, ownersNeeded, frozen))) end()
    }
    timers.push(setTimeout(end, freezeTimeoutMs))
    timers.push(
      setTimeout(() => {
        isLate = true
        look()
      }, freezeTimeoutMs * STRAGGLER_SHARE),
    )
    for (const [node, thread] of asked) {
      const done = (isFrozen: boolean) => {
        open--
        if (isFrozen) frozen.set(node, thread)
        look()
      }
      thread.control.freeze(token, freezeTimeoutMs + LIMIT_SLACK_MS, freezeTimeoutMs).then(done, () => done(false))
    }
    look()
  })
}

function isEnough(
  table: PartitionTable,
  ownersNeeded: CutOptions['ownersNeeded'],
  nodes: ReadonlyMap<NodeId, unknown>,
): boolean {
  return partitionsShort(table, ownersNeeded(table), undamaged(nodes)).length === 0
}

function undamaged(nodes: ReadonlyMap<NodeId, unknown>): { node: NodeId; partitionsDamaged: readonly number[] }[] {
  return [...nodes.keys()].map((node) => ({ node, partitionsDamaged: [] }))
}
