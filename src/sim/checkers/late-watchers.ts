/**
 * Who stood still itself judges nobody. After a pause of the whole process every peer looks silent for as long as it took: no
 * supervisor may terminate for it, no member suspect, no coordinator go around.
 */

import type { Notice } from '../../protocol/effects.js'
import { type Address, type NodeId, SUPERVISOR } from '../../protocol/ids.js'
import type { SupervisorNotice } from '../../protocol/supervision/supervisor-events.js'
import { SUPERVISOR_TICK_MS } from '../../protocol/supervision/thread-watch.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** A silent peer is asked at least so often whether it is there. */
const PING_MS_MAX = 1_100

export class LateWatchers extends Checker {
  readonly name = 'late-watchers'
  readonly rule = 'Membership: a watcher whose own tick was late resets its detector instead of judging'
  #world: SimWorld | undefined
  #pausedAtMs = Number.NEGATIVE_INFINITY
  #endedAtMs = Number.NEGATIVE_INFINITY
  /** Who has been handed mail in this turn: what it says may be somebody else's word. */
  #hasMail: Address | undefined
  /** from, to → when it was asked last whether it is there. */
  readonly #pingedAtMs = new Map<string, number>()

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onPause(ms: number, { nowMs }: SimWorld): void {
    // One after the other is as one: there was no time to ask anybody in between.
    if (nowMs - this.#endedAtMs > PING_MS_MAX) this.#pausedAtMs = nowMs
    this.#endedAtMs = nowMs + ms
  }

  onDelivered({ to }: Mail): void {
    this.#hasMail = to
  }

  onTurn(): void {
    this.#hasMail = undefined
  }

  onNotice(from: Address, notice: Notice | SupervisorNotice): void {
    if (notice.type === 'node:hung') this.#onHung(notice.node)
    if (from !== SUPERVISOR && notice.type === 'member/status' && notice.to === 'suspect')
      this.#onSuspect(from, notice.node)
  }

  onSend({ from, to, message }: Mail, { nowMs, options }: SimWorld): void {
    if (message.type !== 'link/ping') return
    const link = `${from} ${to}`
    const lastMs = this.#pingedAtMs.get(link) ?? Number.NEGATIVE_INFINITY
    this.#pingedAtMs.set(link, nowMs)
    const wasSilent = lastMs >= this.#pausedAtMs - PING_MS_MAX
    if (
      nowMs - this.#endedAtMs < options.config.avoidAfterMs &&
      this.#pauseMs > options.config.avoidAfterMs &&
      !wasSilent
    )
      this.broken(`${from} takes ${to} for silent ${(nowMs - this.#endedAtMs).toFixed(1)} ms after a pause of all`)
  }

  get #pauseMs(): number {
    return this.#endedAtMs - this.#pausedAtMs
  }

  #onHung(node: NodeId): void {
    const world = this.#world
    const life = world?.nodes.get(node)?.life
    if (world === undefined || life === undefined) return
    const frozenMs = life.frozenUntilMs > world.nowMs ? world.nowMs - life.frozenSinceMs : 0
    // Its loop was seen turning at the last tick before, at the earliest.
    if (frozenMs < world.options.supervision.hungAfterMs - SUPERVISOR_TICK_MS)
      this.broken(`${node} is called hung, it has stood still for ${frozenMs.toFixed(0)} ms`)
  }

  #onSuspect(watcher: Address, node: NodeId): void {
    const world = this.#world
    if (world === undefined || this.#hasMail === watcher) return
    const { heartbeatMs, lateTickFactor, acceptablePauseMs } = world.options.config.membership
    const wasLate = this.#pauseMs > heartbeatMs * lateTickFactor
    if (wasLate && world.nowMs - this.#endedAtMs < acceptablePauseMs)
      this.broken(`${watcher} suspects ${node} ${(world.nowMs - this.#endedAtMs).toFixed(0)} ms after a pause of all`)
  }
}
