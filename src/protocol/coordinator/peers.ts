/**
 * The nodes as one coordinator knows them: who lives for certain, who is suspected of silence, when a read is hedged.
 *
 * A replica whose answers take much longer than the others' is read from last (as Cassandra's dynamic snitch does), and probed. So is
 * one whose disk is slow: it lacks what was written last, and a read that met it would have to repair it before it answers.
 *
 * It decides what is to be thought of a peer; what follows for the requests is the coordination's. A coordinator whose own
 * tick came late judges nobody: the thread that was too busy to tick was too busy to read its mail.
 *
 * Called by `Coordination`.
 */

import { type ProtocolConfig, SLOW_START_MS } from '../config.js'
import type { NodeId } from '../ids.js'
import type { PeerStatus } from '../messages.js'
import { Hedging } from './hedging.js'
import { Peer } from './peer.js'

/** What is to be done about a peer now. */
export type PeerVerdict =
  /** It has been silent with mail outstanding: go around it. */
  | 'silent'
  /** Its unanswered reads are asked of somebody else too; the budget has paid for it. */
  | 'hedge'
  /** It coordinates requests of ours and says nothing: ask whether it is there. */
  | 'ping'

/** Of the newest answer in the smoothed latency. */
const LATENCY_WEIGHT = 0.25
/** Slow: so many times as slow as the fastest of the others, and slower than this. */
const SLOW_TIMES = 4
const SLOW_MS_MIN = 8
/** For so long after its last slow write a replica is taken to be behind. */
const BEHIND_MS = 2_000

export class Peers {
  readonly #config: ProtocolConfig
  readonly #byNode = new Map<NodeId, Peer>()
  #sorted: readonly Peer[] = []
  readonly #hedging: Hedging
  /** Silence is measured from here at the earliest: set when our own tick came late, so that nobody else is blamed. */
  #judgeFromMs = 0
  #expectedTickMs = Number.POSITIVE_INFINITY
  #changes = 0

  constructor(config: ProtocolConfig) {
    this.#config = config
    this.#hedging = new Hedging(config.hedgeBudgetPercent)
  }

  /** Grows whenever somebody's health has changed. */
  get changes(): number {
    return this.#changes
  }

  get(node: NodeId): Peer | undefined {
    return this.#byNode.get(node)
  }

  /** Up and not silent, by id: may be sent to, and is judged. */
  healthy(): readonly Peer[] {
    return this.#sorted.filter((peer) => peer.healthy)
  }

  /** All of them, by id. */
  get sorted(): readonly Peer[] {
    return this.#sorted
  }

  /** Certain knowledge of a node's life. `isReborn`: what it was sent before is lost. Undefined: older than what is known. */
  onChange(
    change: { readonly node: NodeId; readonly incarnation: number; readonly status: PeerStatus },
    nowMs: number,
  ): { readonly peer: Peer; readonly isReborn: boolean } | undefined {
    const { node, incarnation, status } = change
    const peer = this.#byNode.get(node) ?? this.#add(new Peer(node, incarnation, status, this.#config.queues))
    if (incarnation < peer.incarnation) return undefined
    const isReborn = incarnation > peer.incarnation || status !== 'up'
    // Of a first life everybody is new at once: there is nobody else to be asked meanwhile.
    if (status === 'up' && incarnation > 1 && (isReborn || peer.status !== 'up')) peer.warmAtMs = nowMs + SLOW_START_MS
    peer.incarnation = incarnation
    peer.status = status
    peer.isSalvaged = false
    if (status === 'up') peer.absentSinceMs = undefined
    else peer.absentSinceMs ??= nowMs
    if (isReborn) {
      peer.silent = false
      peer.readLatencyMs = 0
      peer.writeLatencyMs = 0
      peer.isSlow = false
      peer.behindUntilMs = 0
      peer.pingAtMs = 0
    }
    this.#changes += 1
    return { peer, isReborn }
  }

  /** A reply. True: it was silent, and is not any more. */
  heard(peer: Peer, nowMs: number): boolean {
    peer.heardAtMs = nowMs
    if (!peer.silent) return false
    peer.silent = false
    this.#changes += 1
    return true
  }

  becomeSilent(peer: Peer, nowMs: number): void {
    peer.silent = true
    peer.pingAtMs = Math.max(peer.pingAtMs, nowMs)
    this.#changes += 1
  }

  onReadLatency(peer: Peer, latencyMs: number, operations: number): void {
    this.#hedging.onLatency(latencyMs, operations)
    peer.readLatencyMs = smoothed(peer.readLatencyMs, latencyMs)
    peer.isSlow = this.#isFarAbove(peer, 'readLatencyMs', Number.POSITIVE_INFINITY)
  }

