/**
 * Looks at one partition only: of what is said of many partitions at once, that part; of the epochs, those that changed its row.
 *
 * Called by `Transcript`. Without a partition everything passes.
 */

import type { Epoch, PartitionId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import type { Mail } from '../../src/sim/observer.js'

/** Chunks name no partitions: so many pulls are remembered to know whose they are. */
const PULLS_MAX = 1_000

export class Focus {
  readonly #partition: PartitionId
  /** In which its row changed. */
  readonly #epochs = new Set<Epoch>([1])
  readonly #pulls = new Set<string>()

  constructor(partition: PartitionId) {
    this.#partition = partition
  }

  onTable({ epoch, rows }: PartitionTable): void {
    if (rows[this.#partition]?.epoch === epoch) this.#epochs.add(epoch)
  }

  hasEpoch(epoch: Epoch): boolean {
    return this.#epochs.has(epoch)
  }

  hasOneOf(partitions: readonly PartitionId[]): boolean {
    return partitions.includes(this.#partition)
  }

  /** The part of the message that is about it; undefined: nothing is. */
  narrow({ from, to, message }: Mail): Message | undefined {
    switch (message.type) {
      case 'table/announce':
        return this.hasEpoch(message.table.epoch) ? message : undefined
      case 'table/stored':
      case 'table/activate':
        return this.hasEpoch(message.epoch) ? message : undefined
      case 'transfer/start': {
        const orders = message.orders.filter(({ partition }) => partition === this.#partition)
        return orders.length === 0 ? undefined : { ...message, orders }
      }
      case 'transfer/pull':
        if (!this.hasOneOf(message.partitions)) return undefined
        if (this.#pulls.size < PULLS_MAX) this.#pulls.add(`${from} ${message.id}`)
        return { ...message, partitions: [this.#partition] }
      case 'transfer/chunk':
        return this.#pulls.has(`${to} ${message.replyTo}`) ? message : undefined
      case 'transfer/done':
        return this.hasOneOf(message.partitions) ? { ...message, partitions: [this.#partition] } : undefined
      default:
        return message
    }
  }
}
