/** What a coordination wants done; its host takes it after each input. */

import type { Address, Key, NodeId } from '../ids.js'
import type { Message, RequestId } from '../messages.js'
import type { OperationOutcome } from './request.js'

export class CoordinationOutput {
  readonly sends: { readonly to: Address; readonly message: Message }[] = []
  readonly ends: { readonly id: RequestId; readonly outcome: OperationOutcome }[] = []
  readonly repairs: { readonly key: Key; readonly nodes: readonly NodeId[]; readonly blocking: boolean }[] = []
  /** Owners that missed writes of which nobody keeps a hint. */
  readonly hintsLost = new Set<NodeId>()

  get isEmpty(): boolean {
    return this.sends.length + this.ends.length + this.repairs.length + this.hintsLost.size === 0
  }

  /** The request that has just run into its deadline: what certainly left no trace is told as closed, an unknown outcome stays. */
  tellAsClosed(id: RequestId, code: 'CLOSED'): void {
    const last = this.ends.at(-1)
    if (last?.id !== id || last.outcome.type !== 'failed' || last.outcome.failure.code !== 'TIMEOUT') return
    this.ends[this.ends.length - 1] = { id, outcome: { type: 'failed', failure: { code } } }
  }
}
