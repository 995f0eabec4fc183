/**
 * Spans of messages that have not been answered: to replicas, each answered as a whole, and to nodes that coordinate, which tell how one
 * operation after the other has ended. Bounded as those messages are: a coordinator has at most one of a kind under way to a node.
 *
 * Ends each span once. Called by `RequestSpans`.
 */

import type { Span } from '@opentelemetry/api'
import type { MessageId, RequestId } from '../protocol/messages.js'
import { endWithOutcome } from './spans.js'

interface OpenLeg<Call> {
  readonly span: Span
  readonly call: Call
  readonly node: string
}

/** What one call has in a message to a replica. `places`: of its operations there. */
interface ReplicaLeg<Call> extends OpenLeg<Call> {
  readonly places: readonly number[]
}

/** What one call has in a message to a coordinator. */
interface CoordinatorLeg<Call> extends OpenLeg<Call> {
  /** Operations that have not ended. */
  left: number
  worst: string
}

export class OpenLegs<Call> {
  readonly #replicas = new Map<MessageId, ReplicaLeg<Call>[]>()
  /** By operation. One that was asked of another node too is the newer one's. */
  readonly #coordinators = new Map<RequestId, CoordinatorLeg<Call>>()

  get isEmpty(): boolean {
    return this.#replicas.size + this.#coordinators.size === 0
  }

  add(message: MessageId, leg: ReplicaLeg<Call>): void {
    const legs = this.#replicas.get(message)
    if (legs === undefined) this.#replicas.set(message, [leg])
    else legs.push(leg)
  }

  addCoordinator(leg: CoordinatorLeg<Call>, operations: readonly RequestId[]): void {
    for (const operation of operations) {
      this.answerOperation(operation, 'superseded')
      this.#coordinators.set(operation, leg)
    }
  }

  /** False: nobody waits for it. */
  answer(message: MessageId, outcomeOf: (place: number) => string): boolean {
    const legs = this.#replicas.get(message)
    if (legs === undefined) return false
    this.#replicas.delete(message)
    for (const { span, places } of legs)
      endWithOutcome(span, places.map(outcomeOf).find((outcome) => outcome !== 'ok') ?? 'ok')
    return true
  }

  /** False: nobody waits for it. */
  answerOperation(operation: RequestId, outcome: string): boolean {
    const leg = this.#coordinators.get(operation)
    if (leg === undefined) return false
    this.#coordinators.delete(operation)
    leg.left -= 1
    if (outcome !== 'ok') leg.worst = outcome
    if (leg.left === 0) endWithOutcome(leg.span, leg.worst)
    return true
  }

  endAll(isMeant: (leg: OpenLeg<Call>) => boolean, outcome: string): void {
    for (const [message, legs] of this.#replicas) {
      for (const leg of legs) if (isMeant(leg)) endWithOutcome(leg.span, outcome)
      const left = legs.filter((leg) => !isMeant(leg))
      if (left.length === 0) this.#replicas.delete(message)
      else if (left.length < legs.length) this.#replicas.set(message, left)
    }
    for (const [operation, leg] of this.#coordinators) if (isMeant(leg)) this.answerOperation(operation, outcome)
  }
}
