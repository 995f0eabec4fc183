/** What is said when a reply shows that one side has an older table. Called by `Coordination` only. */

import type { Epoch, NodeId } from '../ids.js'
import type { Message } from '../messages.js'
import type { PartitionTable } from '../ring/table.js'

export class EpochTalk {
  /** Nodes that were sent our table, and its epoch: once each. */
  readonly #announced = new Map<NodeId, Epoch>()

  /** The one with the newer table sends it; undefined: nothing is to be said. `isStale`: our row is not what theirs was. */
  answer(from: NodeId, theirs: Epoch, isStale: boolean, table: PartitionTable): Message | undefined {
    const { epoch } = table
    if (theirs > epoch) return { type: 'table/request', epoch }
    if (!isStale || this.#announced.get(from) === epoch) return undefined
    this.#announced.set(from, epoch)
    return { type: 'table/announce', table }
  }
}
