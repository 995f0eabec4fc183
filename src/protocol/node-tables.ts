/**
 * A table's way into a node: it is in the store before it is acted on, and what was made for one that is on its way, or not
 * even that, waits for it. A part of `DynamoNode`, called by nobody else.
 */

import type { Address, Epoch } from './ids.js'
import type { Message } from './messages.js'
import type { NodeMachines } from './node-machines.js'
import type { PartitionTable } from './ring/table.js'

export class NodeTables {
  readonly #machines: NodeMachines
  /** Writes of the table, by token. */
  readonly #writes = new Map<number, Epoch>()
  #parked: { readonly from: Address; readonly message: Message }[] = []

  constructor(machines: NodeMachines) {
    this.#machines = machines
  }

  /** Messages that wait. */
  get parked(): number {
    return this.#parked.length
  }

  store(table: PartitionTable): void {
    const { keeper, transfers, post, takeToken } = this.#machines
    const token = takeToken()
    this.#writes.set(token, table.epoch)
    const meta = { table: JSON.stringify(table), ...transfers.noteWith(keeper.table, table) }
    post.effect({ type: 'store/write', token, write: { keys: [], records: [], liveKeysDelta: 0, meta, sync: true } })
  }

  isWriting(token: number): boolean {
    return this.#writes.has(token)
  }

  /** The store has accepted it; undefined: it was no table. */
  onWritten(token: number): Epoch | undefined {
    const epoch = this.#writes.get(token)
    this.#writes.delete(token)
    return epoch
  }

  /** Made for a newer table than ours, which is asked for unless it is on its way already. */
  park(from: Address, message: Message): void {
    const { keeper, post } = this.#machines
    this.#parked.push({ from, message })
    if (!keeper.isAdopting) post.send(from, { type: 'table/request', epoch: keeper.epoch })
  }

  takeParked(): readonly { readonly from: Address; readonly message: Message }[] {
    const parked = this.#parked
    this.#parked = []
    return parked
  }
}
