/**
 * When the next gossip round is due: fast while views differ, slow once they agree.
 *
 * A node cannot see that all views agree; it counts exchanges in a row in which both sides had the same view. After about
 * log2 n of them a difference somewhere else is unlikely, and slow rounds still find it. Where nobody answers it gives up
 * being fast after a bounded number of rounds.
 *
 * Called by the membership machine; it must never decide with whom to gossip.
 */

import type { MembershipConfig } from './membership-config.js'

/** Fast rounds without an agreement, per doubling of the peers and on top: then the others do not answer. */
const FAST_ROUNDS_PER_DOUBLING = 4
const FAST_ROUNDS_EXTRA = 10

export class GossipCadence {
  readonly #config: MembershipConfig
  #agreements = 0
  #fastRounds = 0
  #lastRoundMs: number
  /** Monotonic ms. */
  nextRoundMs: number

  constructor(config: MembershipConfig, nowMs: number, firstRoundMs: number) {
    this.#config = config
    this.#lastRoundMs = nowMs
    this.nextRoundMs = firstRoundMs
  }

  /** Our view changed, or a peer's differs: be fast again, but never faster than gossipMs. */
  onDifference(nowMs: number): void {
    this.#agreements = 0
    this.#fastRounds = 0
    this.nextRoundMs = Math.min(this.nextRoundMs, Math.max(nowMs, this.#lastRoundMs + this.#config.gossipMs))
  }

  /**
   * A peer knows better and was asked for it. Its answer will change our view and hasten us, some ms from now. Hastened at
   * once, a member at rest would make its round before it knew anything to tell, and wait gossipMs for the next: a change
   * then takes twice as long to reach all. Where the answer is lost the next round finds the difference again.
   */
  onNewsToCome(): void {
    this.#agreements = 0
  }

  /** A peer showed the same view. */
  onAgreement(): void {
    this.#agreements++
  }

  /** A round was sent. */
  onRound(nowMs: number, peerCount: number): void {
    const { gossipMs, gossipConvergedMs } = this.#config
    const rests = this.isConverged(peerCount) || this.#fastRounds >= fastRoundsMax(peerCount)
    this.#fastRounds++
    this.#lastRoundMs = nowMs
    this.nextRoundMs = nowMs + (rests ? gossipConvergedMs : gossipMs)
  }

  /** True once as many exchanges in a row agreed as make a hidden difference unlikely. */
  isConverged(peerCount: number): boolean {
    return this.#agreements >= Math.ceil(Math.log2(peerCount + 1))
  }
}

function fastRoundsMax(peerCount: number): number {
  return FAST_ROUNDS_PER_DOUBLING * Math.ceil(Math.log2(peerCount + 1)) + FAST_ROUNDS_EXTRA
}
