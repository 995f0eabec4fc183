/**
 * What `status()` and the events say of replication: is every copy where it belongs, is every share even, what has been moved. Used
 * while calls go on, when `settled()` would wait for a moment in which no write sees to its last owner.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, ClusterStatus, NodeStatus } from '../../src/index.js'

const LOOK_MS = 50

/** What nodes were sent by fills, of all sources together. */
export interface Moved {
  readonly partitions: number
  readonly records: number
  /** Of values, and 100 for each record, as `transferBytesPerSecond` counts. */
  readonly bytes: number
  /** When the last of it was told, as `performance.now`. */
  readonly lastAtMs: number
}

/**
 * Why replication is not full; undefined if it is. `keys`: how many there are. Nobody adds or deletes one, so that all members
 * together hold n times as many.
 */
export function lackOf(status: ClusterStatus, keys: number): string | undefined {
  const { converged, replication } = status
  const members = membersOf(status)
  const standbys = status.nodes.filter(({ role, status }) => role === 'standby' && status !== 'down')
  const copies = sumOf(members, ({ keys }) => keys)
  const hints = sumOf(members, ({ hints }) => hints)
  const lack = ownersLacking(status)
  if (lack !== undefined) return lack
  if (copies !== keys * replication.n) return `of ${keys * replication.n} copies there are ${copies}`
  if (standbys.some((standby) => standby.keys !== keys)) return 'a standby lacks keys'
  if (hints > 0) return `${hints} hints are not delivered`
  return converged ? undefined : 'the cluster has not converged'
}

/** Why some partition has not all its owners, filled; undefined if all have. What is left over elsewhere does not matter. */
function ownersLacking(status: ClusterStatus): string | undefined {
  const { partitions, partitionsMoving, partitionsLost, replication } = status
  const owned = sumOf(membersOf(status), ({ partitions }) => partitions)
  if (partitionsLost.length > 0) return `${partitionsLost.length} partitions are lost`
  if (partitionsMoving > 0) return `${partitionsMoving} partitions are moving`
  return owned === partitions * replication.n
    ? undefined
    : `of ${partitions * replication.n} replicas ${owned} are owned`
}

/** Resolves once every partition has all its owners, filled, with when that was. Errors: throws after `timeoutMs`. */
export async function untilFull(cluster: Cluster, timeoutMs: number): Promise<number> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const lookedAtMs = performance.now()
    const lack = ownersLacking(cluster.status())
    if (lack === undefined) return lookedAtMs
    if (lookedAtMs > endMs) throw new Error(`not full after ${timeoutMs} ms: ${lack}`)
    await delay(LOOK_MS)
  }
}

/** Resolves once replication is full at two looks in a row, with when the first of them was. Errors: throws after `timeoutMs`. */
export async function untilReplicated(cluster: Cluster, keys: number, timeoutMs: number): Promise<number> {
  const endMs = performance.now() + timeoutMs
  let sinceMs: number | undefined
  for (;;) {
    const lookedAtMs = performance.now()
    const lack = lackOf(cluster.status(), keys)
    if (lack === undefined && sinceMs !== undefined) return sinceMs
    if (lack !== undefined && lookedAtMs > endMs) throw new Error(`not replicated after ${timeoutMs} ms: ${lack}`)
    sinceMs = lack === undefined ? lookedAtMs : undefined
    await delay(LOOK_MS)
  }
}

/** Replicas of each member, least and most; even if they differ by one at most. */
export function sharesOf(status: ClusterStatus): { least: number; most: number; isEven: boolean } {
  const shares = membersOf(status).map(({ partitions }) => partitions)
  const [least, most] = [Math.min(...shares), Math.max(...shares)]
  return { least, most, isEven: most - least <= 1 }
}

/** Counts what fills bring from now on until it is called. */
export function countMoved(cluster: Cluster): () => Moved {
  const total = { partitions: 0, records: 0, bytes: 0, lastAtMs: 0 }
  /** What each node has told of a fill that is under way. */
  const told = new Map<string, Moved>()
  const end = (node: string): void => {
    const last = told.get(node)
    told.delete(node)
    total.partitions += last?.partitions ?? 0
    total.records += last?.records ?? 0
    total.bytes += last?.bytes ?? 0
    total.lastAtMs = Math.max(total.lastAtMs, last?.lastAtMs ?? 0)
  }
  const onProgress = (progress: {
    node: string
    done: boolean
    partitionsDone: number
    records: number
    bytes: number
  }) => {
    const { node, done, partitionsDone, records, bytes } = progress
    told.set(node, { partitions: partitionsDone, records, bytes, lastAtMs: performance.now() })
    if (done) end(node)
  }
  const onExit = ({ node }: { node: string }): void => end(node)
  cluster.on('transfer:progress', onProgress)
  cluster.on('node:exit', onExit)
  return () => {
    cluster.off('transfer:progress', onProgress)
    cluster.off('node:exit', onExit)
    for (const node of [...told.keys()]) end(node)
    return total
  }
}

function membersOf(status: ClusterStatus): NodeStatus[] {
  return status.nodes.filter(({ role, status }) => role === 'member' && status !== 'down')
}

function sumOf(nodes: readonly NodeStatus[], amount: (node: NodeStatus) => number): number {
  return nodes.reduce((sum, node) => sum + amount(node), 0)
}
