/**
 * Which peers this node trusts: one phi detector for each, and the two rules that keep it from crying wolf.
 *
 * - A watcher that was itself asleep judges nobody. After a debugger's pause, SIGSTOP or a blocked thread, every peer
 *   looks silent for as long as the watcher slept; all detectors but those of suspects then start anew.
 * - A peer that came back is not suspected for silence again within `flapDampingMs`. A node that really dies in that time
 *   is found by its thread's exit or by the supervisor's shared counters, which need no phi.
 *
 * It must never change a member's status (that is the membership machine's) and never judges a peer it does not watch.
 */

import type { NodeId } from '../ids.js'
import { GOSSIP_PAUSE_ROUNDS, type MembershipConfig } from './membership-config.js'
import { afterHeartbeat, firstHeartbeat, type PhiSettings, type PhiState, phiOf } from './phi-accrual.js'

/** Sorted by id, so that two runs judge alike. */
export interface Judgement {
  readonly suspected: readonly NodeId[]
  readonly trusted: readonly NodeId[]
}

/** Changed in place: a beat of each member comes with each exchange. */
interface Watched {
  phi: PhiState
  suspected: boolean
  /** True if the peer's beats come to us as messages of their own, not only as gossiped counters. */
  direct: boolean
  /** Monotonic ms at which the peer came back from suspicion; −∞ if it never was suspect. */
  trustedAgainAtMs: number
}

/** The detectors of one node. Bounded by the members of its view. */
export class FailureDetector {
  readonly #config: MembershipConfig
  readonly #direct: PhiSettings
  readonly #gossiped: PhiSettings
  readonly #watched = new Map<NodeId, Watched>()
  #lastOwnTickMs: number

  constructor(config: MembershipConfig, nowMs: number) {
    this.#config = config
    const { phiThreshold, acceptablePauseMs, minStdDeviationMs, gossipConvergedMs } = config
    this.#direct = { phiThreshold, acceptablePauseMs, minStdDeviationMs }
    const gossipPauseMs = GOSSIP_PAUSE_ROUNDS * gossipConvergedMs
    this.#gossiped = { ...this.#direct, acceptablePauseMs: acceptablePauseMs + gossipPauseMs }
    this.#lastOwnTickMs = nowMs
  }

  /** Starts to watch a peer, as if it had just beaten; nothing if it is watched already. */
  watch(peer: NodeId, nowMs: number): void {
    if (this.#watched.has(peer)) return
    const phi = firstHeartbeat(nowMs, this.#config.heartbeatMs)
    this.#watched.set(peer, { phi, suspected: false, direct: false, trustedAgainAtMs: Number.NEGATIVE_INFINITY })
  }

  /** Stops watching: the peer is gone for certain, or began a new life. */
  forget(peer: NodeId): void {
    this.#watched.delete(peer)
  }

  /** A sign of life: the peer's counter grew, however we heard of it. Watches the peer from now on. */
  onHeartbeat(peer: NodeId, nowMs: number): void {
    const watched = this.#watched.get(peer)
    if (watched === undefined) this.watch(peer, nowMs)
    else watched.phi = afterHeartbeat(watched.phi, nowMs, this.#settingsFor(watched.direct))
  }

  /** The peer refuted a suspicion, ours or another's: it is trusted, and silence alone is forgiven for a while. */
  onRefuted(peer: NodeId, nowMs: number): void {
    this.watch(peer, nowMs)
    const watched = this.#watched.get(peer)
    if (watched === undefined) return
    watched.suspected = false
    watched.trustedAgainAtMs = nowMs
  }

  /**
   * The node's own tick. True if it came late, and the detectors were reset.
   *
   * Units:  monotonic ms; late = more than lateTickFactor × heartbeatMs after the tick before.
   */
  onOwnTick(nowMs: number): boolean {
    const late = nowMs - this.#lastOwnTickMs > this.#config.lateTickFactor * this.#config.heartbeatMs
    this.#lastOwnTickMs = nowMs
    if (late) {
      const phi = firstHeartbeat(nowMs, this.#config.heartbeatMs)
      // Who was suspect before stays so until it beats: our sleep is no sign of its life.
      for (const watched of this.#watched.values()) if (!watched.suspected) watched.phi = phi
    }
    return late
  }

  /**
   * The peers whose standing changed since the last judgement. Call it only after `onOwnTick` of the same time.
   *
   * `direct` names the peers that beat to us themselves; the others' counters take gossip's time and get a longer pause.
   */
  judge(nowMs: number, direct: ReadonlySet<NodeId>): Judgement {
    const suspected: NodeId[] = []
    const trusted: NodeId[] = []
    for (const [peer, watched] of this.#watched) {
      watched.direct = direct.has(peer)
      const silent = phiOf(watched.phi, nowMs, this.#settingsFor(watched.direct)) >= this.#config.phiThreshold
      const damped = nowMs - watched.trustedAgainAtMs < this.#config.flapDampingMs
      if (silent && !watched.suspected && !damped) {
        suspected.push(peer)
        watched.suspected = true
      } else if (!silent && watched.suspected) {
        trusted.push(peer)
        watched.suspected = false
        watched.trustedAgainAtMs = nowMs
      }
    }
    return { suspected: suspected.sort(), trusted: trusted.sort() }
  }

  /** False if the last judgement found the peer silent; a peer that is not watched has not been found so. */
  isTrusted(peer: NodeId): boolean {
    return this.#watched.get(peer)?.suspected !== true
  }

  /** The peer's phi for a status page; undefined if it is not watched. */
  phiOfPeer(peer: NodeId, nowMs: number): number | undefined {
    const watched = this.#watched.get(peer)
    return watched && phiOf(watched.phi, nowMs, this.#settingsFor(watched.direct))
  }

  #settingsFor(direct: boolean): PhiSettings {
    return direct ? this.#direct : this.#gossiped
  }
}
