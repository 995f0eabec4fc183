/** The nodes that a supervisor looks after, by id. Bookkeeping; decides nothing. Called by the supervisor's core. */

import { SLOW_START_MS } from '../config.js'
import type { PeerInfo } from '../events.js'
import type { Epoch, NodeId } from '../ids.js'
import { isSalvage, newSupervised, type Supervised, type SupervisedView, statusOf } from './supervised.js'

/** How long one that lacked means keeps the next from starting: it may be long in opening a big store. */
const TURN_MS_MAX = 2_000

export class Roster {
  readonly #nodes = new Map<NodeId, Supervised>()
  #sorted: readonly Supervised[] = []

  add(id: NodeId, nowMs: number): Supervised {
    const node = newSupervised(id, nowMs)
    this.#nodes.set(id, node)
    this.#sorted = [...this.#nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    return node
  }

  remove(id: NodeId): void {
    this.#nodes.delete(id)
    this.#sorted = this.#sorted.filter((node) => node.id !== id)
  }

  get(id: NodeId): Supervised | undefined {
    return this.#nodes.get(id)
  }

  /** All of them, by id. */
  get sorted(): readonly Supervised[] {
    return this.#sorted
  }

  /** Not down for good. */
  living(): readonly NodeId[] {
    return this.#sorted.filter((node) => node.phase !== 'down' && !isSalvage(node)).map((node) => node.id)
  }

  /** Down for good, whether what they left is being read or not. */
  dead(): ReadonlySet<NodeId> {
    return new Set(this.#sorted.filter((node) => node.phase === 'down' || isSalvage(node)).map((node) => node.id))
  }

  /** Every node is down for good. */
  get isDeserted(): boolean {
    return this.#sorted.length > 0 && this.living().length === 0
  }

  readonly isUp = (id: NodeId): boolean => this.#nodes.get(id)?.phase === 'up'

  readonly isFull = (id: NodeId): boolean => this.#nodes.get(id)?.isFull === true

  /** To be started now. */
  due(nowMs: number): readonly Supervised[] {
    const due = this.#sorted.filter(({ phase, sinceMs, isFull }) => phase === 'waiting' && nowMs >= sinceMs && !isFull)
    // One at a time where there is too little for all: each opens many files while it loads, and few afterwards.
    const isOpening = this.#sorted.some(({ phase, lacksMeans }) => lacksMeans && phase === 'opening')
    const [first] = due.filter(({ lacksMeans }) => lacksMeans).sort((a, b) => a.sinceMs - b.sinceMs)
    const mayStart = first !== undefined && (!isOpening || nowMs >= first.sinceMs + TURN_MS_MAX)
    return due.filter((node) => !node.lacksMeans || (node === first && mayStart))
  }

  /** Everybody who is up goes by this epoch or a later one. */
  isStored(epoch: Epoch): boolean {
    return this.#sorted.every(({ phase, storedEpoch }) => phase !== 'up' || storedEpoch >= epoch)
  }

  /** Nobody is on its way from one phase to another. */
  /** Nobody is on the way from one phase to the next, nor has been told to be. */
  get isAtRest(): boolean {
    return this.#sorted.every(
      ({ phase, isFull, hasRoom }) => phase === 'down' || (phase === 'up' && !(isFull && hasRoom)),
    )
  }

  /** Somebody is, or has just been: its first answers are slow. */
  isStarting(nowMs: number): boolean {
    return this.#sorted.some(
      ({ phase, incarnation, sinceMs }) =>
        phase === 'opening' ||
        phase === 'booting' ||
        (phase === 'up' && incarnation > 1 && nowMs - sinceMs < SLOW_START_MS),
    )
  }

  views(): readonly SupervisedView[] {
    return this.#sorted.map(({ id, incarnation, phase, restarts, isFull }) => ({
      id,
      incarnation,
      phase,
      restarts,
      isFull,
    }))
  }

  /** How the others live, for one that boots. */
  peersOf(id: NodeId): readonly PeerInfo[] {
    return this.#sorted
      .filter((peer) => peer.id !== id)
      .map((peer) => ({ node: peer.id, incarnation: peer.incarnation, status: statusOf(peer) }))
  }
}
