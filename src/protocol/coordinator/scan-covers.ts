/**
 * Which owners a page of a scan asks for which partitions: r full owners of each, on few nodes.
 *
 * Choosing looks at every partition, so while nothing has changed the choice is kept. Called by `ScanRequest`; one for each coordination.
 */

import type { NodeId, PartitionId } from '../ids.js'
import { readsAsked } from '../ring/quorum.js'
import type { PartitionTable, Row } from '../ring/table.js'
import type { Desk } from './request.js'

export type Cover = ReadonlyMap<NodeId, readonly PartitionId[]>

/** A partition that fewer than r owners are left of. */
export interface Uncovered {
  readonly partition: PartitionId
  readonly row: Row
  readonly alive: number
  readonly missing: readonly NodeId[]
}

/** `waits`: every partition will have enough owners, not all of them are up. */
export type CoverChoice = { readonly cover: Cover } | 'waits' | Uncovered

export class ScanCovers {
  #table: PartitionTable | undefined
  #changes = -1
  /** By r, of this table and these changes. */
  readonly #kept = new Map<number, CoverChoice>()

  /** `r`: MAJORITY and EVERY_OWNER follow the rows. */
  choose(desk: Desk, r: number): CoverChoice {
    if (this.#table !== desk.table || this.#changes !== desk.changes) {
      this.#kept.clear()
      this.#table = desk.table
      this.#changes = desk.changes
    }
    const kept = this.#kept.get(r)
    if (kept !== undefined) return kept
    const choice = chooseCover(desk, r)
    // Who is cold now is warm later, and no change tells.
    if (typeof choice === 'object' && 'cover' in choice && areWarm(desk)) this.#kept.set(r, choice)
    return choice
  }
}

function areWarm(desk: Desk): boolean {
  return desk.healthyNodes().every((node) => desk.peer(node)?.isWarm(desk.nowMs) === true)
}

/** Those chosen most often so far come first. */
function chooseCover(desk: Desk, r: number): CoverChoice {
  const cover = new Map<NodeId, PartitionId[]>()
  let isReady = true
  for (const [partition, row] of desk.table.rows.entries()) {
    const needed = readsOf(desk, row, r)
    const owners = row.owners.filter((owner): owner is NodeId => owner !== null && desk.peer(owner) !== undefined)
    const alive = owners.filter((owner) => desk.peer(owner)?.status !== 'down')
    if (alive.length < needed) {
      const missing = owners.filter((owner) => !alive.includes(owner))
      return { partition, row, alive: alive.length, missing }
    }
    const ready = alive.filter((owner) => desk.peer(owner)?.status === 'up')
    // Waits; but not before the others have been looked at: one that can never be read fails the page at once.
    if (ready.length < needed) isReady = false
    if (!isReady) continue
    ready.sort((a, b) => rankOf(desk, cover, a) - rankOf(desk, cover, b))
    for (const owner of ready.slice(0, needed)) {
      const partitions = cover.get(owner)
      if (partitions === undefined) cover.set(owner, [partition])
      else partitions.push(partition)
    }
  }
  return isReady ? { cover } : 'waits'
}

/** As asked for, or as the row has it: rows may differ while nodes join or leave. */
export function readsOf(desk: Desk, row: Row, r: number): number {
  return readsAsked(r, desk.config, row.owners)
}

function rankOf(desk: Desk, cover: Cover, node: NodeId): number {
  const peer = desk.peer(node)
  const last = peer === undefined || peer.silent ? 1e9 : peer.isWarm(desk.nowMs) ? 0 : 1e6
  return last - (cover.get(node)?.length ?? 0)
}
