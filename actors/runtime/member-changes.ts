/**
 * Nodes that come and go, as the supervisor's actor sees to it: noted in the cluster's metadata before the core hears of it, so
 * that a crash of the process forgets nothing; and a store is dropped once the metadata say that its node is no member.
 *
 * Called by the supervisor's actor.
 */

import { rm } from 'node:fs/promises'
import type { NodeId } from '../../src/protocol/ids.js'
import type { NodeRole, SupervisorEvent } from '../../src/protocol/supervision/supervisor-events.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import type { NodeEntry } from '../../src/storage/cluster-folder.js'
import { nodeFolders } from '../../src/storage/layout.js'
import type { RestoredStore } from '../../src/storage/restore-stores.js'
import type { ClusterRecord } from './cluster-record.js'
import { endThread } from './end-thread.js'
import { type NodeFacts, newFacts } from './node-facts.js'

/** Stores that were made of a backup for nodes that join. */
export interface NodeSeeds {
  readonly stores: readonly RestoredStore[]
  /** Moves them to where the nodes look for them. */
  place(): Promise<void>
}

/** What its entry says of the store that is expected. */
function seedOf(id: NodeId, seeds: readonly RestoredStore[]): Pick<NodeEntry, 'storeId' | 'closed'> {
  const seed = seeds.find(({ node }) => node === id)
  if (seed === undefined) return {}
  const { storeId, sequence } = seed
  return { storeId, closed: { storeId, sequence } }
}

export class MemberChanges {
  readonly #config: ClusterConfig
  readonly #record: ClusterRecord
  readonly #facts: Map<NodeId, NodeFacts>
  readonly #step: (event: SupervisorEvent) => void
  readonly #isStopping: () => boolean

  constructor(options: {
    config: ClusterConfig
    record: ClusterRecord
    facts: Map<NodeId, NodeFacts>
    step: (event: SupervisorEvent) => void
    isStopping: () => boolean
  }) {
    this.#config = options.config
    this.#record = options.record
    this.#facts = options.facts
    this.#step = options.step
    this.#isStopping = options.isStopping
  }

  async join(nodes: readonly NodeId[], role: NodeRole, seeds?: NodeSeeds): Promise<void> {
    const entries = nodes.map((id) => ({ id, status: 'joining' as const, role, ...seedOf(id, seeds?.stores ?? []) }))
    await this.#record.writeMetadata({ nodes: [...this.#record.metadata.nodes, ...entries] })
    await seeds?.place()
    for (const node of nodes) this.#facts.set(node, newFacts(undefined))
    this.#step({ type: 'operator/join', nodes, role, haveCopies: seeds !== undefined })
  }

  /** That its role is to be another than the table has. */
  async promote(node: NodeId): Promise<void> {
    await this.#record.changeNode(node, { role: 'member' })
    this.#step({ type: 'operator/promote', node })
  }

  async leave(node: NodeId): Promise<void> {
    await this.#record.changeNode(node, { status: 'leaving' })
    this.#step({ type: 'operator/leave', node })
  }

  /** It owns nothing and owes nothing. */
  async remove(node: NodeId): Promise<void> {
    const facts = this.#facts.get(node)
    if (facts?.thread !== undefined) await endThread(facts.thread, this.#config.closeTimeoutMs)
    // A core that was rebuilt meanwhile has asked again.
    if (this.#isStopping() || this.#facts.get(node) !== facts || facts === undefined) return
    await this.#record.changeNode(node, { status: 'removed' })
    await rm(nodeFolders(this.#config.location, node).folder, { recursive: true, force: true })
    this.#facts.delete(node)
    this.#step({ type: 'node/removed', node })
  }
}
