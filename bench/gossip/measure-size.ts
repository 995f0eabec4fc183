/**
 * What one cluster size is asked: how long one change takes to reach every member, what gossip costs meanwhile and at rest,
 * and how long a silent member is overlooked. Each seed is a cluster of its own, and each change meets it at rest.
 */

import type { Membership } from '../../src/protocol/membership/membership.js'
import type { MembershipOutput } from '../../src/protocol/membership/membership-output.js'
import { SimulatedCluster } from './simulated-cluster.js'
import type { Load } from './traffic.js'

/** epoch: a member stores a later table; both legs of an exchange carry that. status: one member is told that another leaves. */
export type ChangeKind = 'epoch' | 'status'

/** One change, followed to the last member. */
export interface Spread {
  readonly kind: ChangeKind
  /** 0 … 1; how much of the mail was lost meanwhile. */
  readonly loss: number
  /** Virtual ms until every member's view held it. */
  readonly ms: number
  readonly load: Load
}

export interface SizeResult {
  readonly members: number
  readonly seeds: readonly number[]
  readonly rest: readonly Load[]
  readonly spreads: readonly Spread[]
  /** Virtual ms from a member's silence until the first, and until every other member held it suspect. */
  readonly silences: readonly { readonly firstMs: number; readonly allMs: number }[]
  /** Suspicions of members that were not silent, each counted once for each member that held it. */
  readonly falseSuspicions: number
  readonly wallMs: number
}

interface Change {
  readonly origin: string
  readonly input: (machine: Membership) => MembershipOutput[]
  readonly isHeldBy: (machine: Membership) => boolean
}

const LIMIT_MS = 60_000
const SETTLE_STEP_MS = 200
const LOSS = 0.1

export function measureSize(members: number, seeds: readonly number[], restMs: number): SizeResult {
  const startedAtMs = performance.now()
  const rest: Load[] = []
  const spreads: Spread[] = []
  const silences: { firstMs: number; allMs: number }[] = []
  let falseSuspicions = 0
  for (const seed of seeds) {
    const cluster = new SimulatedCluster(members, seed)
    cluster.onStatus = (_by, { to }) => {
      if (to === 'suspect') falseSuspicions++
    }
    settle(cluster)
    rest.push(measureRest(cluster, restMs))
    for (const [kind, loss] of [
      ['epoch', 0],
      ['status', 0],
      ['epoch', LOSS],
      ['status', LOSS],
    ] as const)
      spreads.push(measureSpread(cluster, kind, loss))
    silences.push(measureSilence(cluster))
  }
  return { members, seeds, rest, spreads, silences, falseSuspicions, wallMs: performance.now() - startedAtMs }
}

/** A cluster in which nothing happens: the suspicions it raises all the same, and what its machines keep in memory. */
export interface Quiet {
  readonly members: number
  readonly ms: number
  readonly falseSuspicions: number
  /** Bytes of heap for each member after that time; undefined without --expose-gc. */
  readonly heapBytes: number | undefined
}

export function watchQuiet(members: number, seed: number, ms: number): Quiet {
  const heapBefore = heapUsed()
  const cluster = new SimulatedCluster(members, seed)
  let falseSuspicions = 0
  cluster.onStatus = (_by, { to }) => {
    if (to === 'suspect') falseSuspicions++
  }
  cluster.runFor(ms)
  const heapAfter = heapUsed()
  // Used once more, or the engine would have found the cluster dead before its memory was read.
  cluster.runFor(0)
  const heapBytes =
    heapBefore === undefined || heapAfter === undefined ? undefined : (heapAfter - heapBefore) / cluster.ids.length
  return { members, ms, falseSuspicions, heapBytes }
}

/** Runs until views are equal and every member has found that out. */
export function settle(cluster: SimulatedCluster): void {
  const endMs = cluster.nowMs + LIMIT_MS
  do {
    if (cluster.nowMs > endMs) throw new Error(`no rest within ${LIMIT_MS} ms`)
    cluster.runFor(SETTLE_STEP_MS)
  } while (!cluster.speaking().every((id) => cluster.machine(id).isConverged()))
}

export function measureRest(cluster: SimulatedCluster, ms: number): Load {
  cluster.startCounting()
  cluster.runFor(ms)
  return cluster.traffic.loadOf(cluster.ids.length, ms)
}

/** Follows a change to the last member, then lets the cluster settle without loss. */
export function measureSpread(cluster: SimulatedCluster, kind: ChangeKind, loss: number): Spread {
  const change = kind === 'epoch' ? epochChange(cluster) : statusChange(cluster)
  cluster.loss = loss
  cluster.startCounting()
  const ms = follow(cluster, change.isHeldBy, () => cluster.feed(change.origin, change.input))
  const load = cluster.traffic.loadOf(cluster.ids.length, ms)
  cluster.loss = 0
  settle(cluster)
  return { kind, loss, ms, load }
}

function measureSilence(cluster: SimulatedCluster): { firstMs: number; allMs: number } {
  const victim = someUpMember(cluster)
  const startMs = cluster.nowMs
  let firstMs = Number.POSITIVE_INFINITY
  cluster.onStatus = (_by, { member, to }) => {
    if (member.id === victim && to === 'suspect') firstMs = Math.min(firstMs, cluster.nowMs - startMs)
  }
  const allMs = follow(
    cluster,
    (machine) => machine.memberOf(victim)?.status === 'suspect',
    () => cluster.silence(victim),
  )
  return { firstMs, allMs }
}

/** Virtual ms from the start until each speaking member holds it. */
function follow(cluster: SimulatedCluster, isHeldBy: Change['isHeldBy'], start: () => void): number {
  const startMs = cluster.nowMs
  const missing = new Set(cluster.ids)
  cluster.onInput = (id, machine) => {
    if (missing.has(id) && isHeldBy(machine)) missing.delete(id)
  }
  start()
  const speaking = new Set(cluster.speaking())
  for (const id of cluster.ids) if (!speaking.has(id)) missing.delete(id)
  if (!cluster.runUntil(() => missing.size === 0, LIMIT_MS))
    throw new Error(`${missing.size} members never heard of it`)
  cluster.onInput = () => undefined
  return cluster.nowMs - startMs
}

function epochChange(cluster: SimulatedCluster): Change {
  const origin = cluster.prng.pick(cluster.ids) as string
  const epoch = (cluster.machine(origin).memberOf(origin)?.epochStored ?? 0) + 1
  return {
    origin,
    input: (machine) => machine.onTableStored(epoch, cluster.nowMs),
    isHeldBy: (machine) => (machine.memberOf(origin)?.epochStored ?? 0) >= epoch,
  }
}

function statusChange(cluster: SimulatedCluster): Change {
  const id = someUpMember(cluster)
  return {
    origin: cluster.prng.pick(cluster.ids) as string,
    input: (machine) => machine.onDeclared({ id, incarnation: 1, status: 'leaving' }, cluster.nowMs),
    isHeldBy: (machine) => machine.memberOf(id)?.status === 'leaving',
  }
}

function someUpMember(cluster: SimulatedCluster): string {
  const up = cluster.ids.filter((id) => cluster.machine(id).memberOf(id)?.status === 'up')
  return cluster.prng.pick(up) as string
}

function heapUsed(): number | undefined {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
