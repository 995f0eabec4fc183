/**
 * How a node's life begins: its thread is spawned, it boots once everything decided about it is on disk, or, after the core was
 * rebuilt, it is found as it is. Decides nothing about deaths. A part of `SupervisorCore`, called by nobody else.
 */

import type { PeerInfo } from '../events.js'
import type { Epoch, Incarnation, NodeId } from '../ids.js'
import type { Roster } from './roster.js'
import type { Supervised } from './supervised.js'
import type { ResumeState } from './supervisor-events.js'
import type { SupervisorPost } from './supervisor-post.js'
import type { TableBook } from './table-book.js'

export interface LivesHost {
  readonly nodes: Roster
  readonly post: SupervisorPost
  readonly tables: TableBook
  activeEpoch(): Epoch
}

export class Lives {
  readonly #host: LivesHost

  constructor(host: LivesHost) {
    this.#host = host
  }

  /** A new life; or, of one that is down for good, a thread that reads what it left. */
  spawn(node: Supervised, phase: 'opening' | 'salvaging', nowMs: number): void {
    node.incarnation += 1
    node.phase = phase
    node.sinceMs = nowMs
    node.upSinceMs = undefined
    node.storedEpoch = 0
    node.loopsAtMs = nowMs
    node.isHungReported = false
    node.isEnding = false
    const { id, incarnation } = node
    this.#host.post.effect({ type: 'spawn', node: id, incarnation, salvage: phase === 'salvaging' })
  }

  /** Whoever has not heard of a node takes it for one that is down. */
  add(id: NodeId, nowMs: number): Supervised {
    const node = this.#host.nodes.add(id, nowMs)
    this.spawn(node, 'opening', nowMs)
    this.#host.post.broadcastPeer(node)
    return node
  }

  /** What a dead node left has been opened, to be read. */
  onSalvageOpened(node: Supervised, isForgetful: boolean): void {
    if (isForgetful) {
      node.isStoreGone = true
      this.#host.post.terminate(node, 'its store cannot be salvaged')
    } else {
      node.phase = 'salvaged'
      this.boot(node, [])
    }
  }

  /** As it was under the core that broke. */
  resume(id: NodeId, incarnation: Incarnation, state: ResumeState, nowMs: number): void {
    const { nodes, post } = this.#host
    const node = nodes.add(id, nowMs)
    node.incarnation = incarnation
    switch (state) {
      case 'up':
        node.phase = 'up'
        node.upSinceMs = nowMs
        // Which epoch it has stored is not known any more: its table tells.
        return post.send(id, { type: 'table/request', epoch: 0 })
      case 'starting':
        node.phase = 'opening'
        // It may have been booted, and answers by an older table until its thread has ended.
        node.upSinceMs = nowMs
        return post.terminate(node, 'its supervisor was rebuilt while it was starting')
      case 'ended':
        return this.spawn(node, 'opening', nowMs)
      case 'salvage':
        // Spawned again if it is still needed.
        post.terminate(node, 'its supervisor was rebuilt while it was read')
        node.phase = 'down'
        return
      case 'down':
        node.phase = 'down'
        return
      default:
        state satisfies never
    }
  }

  /** A node boots once everything decided about it is on disk: an amnesiac must never see a table in which it is full. */
  bootReady(nowMs: number): void {
    const { nodes, tables } = this.#host
    if (tables.isPersisting) return
    for (const node of nodes.sorted) {
      if (node.phase !== 'booting' || node.upSinceMs !== undefined) continue
      node.upSinceMs = nowMs
      this.boot(node, nodes.peersOf(node.id))
    }
  }

  boot({ id: node, incarnation }: Supervised, peers: readonly PeerInfo[]): void {
    const { post, tables } = this.#host
    const activeEpoch = this.#host.activeEpoch()
    post.effect({ type: 'boot', node, incarnation, table: tables.persisted, activeEpoch, peers })
  }
}
