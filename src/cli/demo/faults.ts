/** The three things that are done to nodes under traffic, and how long each took to heal. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../shared/api.js'
import type { NodeStatus } from '../../shared/cluster-reports.js'
import type { Span, Traffic } from './traffic.js'

export interface Injury {
  readonly name: string
  readonly node: string
  /** What is said before it is done. */
  readonly about: string
  /** What the owner asks of it; undefined: nothing but that no request fails. */
  readonly stallGoalMs: number | undefined
  readonly inflict: (cluster: Cluster, node: string) => Promise<void>
}

/** Longer than the second after which a hung thread is replaced, so that it is seen to be replaced. */
const HANG_MS = 6_000

export const INJURIES: readonly Injury[] = [
  {
    name: 'crash',
    node: 'node2',
    about: 'its thread ends between two instructions; the supervisor starts another on the same store',
    stallGoalMs: 50,
    inflict: (cluster, node) => cluster.faults.crash(node),
  },
  {
    name: 'hang',
    node: 'node4',
    about: `an endless loop of ${HANG_MS / 1_000} s; it is avoided at once, terminated after half a second and restarted`,
    stallGoalMs: 300,
    inflict: (cluster, node) => cluster.faults.hang(node, HANG_MS),
  },
  {
    name: 'wipe',
    node: 'node3',
    about: 'its store is deleted; it comes back empty, and counts toward no quorum until the others have filled it',
    stallGoalMs: undefined,
    inflict: (cluster, node) => cluster.faults.wipe(node),
  },
]

export interface Healing {
  readonly span: Span
  /** From the fault to the node being up in its next life; undefined: not within the time allowed. */
  readonly upMs: number | undefined
  /** … to every copy being full and gossip converged. */
  readonly convergedMs: number | undefined
}

const POLL_MS = 5
/** A wiped node is filled in the rests of the traffic, at a pace that leaves the latencies alone. */
const HEAL_TIMEOUT_MS = 60_000

/** Traffic must be running. `tailMs` is watched after the healing too: what repairs itself late must show as well. */
export async function hurt(cluster: Cluster, traffic: Traffic, injury: Injury, tailMs: number): Promise<Healing> {
  const before = nodeOf(cluster, injury.node).incarnation
  const finish = traffic.measure()
  const started = performance.now()
  await injury.inflict(cluster, injury.node)
  const upMs = await elapsedUntil(started, () => {
    const node = nodeOf(cluster, injury.node)
    return node.incarnation > before && node.status === 'up'
  })
  const convergedMs = upMs === undefined ? undefined : await elapsedUntil(started, () => isWhole(cluster, injury.node))
  await delay(tailMs)
  return { span: finish(), upMs, convergedMs }
}

function isWhole(cluster: Cluster, id: string): boolean {
  return cluster.status().converged && nodeOf(cluster, id).pending === 0
}

async function elapsedUntil(started: number, reached: () => boolean): Promise<number | undefined> {
  while (!reached()) {
    if (performance.now() - started > HEAL_TIMEOUT_MS) return undefined
    await delay(POLL_MS)
  }
  return performance.now() - started
}

function nodeOf(cluster: Cluster, id: string): NodeStatus {
  const node = cluster.status().nodes.find((candidate) => candidate.id === id)
  if (node === undefined) throw new Error(`there is no ${id} in this cluster; the demo needs five nodes`)
  return node
}
