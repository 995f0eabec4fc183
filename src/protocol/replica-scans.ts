/** Pages of scans that a replica is asked for. Shows what its store has accepted, and only of rows that it serves. Called by `Replica` only. */

import type { Address, Key } from './ids.js'
import { REPLY, type ReplicaScan, type ReplyStatus } from './messages.js'
import type { ReplicaOutput } from './replica.js'
import type { StorePage } from './store-contract.js'
import { STATUS_OF, type TableKeeper } from './table-keeper.js'

export class ReplicaScans {
  readonly #keeper: TableKeeper
  readonly #takeToken: () => number
  readonly #push: (output: ReplicaOutput) => void
  /** Token of the page → who asked. */
  readonly #scanning = new Map<number, { readonly to: Address; readonly message: ReplicaScan }>()

  constructor(keeper: TableKeeper, takeToken: () => number, push: (output: ReplicaOutput) => void) {
    this.#keeper = keeper
    this.#takeToken = takeToken
    this.#push = push
  }

  /** False: made for a newer table than ours; park it. */
  onScan(from: Address, message: ReplicaScan, nowMs: number): boolean {
    let status: ReplyStatus = message.deadlineMs < nowMs ? REPLY.expired : REPLY.ok
    for (let index = 0; index < message.partitions.length; index++) {
      const verdict = this.#keeper.judgeRead(message.partitions[index] ?? 0, message.rowEpochs[index] ?? 0)
      if (verdict === 'behind') return false
      if (status === REPLY.ok) status = STATUS_OF[verdict]
    }
    if (status !== REPLY.ok) {
      this.#reply(from, message, status, { keys: [], records: [] })
      return true
    }
    const token = this.#takeToken()
    this.#scanning.set(token, { to: from, message })
    const { range, limit, bytesMax, partitions } = message
    // The store holds the other partitions' keys among those that are asked for.
    const entriesExpected = Math.ceil((limit * this.#keeper.held) / Math.max(1, partitions.length))
    this.#push({ type: 'scan', token, scan: { range, limit, bytesMax, partitions, entriesExpected } })
    return true
  }

  /** True if the page was one of ours. */
  onScanned(token: number, page: StorePage): boolean {
    const scan = this.#scanning.get(token)
    if (scan === undefined) return false
    this.#scanning.delete(token)
    this.#reply(scan.to, scan.message, REPLY.ok, page)
    return true
  }

  #reply(to: Address, message: ReplicaScan, status: ReplyStatus, page: StorePage): void {
    const records = page.records.map((record, index) => {
      if (record !== 'damaged') return record
      this.#push({ type: 'damaged', key: page.keys[index] as Key })
      return undefined
    })
    const reply = { type: 'replica/scan-reply' as const, replyTo: message.id, epoch: this.#keeper.epoch, status }
    const answer = { ...reply, request: message.request, keys: page.keys, records }
    this.#push({ type: 'reply', to, message: page.next === undefined ? answer : { ...answer, next: page.next } })
  }
}
