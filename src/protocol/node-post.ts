/**
 * What one step of a node says: effects in order, mail to itself, outcomes for gateways. Decides nothing; `DynamoNode` hands
 * out what has gathered when the step ends.
 */

import type { NodeEffect, Notice } from './effects.js'
import type { Address, Epoch, GatewayId, NodeId } from './ids.js'
import { type DataReply, type Message, type Outcome, REPLY, type RequestId } from './messages.js'
import type { PartitionTable } from './ring/table.js'

export class NodePost {
  readonly #self: NodeId
  #effects: NodeEffect[] = []
  /** Messages to this node itself, handled before the step ends. */
  #loopback: Message[] = []
  /** Outcomes for gateways, gathered over one step. */
  #outcomes: { readonly gateway: GatewayId; readonly ids: RequestId[]; readonly outcomes: Outcome[] }[] = []

  constructor(self: NodeId) {
    this.#self = self
  }

  send(to: Address, message: Message): void {
    if (to === this.#self) this.#loopback.push(message)
    else this.#effects.push({ type: 'send', to, message })
  }

  /** Tells the sender of an older row what the row is now, ahead of the reply. */
  reply(to: Address, message: DataReply, table: PartitionTable): void {
    if (to !== this.#self && isStale(message)) this.send(to, { type: 'table/announce', table })
    this.send(to, message)
  }

  effect(effect: NodeEffect): void {
    this.#effects.push(effect)
  }

  notice(notice: Notice): void {
    this.#effects.push({ type: 'notice', notice })
  }

  /** How a gateway's request ended. */
  tell(gateway: GatewayId, id: RequestId, outcome: Outcome): void {
    let gathered = this.#outcomes.find((candidate) => candidate.gateway === gateway)
    if (gathered === undefined) {
      gathered = { gateway, ids: [], outcomes: [] }
      this.#outcomes.push(gathered)
    }
    gathered.ids.push(id)
    gathered.outcomes.push(outcome)
  }

  get hasLoopback(): boolean {
    return this.#loopback.length > 0
  }

  takeLoopback(): readonly Message[] {
    const loopback = this.#loopback
    if (loopback.length > 0) this.#loopback = []
    return loopback
  }

  /** One message to each gateway that has outcomes. */
  sendOutcomes(epoch: Epoch): void {
    if (this.#outcomes.length === 0) return
    for (const { gateway, ids, outcomes } of this.#outcomes) {
      this.send(gateway, { type: 'coordinate/replies', epoch, ids, outcomes })
    }
    this.#outcomes = []
  }

  takeEffects(): readonly NodeEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

function isStale(message: DataReply): boolean {
  if (message.type === 'replica/read-reply' || message.type === 'replica/write-reply')
    return message.statuses.includes(REPLY.stale)
  return message.type === 'replica/scan-reply' && message.status === REPLY.stale
}
