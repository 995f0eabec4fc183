/**
 * Nodes whose disk is full. Such a node goes on reading and refuses writes; a life that ends over it is no failure of the
 * node, and the next one begins when there is room. The host senses both, with a bound on how often it looks.
 *
 * Called by the supervisor's core.
 */

import type { NodeId } from '../ids.js'
import type { Roster } from './roster.js'
import { isSalvage, type Supervised } from './supervised.js'
import type { SupervisorEvent } from './supervisor-events.js'
import type { SupervisorPost } from './supervisor-post.js'

export function onFull(
  { node: id, reason }: SupervisorEvent & { type: 'node/full' },
  nodes: Roster,
  post: SupervisorPost,
) {
  const node = nodes.get(id)
  if (node === undefined || node.isFull || node.phase === 'down' || isSalvage(node)) return
  node.isFull = true
  post.notice({ type: 'node:full', node: id, reason })
}

/** The handle of a store that failed once is never written to again, so a thread that has one open is ended first. */
export function onRoom(id: NodeId, nodes: Roster, post: SupervisorPost): void {
  const node = nodes.get(id)
  if (node?.isFull !== true) return
  node.hasRoom = true
  if (node.phase === 'waiting') isStillFull(node, post)
  else post.terminate(node, 'its disk has room again: its store is opened anew')
}

/** Of a node without a thread: false if its store may be opened, for all that is known. */
export function isStillFull(node: Supervised, post: SupervisorPost): boolean {
  if (!node.isFull) return false
  if (!node.hasRoom) return true
  node.isFull = false
  node.hasRoom = false
  post.notice({ type: 'node:room', node: node.id })
  return false
}
