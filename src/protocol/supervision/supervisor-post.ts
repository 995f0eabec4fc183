/** What one step of the supervisor says, and to whom. Decides nothing. Called by the supervisor's core and its parts. */

import { type Address, SUPERVISOR } from '../ids.js'
import type { Message } from '../messages.js'
import type { PartitionTable } from '../ring/table.js'
import type { Roster } from './roster.js'
import { isSalvage, type Supervised, statusOf } from './supervised.js'
import type { SupervisorEffect, SupervisorNotice } from './supervisor-events.js'

export class SupervisorPost {
  readonly #nodes: Roster
  readonly #gateways = new Set<Address>()
  #effects: SupervisorEffect[] = []

  constructor(nodes: Roster) {
    this.#nodes = nodes
  }

  addGateway(gateway: Address): void {
    this.#gateways.add(gateway)
  }

  removeGateway(gateway: Address): void {
    this.#gateways.delete(gateway)
  }

  /** Every node that has been booted is told. */
  loseGateway(gateway: Address): void {
    this.removeGateway(gateway)
    const message: Message = { type: 'gateway/lost', gateway }
    for (const node of this.#nodes.sorted)
      if (node.upSinceMs !== undefined && !isSalvage(node)) this.send(node.id, message)
  }

  effect(effect: SupervisorEffect): void {
    this.#effects.push(effect)
  }

  send(to: Address, message: Message): void {
    if (to !== SUPERVISOR) this.#effects.push({ type: 'send', to, message })
  }

  notice(notice: SupervisorNotice): void {
    this.#effects.push({ type: 'notice', notice })
  }

  /** Every node that has been booted, and every gateway. */
  announce(table: PartitionTable): void {
    const message: Message = { type: 'table/announce', table }
    for (const node of this.#nodes.sorted) if (node.upSinceMs !== undefined) this.send(node.id, message)
    this.#sendGateways(message)
  }

  /** A node's life has changed: every other member that has been booted, and every gateway. */
  broadcastPeer(changed: Supervised): void {
    const { id: node, incarnation } = changed
    const message: Message = { type: 'peer/changed', node, incarnation, status: statusOf(changed) }
    for (const peer of this.#nodes.sorted) {
      if (peer !== changed && peer.upSinceMs !== undefined && !isSalvage(peer)) this.send(peer.id, message)
    }
    this.#sendGateways(message)
  }

  /** Every node that has been booted, the member itself included. */
  declare({ id: node, incarnation }: Supervised, status: 'leaving' | 'removed'): void {
    const message: Message = { type: 'member/declared', node, incarnation, status }
    for (const peer of this.#nodes.sorted) {
      if (peer.upSinceMs !== undefined && !isSalvage(peer)) this.send(peer.id, message)
    }
  }

  /** The thread of this life is to end. Once a life: a thread may take its time to. */
  terminate(node: Supervised, reason: string): void {
    if (node.isEnding) return
    node.isEnding = true
    this.#effects.push({ type: 'terminate', node: node.id, incarnation: node.incarnation, reason })
  }

  takeEffects(): readonly SupervisorEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #sendGateways(message: Message): void {
    for (const gateway of [...this.#gateways].sort()) this.send(gateway, message)
  }
}
