/** A fill that is driven by hand, in virtual time; the test plays its sources and its store. */

import { Fill } from '../../../src/protocol/handoff/fill.js'
import type { FillOutput } from '../../../src/protocol/handoff/fill-output.js'
import { REPLY } from '../../../src/protocol/messages.js'
import { TransferBudget } from '../../../src/protocol/transfer-budget.js'
import type { TransferPull } from '../../../src/protocol/transfer-messages.js'

export class Driven {
  nowMs = 0
  readonly budget: TransferBudget
  readonly away = new Set<string>()
  readonly outputs: FillOutput[] = []
  readonly trees = { lapses: 0, trusted: true, isTrusted: () => this.trees.trusted, low: () => 7, high: () => 9 }
  #token = 1
  readonly fill: Fill

  constructor({ transferBytesPerSecond = 1e9, transfersMax = 2 } = {}) {
    this.budget = new TransferBudget({ transferBytesPerSecond, transfersMax })
    const take = () => this.#token++
    this.fill = new Fill({ budget: this.budget, takeLocal: take, takeMessageId: take, trees: this.trees })
  }

  mayAsk = (node: string): boolean => !this.away.has(node)

  advance(): void {
    this.fill.advance(this.mayAsk, this.nowMs)
    this.outputs.push(...this.fill.takeOutput())
  }

  order(partition: number, sources: readonly string[]): void {
    this.fill.onOrders([{ partition, rowEpoch: 1, sources }], 1, this.nowMs)
    this.advance()
  }

  /** Of one source that a copy is compared with. */
  orderCopies(partitions: readonly number[]): void {
    const orders = partitions.map((partition) => ({ partition, rowEpoch: 1, sources: ['a'], hasCopy: true }))
    this.fill.onOrders(orders, 1, this.nowMs)
    this.advance()
  }

  /** The source says whose roots are equal; the token of the seal. */
  equal(pull: { readonly to: string; readonly message: TransferPull }, equal: readonly number[]): number {
    const chunk = { type: 'transfer/chunk', replyTo: pull.message.id, status: REPLY.ok, keys: [], records: [] } as const
    this.fill.onChunk(pull.to, { ...chunk, equal }, this.nowMs)
    this.advance()
    const seal = this.outputs.findLast((output) => output.type === 'seal')
    return seal?.type === 'seal' ? seal.token : 0
  }

  filled(): readonly number[] {
    return this.outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === 'transfer/done' ? output.message.partitions : [],
    )
  }

  /** Pulls since the last call. */
  pulls(): { readonly to: string; readonly message: TransferPull }[] {
    const pulls = this.outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === 'transfer/pull'
        ? [{ to: output.to, message: output.message }]
        : [],
    )
    this.outputs.length = 0
    return pulls
  }

  deadlineMs(): number {
    return this.fill.nextDeadlineMs(this.mayAsk)
  }

  /** A chunk with one record; the number of the local write. */
  chunk(pull: { readonly to: string; readonly message: TransferPull }, next?: string): number {
    const value = Uint8Array.of(1)
    const stamp = '0000000000000001.gateway1.0000'
    const chunk = { type: 'transfer/chunk', replyTo: pull.message.id, status: REPLY.ok, keys: ['k'] } as const
    const records = [{ kind: 'lww', stamp, value }] as const
    this.fill.onChunk(pull.to, { ...chunk, records, ...(next === undefined ? {} : { next }) }, this.nowMs)
    this.advance()
    const stored = this.outputs.findLast((output) => output.type === 'store')
    return stored?.type === 'store' ? stored.local : 0
  }
}

/** A millisecond: what a chunk may cost. */
export function later(driven: Driven): void {
  driven.nowMs += 1
  driven.advance()
}
