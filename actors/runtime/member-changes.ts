/**
 * Nodes that come and go, as the supervisor's actor sees to it: noted in the cluster's metadata before the core hears of it, so
 * that a crash of the process forgets nothing; and a store is dropped once the metadata say that its node is no member.
 *
 * Called by the supervisor's actor.
 */

import { rm } from 'node:fs/promises'
import type { NodeId } from '../../src/protocol/ids.js'
import type { NodeRole, SupervisorEvent } from '../../src/protocol/supervision/supervisor-events.js'
import { type Stamp, stampTimePart } from '../../src/protocol/versions/stamp.js'
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

type Config = Pick<ClusterConfig, 'location' | 'tombstoneGraceMs' | 'closeTimeoutMs'>
type Notes = Pick<ClusterRecord, 'metadata' | 'writeMetadata' | 'changeNode' | 'noteReaping'>

export class MemberChanges {
  readonly #config: Config
  readonly #record: Notes
  readonly #facts: Map<NodeId, NodeFacts>
  readonly #step: (event: SupervisorEvent) => void
  readonly #isStopping: () => boolean
  /** Stores made of a backup that are on their way to their places; and when they are there. */
  #placing = 0
  #placed: Promise<unknown> = Promise.resolve()

  constructor(options: {
    config: Config
    record: Notes
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

  join(nodes: readonly NodeId[], role: NodeRole, seeds?: NodeSeeds): Promise<void> {
    this.#placing += 1
    const joined = this.#join(nodes, role, seeds).finally(() => {
      this.#placing -= 1
    })
    this.#placed = Promise.allSettled([this.#placed, joined])
    return joined
  }

  /**
   * Notes on the disk that what every copy held a grace ago may be forgotten; returns that time. Not while the store of a node that
   * joins is on its way to its place: nobody asks it what it holds before the supervisor knows of it, and it may be too old by the
   * new time. `isHeld`: nothing may be forgotten now; the time is the beginning of all times then.
   */
  async noteReaping(clockNs: () => bigint, isHeld: () => boolean): Promise<Stamp> {
    while (this.#placing > 0) await this.#placed
    const beforeNs = isHeld() ? 0n : clockNs() - BigInt(this.#config.tombstoneGraceMs) * 1_000_000n
    await this.#record.noteReaping(beforeNs)
    return stampTimePart(beforeNs)
  }

  async #join(nodes: readonly NodeId[], role: NodeRole, seeds?: NodeSeeds): Promise<void> {
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
