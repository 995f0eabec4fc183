/** What the supervisor knows of one node: its life, its restarts, its store. Plain state; changed by the supervisor's core only. */

import type { Epoch, Incarnation, NodeId } from '../ids.js'
import type { PeerStatus } from '../messages.js'
import { planRestart, planRetry, type RestartDecision, type RestartPolicy } from './restart-policy.js'

/** Where a node is in its life. */
export type NodePhase = 'waiting' | 'opening' | 'booting' | 'up' | 'down' | 'salvaging' | 'salvaged'

export interface Supervised {
  readonly id: NodeId
  incarnation: Incarnation
  phase: NodePhase
  /** When the phase began; of `waiting`: when to spawn. */
  sinceMs: number
  upSinceMs: number | undefined
  shortLivesAtMs: number[]
  restarts: number
  storedEpoch: Epoch
  loops: number
  loopsAtMs: number
  isFinal: boolean
  /** Hints that it kept when its last life ended, if that life was up: what is acknowledged is counted before. Else unknown. */
  hintsKept: number | undefined
  /** Down for good and its store cannot be read. */
  isStoreGone: boolean
  /** Threads that died over reading its store, down for good as it is. */
  salvagesFailed: number
  isHungReported: boolean
  /** The thread of this life has been told to end. */
  isEnding: boolean
  /** Its last life ended because no more files could be opened; how often in a row, until a life was no short one. */
  lacksMeans: boolean
  lackedTimes: number
  /** Its disk is full. A life that ends over it is no short one, and the next one begins when there is room. */
  isFull: boolean
  /** It is full, there is room, and its thread has still to end. */
  hasRoom: boolean
}

/** One node as status shows it. */
export interface SupervisedView {
  readonly id: NodeId
  readonly incarnation: Incarnation
  readonly phase: NodePhase
  readonly restarts: number
  readonly isFull: boolean
}

/** Before its first life. */
export function newSupervised(id: NodeId, nowMs: number): Supervised {
  return {
    id,
    incarnation: 0,
    phase: 'waiting',
    sinceMs: nowMs,
    upSinceMs: undefined,
    shortLivesAtMs: [],
    restarts: 0,
    storedEpoch: 0,
    loops: 0,
    loopsAtMs: nowMs,
    isFinal: false,
    hintsKept: undefined,
    isStoreGone: false,
    salvagesFailed: 0,
    isHungReported: false,
    isEnding: false,
    lacksMeans: false,
    lackedTimes: 0,
    isFull: false,
    hasRoom: false,
  }
}

/** Its thread, if it has one, only reads what a dead node left. */
export function isSalvage(node: Supervised): boolean {
  return node.phase === 'salvaging' || node.phase === 'salvaged'
}

/** How others are to see a node. */
export function statusOf(node: Supervised): PeerStatus {
  if (node.phase === 'up') return 'up'
  if (node.phase === 'waiting') return 'exited'
  return node.phase === 'down' || isSalvage(node) ? 'down' : 'starting'
}

/** Notes how long the life was that has ended; what is out of the window is forgotten. */
export function endLife(node: Supervised, policy: RestartPolicy, nowMs: number): void {
  const { upSinceMs, isFull, lacksMeans } = node
  const isShort = upSinceMs === undefined || nowMs - upSinceMs < policy.stableAfterMs
  if (!isShort) node.lackedTimes = 0
  if (lacksMeans) node.lackedTimes += 1
  else if (isShort && !isFull) node.shortLivesAtMs.push(nowMs)
  node.shortLivesAtMs = node.shortLivesAtMs.filter((atMs) => atMs > nowMs - policy.windowMs)
  node.upSinceMs = undefined
}

/**
 * The thread that read what a dead node left has ended. That says nothing about the store: it is read again, until that looks
 * hopeless. Giving it up at once would have an operator accept the loss of data that is there.
 */
export function endSalvage(node: Supervised, isNeeded: boolean, failuresMax: number): void {
  if (isSalvage(node) && !node.lacksMeans && isNeeded) node.salvagesFailed += 1
  if (node.salvagesFailed > failuresMax) node.isStoreGone = true
  node.phase = 'down'
}

/** What follows from the death of a node. With no restart forgiven, a full disk is still nobody's failure. */
export function afterDeath(node: Supervised, policy: RestartPolicy, nowMs: number): RestartDecision {
  if (node.isFinal) return { type: 'give-up', shortLives: 0 }
  if (node.isFull) return { type: 'restart', delayMs: 0 }
  return node.lacksMeans ? planRetry(node.lackedTimes, policy) : planRestart(node.shortLivesAtMs, policy, nowMs)
}

/** `reason`: how its last life ended. */
export function whyGivenUp({ shortLives }: RestartDecision & { type: 'give-up' }, reason: string): string {
  return shortLives === 0 ? reason : `${shortLives} short lives in a row; the last ended: ${reason}`
}
