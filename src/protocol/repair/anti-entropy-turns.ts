/**
 * When a node compares with a peer although nobody ordered it, and with whom: with each in turn. Of two owners the one with the
 * lower id begins; a standby compares with owners.
 *
 * An exchange that had to read both stores is followed by a rest that is longer than it took: background work takes a small
 * share of a thread, however much there is to compare. Called by `Exchange`.
 */

import type { NodeId } from '../ids.js'
import { isFullOwner, type PartitionTable } from '../ring/table.js'

/** Rest after an exchange, in times that it took, of which it paused four fifths. */
const REST_FACTOR = 4

export class AntiEntropyTurns {
  readonly #self: NodeId
  readonly #intervalMs: number
  #last: NodeId = ''
  dueMs: number

  constructor({ self, intervalMs, nowMs }: { self: NodeId; intervalMs: number; nowMs: number }) {
    this.#self = self
    this.#intervalMs = intervalMs
    this.dueMs = intervalMs === 0 ? Number.POSITIVE_INFINITY : nowMs + intervalMs
  }

  /** Whose turn it is; undefined: nobody's. */
  take(table: PartitionTable, isUp: (node: NodeId) => boolean, nowMs: number): NodeId | undefined {
    if (nowMs < this.dueMs) return undefined
    this.dueMs = nowMs + this.#intervalMs
    const peers = this.#peersIn(table).filter(isUp)
    const next = peers.find((peer) => peer > this.#last) ?? peers[0]
    if (next !== undefined) this.#last = next
    return next
  }

  onEnd(beganMs: number, nowMs: number): void {
    this.dueMs = nowMs + Math.max(this.#intervalMs, (nowMs - beganMs) * REST_FACTOR)
  }

  #peersIn({ rows }: PartitionTable): NodeId[] {
    const peers = new Set<NodeId>()
    for (const row of rows) {
      const isStandby = row.standbys.includes(this.#self)
      if (!isStandby && !isFullOwner(row, this.#self)) continue
      for (const owner of row.owners) if (owner !== null && (isStandby || owner > this.#self)) peers.add(owner)
    }
    peers.delete(this.#self)
    return [...peers].sort()
  }
}
