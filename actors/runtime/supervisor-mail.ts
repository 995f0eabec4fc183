/**
 * What the supervisor has to say, gathered until it is carried to the threads. Decides only that a thread which is not booted
 * yet is told after: its table is newer than what waits, and order is kept. Called by the supervisor's actor.
 */

import { type Address, SUPERVISOR } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { NodeFacts } from './node-facts.js'
import type { NodeThread } from './node-thread.js'
import type { GatewayEnd } from './supervisor-contract.js'

export class SupervisorMail {
  readonly #gathered = new Map<Address, Message[]>()

  push(to: Address, message: Message): void {
    const gathered = this.#gathered.get(to) ?? []
    this.#gathered.set(to, gathered)
    gathered.push(message)
  }

  /** Its life is over: nobody is there to be told. */
  drop(to: Address): void {
    this.#gathered.delete(to)
  }

  flush(ends: {
    readonly gateways: ReadonlyMap<Address, GatewayEnd>
    readonly facts: ReadonlyMap<Address, NodeFacts>
    readonly booted: ReadonlySet<NodeThread>
  }): void {
    for (const [to, messages] of [...this.#gathered]) {
      if (to === SUPERVISOR) continue
      const gateway = ends.gateways.get(to)
      const thread = ends.facts.get(to)?.thread
      if (gateway !== undefined) gateway.mail(messages)
      else if (thread !== undefined && !ends.booted.has(thread)) continue
      else thread?.mail(messages)
      this.#gathered.delete(to)
    }
  }
}