  /** It has taken requests to coordinate, which needs no disk. Those who were never asked are taken to be quick, so that they are. */
  onTakenLatency(peer: Peer, latencyMs: number): void {
    peer.readLatencyMs = smoothed(peer.readLatencyMs, latencyMs)
    peer.isSlow = this.#isFarAbove(peer, 'readLatencyMs', 0)
  }

  onWriteLatency(peer: Peer, latencyMs: number, nowMs: number): void {
    peer.writeLatencyMs = smoothed(peer.writeLatencyMs, latencyMs)
    const isFarAbove = this.#isFarAbove(peer, 'writeLatencyMs', Number.POSITIVE_INFINITY)
    peer.behindUntilMs = isFarAbove ? nowMs + BEHIND_MS : 0
  }

  /** `unknownMs`: what others count for that have not answered yet. */
  #isFarAbove(peer: Peer, latency: 'readLatencyMs' | 'writeLatencyMs', unknownMs: number): boolean {
    if (peer[latency] <= SLOW_MS_MIN) return false
    let fastestMs = Number.POSITIVE_INFINITY
    for (const other of this.#sorted)
      if (other !== peer && other.healthy) fastestMs = Math.min(fastestMs, other[latency] || unknownMs)
    return peer[latency] > SLOW_TIMES * fastestMs
  }

  /** When somebody may have to be judged, of all deadlines of the coordination. */
  nextJudgementMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const peer of this.#sorted) {
      if (!peer.healthy) continue
      const sentAtMs = peer.oldestSentAtMs()
      if (sentAtMs !== undefined) {
        const from = Math.max(sentAtMs, this.#judgeFromMs)
        next = Math.min(next, from + this.#config.avoidAfterMs)
      }
      const reads = peer.reads.outstanding
      if (reads !== undefined && !reads.hedged && this.#hedging.canSpend(reads.entries.length))
        next = Math.min(next, Math.max(reads.sentAtMs, this.#judgeFromMs) + this.#hedging.afterMs)
      if (peer.forwarded > 0 && peer.coordinate.outstanding === undefined) {
        const quietFromMs = Math.max(peer.heardAtMs, this.#judgeFromMs)
        next = Math.min(next, quietFromMs + this.#config.avoidAfterMs)
      }
    }
    return next
  }

  /** When the host was asked to tick. */
  expectTick(atMs: number): void {
    this.#expectedTickMs = atMs
  }

  /**
   * Something happens now. A tick that should have been long ago means that our own thread stood still: nobody is judged by that
   * time. It need not be the tick that tells:
   *   1. the process stands still   2. its mail is handled first, and a new tick is asked for, at once   3. that one is in time
   * and all who were asked something before would be taken for silent.
   */
  onTurn(nowMs: number): void {
    if (nowMs - this.#expectedTickMs > this.#config.avoidAfterMs / 2) this.#judgeFromMs = nowMs
  }

  /** Of a healthy peer. */
  judge(peer: Peer, nowMs: number): readonly PeerVerdict[] {
    const verdicts: PeerVerdict[] = []
    const sentAtMs = peer.oldestSentAtMs()
    if (sentAtMs !== undefined) {
      const ageMs = nowMs - Math.max(sentAtMs, this.#judgeFromMs)
      if (ageMs >= this.#config.avoidAfterMs) return ['silent']
    }
    // Its own age: a write that waits for a slow disk says nothing about a read that has just been sent.
    const reads = peer.reads.outstanding
    if (reads !== undefined && !reads.hedged) {
      const ageMs = nowMs - Math.max(reads.sentAtMs, this.#judgeFromMs)
      if (ageMs >= this.#hedging.afterMs && this.#hedging.spend(reads.entries.length)) verdicts.push('hedge')
    }
    const quietMs = nowMs - Math.max(peer.heardAtMs, this.#judgeFromMs)
    const isIdle = peer.coordinate.outstanding === undefined
    if (peer.forwarded > 0 && isIdle && quietMs >= this.#config.avoidAfterMs) verdicts.push('ping')
    return verdicts
  }

  #add(peer: Peer): Peer {
    this.#byNode.set(peer.node, peer)
    this.#sorted = [...this.#byNode.values()].sort((a, b) => (a.node < b.node ? -1 : 1))
    this.#sorted.forEach((sorted, order) => {
      sorted.order = order % 64
    })
    return peer
  }
}

/** Only so much higher at once: when our own thread stood still, one answer of each was late, and nobody is to blame. */
function smoothed(knownMs: number, latencyMs: number): number {
  return knownMs + LATENCY_WEIGHT * (Math.min(latencyMs, SLOW_TIMES * knownMs + SLOW_MS_MIN) - knownMs)
}
