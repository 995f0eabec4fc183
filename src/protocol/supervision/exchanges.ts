/**
 * Which exchanges are owed: pairs of nodes that must compare what they share, because somebody who owed hints vanished.
 *
 * Pure bookkeeping; an exchange that was ordered is owed until its driver says that it ran to the end, and is ordered
 * again when the driver has a new life. Called by the supervisor's core.
 */

import type { NodeId } from '../ids.js'

/** How long exchanges wait for a node that starts: one that never gets there must not keep the others from comparing. */
const HELD_BACK_MS_MAX = 3_000

export class Exchanges {
  /** Driver → peers it still has to compare with. */
  readonly #owed = new Map<NodeId, Set<NodeId>>()
  /** Driver → peers it has been told of in this life. */
  readonly #told = new Map<NodeId, Set<NodeId>>()
  /** Everybody compares once all who start are up. */
  #isDueWhenUp = false
  /** Nodes compared, or still had to, while places were being filled, which is left out: everybody compares once more when nothing moves. */
  #isDueWhenFilled = false
  /** Since when exchanges are owed and not ordered because a node starts. */
  #heldBackSinceMs: number | undefined

  /** A standby compares with owners, and nobody with it. */
  readonly #isStandby: (node: NodeId) => boolean

  constructor(isStandby: (node: NodeId) => boolean = () => false) {
    this.#isStandby = isStandby
  }

  /** Nothing is owed, and nothing will be before something else happens. */
  get isSettled(): boolean {
    return this.#owed.size === 0 && !this.#isDueWhenUp && !this.#isDueWhenFilled
  }

  /** Not looked at when somebody comes up: a rebuilt core may find everybody up already. */
  everybodyWhenUp(): void {
    this.#isDueWhenUp = true
  }

  /** What was put off and can be owed now. `isEverywhere`: nothing moves, and everybody knows the table that says so. */
  advance(state: {
    readonly isAtRest: boolean
    readonly isMoving: boolean
    readonly isEverywhere: boolean
    readonly living: () => readonly NodeId[]
  }): void {
    if (this.#isDueWhenUp && state.isAtRest) {
      this.#isDueWhenUp = false
      this.everybody(state.living())
    }
    // Who is filled meanwhile may have read from those that lack what somebody else has, and is told of by nobody.
    this.#isDueWhenFilled ||= state.isMoving && this.#owed.size > 0
    if (this.#isDueWhenFilled && state.isEverywhere) {
      this.#isDueWhenFilled = false
      this.everybody(state.living())
    }
  }

  /** One node may lack writes: it compares with everybody else. */
  one(node: NodeId, living: readonly NodeId[]): void {
    if (!living.includes(node)) return
    for (const peer of living) if (peer !== node) this.#owe(node, peer)
  }

  /** Anybody may lack writes: each pair compares once (both sides are mended). */
  everybody(living: readonly NodeId[]): void {
    for (const node of living) for (const peer of living) if (node < peer) this.#owe(node, peer)
  }

  /** The driver compared with these to the end. */
  onDone(node: NodeId, peers: readonly NodeId[]): void {
    const owed = this.#owed.get(node)
    // What the driver could not end (another table) is told again.
    const told = this.#told.get(node)
    for (const peer of peers) if (told?.has(peer)) owed?.delete(peer)
    this.#told.delete(node)
    if (owed?.size === 0) this.#owed.delete(node)
  }

  /** The driver's thread ended: it is told again in its next life. */
  onLost(node: NodeId): void {
    this.#told.delete(node)
  }

  /** A node is down for good: nothing is owed by it or to it. */
  onDown(node: NodeId): void {
    this.#owed.delete(node)
    this.#told.delete(node)
    for (const [driver, peers] of [...this.#owed]) {
      peers.delete(node)
      if (peers.size === 0) this.#owed.delete(driver)
    }
  }

  /** Orders for drivers that are up and have not been told; a full disk takes nothing. None while a node starts, but not for long. */
  takeOrders(nodes: {
    readonly isUp: (node: NodeId) => boolean
    readonly isFull: (node: NodeId) => boolean
    readonly isStarting: boolean
    readonly nowMs: number
  }): readonly { readonly node: NodeId; readonly peers: readonly NodeId[] }[] {
    const { isUp, isFull, isStarting, nowMs } = nodes
    // Requests, and the node that is waited for, need the processors more.
    if (!isStarting || this.#owed.size === 0) this.#heldBackSinceMs = undefined
    else this.#heldBackSinceMs ??= nowMs
    if (this.#heldBackSinceMs !== undefined && nowMs - this.#heldBackSinceMs < HELD_BACK_MS_MAX) return []
    const orders: { node: NodeId; peers: NodeId[] }[] = []
    for (const [node, owed] of [...this.#owed].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!isUp(node) || isFull(node) || this.#told.has(node)) continue
      const peers = [...owed].filter((peer) => !isFull(peer)).sort()
      if (peers.length === 0) continue
      this.#told.set(node, new Set(peers))
      orders.push({ node, peers })
    }
    return orders
  }

  #owe(one: NodeId, other: NodeId): void {
    if (this.#isStandby(one) && this.#isStandby(other)) return
    const [node, peer] = this.#isStandby(other) ? [other, one] : [one, other]
    const owed = this.#owed.get(node) ?? new Set()
    this.#owed.set(node, owed.add(peer))
    // Already under way: what it has passed may have changed, so it is owed once more after.
    this.#told.get(node)?.delete(peer)
  }
}
