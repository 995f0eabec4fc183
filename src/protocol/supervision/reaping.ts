/**
 * When tombstones may be looked at: only while every node there is serves, and nothing moves. So no store that could bring an older
 * version back is anywhere but in the hands of a node that is asked. Before each order it is noted on the disk that from now on
 * tombstones may be gone that every copy held a grace ago: a copy of a store that is older than that must not come back as if it had
 * missed nothing.
 *
 * A part of `SupervisorCore`, called by nobody else.
 */

import type { Stamp } from '../versions/stamp.js'
import type { Roster } from './roster.js'
import type { SupervisorPost } from './supervisor-post.js'

/** A quarter of the grace, within these: each time all stores are read once. */
const INTERVAL_MS_MIN = 250
const INTERVAL_MS_MAX = 3_600_000

export class Reaping {
  readonly #intervalMs: number
  #dueMs = 0
  #isNoting = false

  /** 0: never. */
  constructor(graceMs: number) {
    this.#intervalMs =
      graceMs === 0 ? Number.POSITIVE_INFINITY : Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, graceMs / 4))
  }

  advance(isQuiet: boolean, nodes: Roster, post: SupervisorPost, nowMs: number): void {
    if (this.#intervalMs === Number.POSITIVE_INFINITY || nowMs < this.#dueMs || this.#isNoting) return
    if (!isQuiet || !nodes.sorted.every(({ phase }) => phase === 'up')) return
    this.#isNoting = true
    post.effect({ type: 'note-reaping' })
  }

  /** It is on the disk. */
  onNoted(
    before: Stamp,
    isQuiet: boolean,
    { nodes, post }: { readonly nodes: Roster; readonly post: SupervisorPost },
    nowMs: number,
  ): void {
    this.#isNoting = false
    this.#dueMs = nowMs + this.#intervalMs
    if (!isQuiet || !nodes.sorted.every(({ phase }) => phase === 'up')) return
    const everybody = nodes.sorted.map(({ id }) => id)
    for (const id of everybody) post.send(id, { type: 'reap/start', nodes: everybody, before })
  }
}
