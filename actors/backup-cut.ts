/**
 * One consistent cut over all nodes, as the opener's thread takes it: carries out what `CutCore` decides.
 *
 * Whoever is told to go on is told so after the freeze, on the same port; and a node goes on by itself after a while. Called by
 * `Backup`.
 */

import type { NodeId } from '../src/protocol/ids.js'
import { type PartitionTable, standbysOf } from '../src/protocol/ring/table.js'
import { CutCore, type CutOutput, type LeftOut } from '../src/protocol/supervision/cut-core.js'
import { nowMs, type StampClock } from './runtime/clock.js'
import type { NodeThread } from './runtime/node-thread.js'
import type { SupervisorActor } from './supervisor.actor.js'

/** A node thaws by itself after its freeze could have been used, and so much. */
const LIMIT_SLACK_MS = 500
/** For what needs no freeze. */
const RELEASE_TIMEOUT_MS = 5_000

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
  const { supervisor, clock, token } = options
  const threads = new Map<NodeId, NodeThread>()
  // A standby owns nothing, and keeps no hints: nothing of it would count.
  const standbys = standbysOf(supervisor.table)
  const nodes = supervisor.nodes().flatMap(({ id, phase }) => {
    if (standbys.includes(id)) return []
    const thread = supervisor.factsOf(id)?.thread
    if (phase === 'up' && thread !== undefined) threads.set(id, thread)
    return [{ id, phase, isUp: threads.has(id) }]
  })
  const startedMs = nowMs()
  const { ownersNeeded, freezeTimeoutMs } = options
  const table = () => supervisor.table
  const core = new CutCore({ nodes, table, ownersNeeded, freezeTimeoutMs, nowMs: startedMs })
  const released: Promise<void>[] = []
  const ended = await run(core, threads, { token, freezeTimeoutMs, released })
  const frozenMs = nowMs() - startedMs
  if (ended.partitions.length > 0) {
    await Promise.all(released)
    throw new NoCut(ended.partitions, ended.leftOut)
  }
  const taken = ended.nodes.map((node) => [node, threads.get(node) as NodeThread] as const)
  const { leftOut } = ended
  return {
    token,
    threads: new Map(taken),
    leftOut,
    table: ended.table,
    clockNs: clock.readNs(),
    at: new Date(),
    frozenMs,
  }
}

/** Until the core has ended. What is released goes on by itself meanwhile. */
function run(
  core: CutCore,
  threads: ReadonlyMap<NodeId, NodeThread>,
  { token, freezeTimeoutMs, released }: { token: string; freezeTimeoutMs: number; released: Promise<void>[] },
): Promise<CutOutput & { type: 'ended' }> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const carryOut = (output: CutOutput): void => {
      if (output.type === 'ended') return resolve(output)
      const thread = threads.get(output.node)
      if (thread === undefined) return
      const { node } = output
      const { control } = thread
      if (output.type === 'freeze') {
        const done = (isFrozen: boolean) => step(() => core.onFrozen(node, isFrozen, nowMs()))
        control.freeze(token, freezeTimeoutMs + LIMIT_SLACK_MS, freezeTimeoutMs).then(done, () => done(false))
      } else if (output.type === 'snapshot') {
        const done = (isTaken: boolean, why = 'it was not frozen long enough') =>
          step(() => core.onSnapshot(node, isTaken, why, nowMs()))
        control.snapshot(token, output.withinMs).then(done, (error: unknown) => done(false, String(error)))
      } else released.push(releaseCut(new Map([[node, thread]]), token))
    }
    const step = (change: () => void): void => {
      change()
      clearTimeout(timer)
      for (const output of core.takeOutput()) carryOut(output)
      const dueMs = core.nextDeadlineMs(nowMs())
      if (Number.isFinite(dueMs))
        timer = setTimeout(() => step(() => core.onTime(nowMs())), Math.max(0, dueMs - nowMs()) + 1)
    }
    step(() => undefined)
  })
}

/** Never rejects: a node that cannot be told does by itself what it would be told, or is gone. */
export async function releaseCut(threads: ReadonlyMap<NodeId, NodeThread>, token: string): Promise<void> {
  await Promise.allSettled([...threads.values()].map((thread) => thread.control.release(token, RELEASE_TIMEOUT_MS)))
}
