/**
 * Writes to both sides, of one thread: between its client and its gateway. Off, it lets everything through.
 *
 *   1. A write waits until the target has a master for it: what cannot be written there is not begun here.
 *   2. The gateway stamps it and writes it. If that fails for certain, nothing was sent anywhere, and the caller is told.
 *   3. The target gets it with its stamp, by which it is never put over a newer one. Then the caller is told.
 *
 * The other way round, a write that this cluster refuses could be at the target. What is not known to be at the target after 2 ends as
 * *outcome unknown*, and its keys are *owed*: they are read here and written there, again and again, until they are the same.
 * So is a write whose outcome here is not known: the target gets it once somebody here can be shown it.
 *
 * What waits here counts: past `requestsInFlightMax` or `bytesInFlightMax`, keys that are owed included, a write is refused at once.
 *
 * It must never tell of a write as done that is not on both sides. Called by the client, the gateway and the thread's seat.
 */

import { nowMs } from '../../actors/runtime/clock.js'
import type { Entrance } from '../client-parts.js'
import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { RequestObserver } from '../protocol/coordinator/request-observer.js'
import type { Failure } from '../protocol/failure.js'
import type { ClientRequest } from '../protocol/gateway-contract.js'
import { IdTable } from '../protocol/id-table.js'
import type { Key } from '../protocol/ids.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { Stamp } from '../protocol/versions/stamp.js'
import { CoterieError } from '../shared/errors.js'
import { OwedKeys } from './owed-keys.js'
import type { SideBySide } from './side-by-side.js'

/** Between two looks at whether the target has a master again. */
const LOOK_MS = 50

type PutRequest = ClientRequest & { readonly kind: 'put' }

/** Given to the gateway. */
interface Mirrored {
  readonly put: PutRequest
  stamp: Stamp | undefined
}

export interface MirrorOptions {
  readonly gateway: Entrance
  /** Tells the caller. */
  readonly settle: (id: number, outcome: OperationOutcome, nowMs: number) => void
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
  /** For gauges: keys that are owed for want of the target. */
  readonly onOwed: (keys: number) => void
  /** Also for gauges: writes so far of which this cluster does not know whether it has them. */
  readonly onDoubts: (doubts: number) => void
}

export class Mirror implements Entrance {
  readonly #options: MirrorOptions
  readonly #owed: OwedKeys
  readonly #puts = new IdTable<Mirrored>()
  #sides: SideBySide | undefined
  /** Written here, on the way to the target. */
  #sending = 0
  /** Before they are begun here. */
  #waiting = 0
  /** Keys and values of writes whose callers wait. */
  #bytes = 0
  #doubts = 0

  constructor(options: MirrorOptions) {
    this.#options = options
    this.#owed = new OwedKeys(options.onOwed)
  }

  get table(): PartitionTable {
    return this.#options.gateway.table
  }

  observe(observer: RequestObserver | undefined): void {
    this.#options.gateway.observe(observer)
  }

  /** Writes that are not through on both sides, those that are owed included. */
  get underWay(): number {
    return this.#puts.size + this.#sending + this.#waiting + this.#owed.size
  }

  /** Requests whose callers wait. */
  get running(): number {
    return this.#puts.size + this.#sending + this.#waiting
  }

  /** From now on writes go to both. */
  start(sides: SideBySide): void {
    this.#sides = sides
    this.#owed.start(sides)
  }

  /** From now on they go to this cluster alone. What is owed is given up: whoever goes on compares everything. */
  stop(): void {
    this.#sides = undefined
    this.#owed.stop()
  }

  /** The cluster closes: what is not through by now ends as *outcome unknown* with the target's connections. */
  close(): void {
    this.#owed.stop()
  }

  submit(requests: readonly ClientRequest[]): void {
    if (this.#sides === undefined) return this.#options.gateway.submit(requests)
    const sides = this.#sides
    const now: ClientRequest[] = []
    for (const request of requests) {
      if (request.kind !== 'put') now.push(request)
      else if (this.#isFull) this.#fail(request.id, { code: 'OVERLOADED' })
      else if (sides.target.isPlaced(request.keys)) now.push(this.#admit(request))
      else void this.#submitOncePlaced(request)
    }
    if (now.length > 0) this.#options.gateway.submit(now)
  }

  onStamped(id: number, stamp: Stamp): void {
    const mirrored = this.#puts.get(id)
    if (mirrored !== undefined) mirrored.stamp = stamp
  }

  /** What a batch writes that was taken over from a gateway that is no more. */
  onAdopted(keys: readonly Key[]): void {
    if (this.#sides !== undefined) this.#owed.add(keys)
  }

  onReply(id: number, outcome: OperationOutcome, now: number): void {
    const mirrored = this.#puts.take(id)
    if (mirrored === undefined) return this.#options.settle(id, outcome, now)
    if (this.#sides === undefined) {
      this.#bytes -= bytesOf(mirrored.put)
      return this.#options.settle(id, outcome, now)
    }
    const { put, stamp } = mirrored
    if (outcome.type !== 'failed' && stamp !== undefined) return void this.#send(put, stamp, outcome)
    this.#bytes -= bytesOf(put)
    if (outcome.type === 'failed' && outcome.failure.code === 'OUTCOME_UNKNOWN') {
      this.#owed.add(put.keys)
      // It may get here once they are the same: a batch that goes on, a hint that is handed back.
      this.#doubts += 1
      this.#options.onDoubts(this.#doubts)
    }
    this.#options.settle(id, outcome, now)
  }

  get #isFull(): boolean {
    const { requestsInFlightMax, bytesInFlightMax } = this.#options
    return this.running >= requestsInFlightMax || this.#bytes + this.#owed.bytes >= bytesInFlightMax
  }

  #admit(put: PutRequest): PutRequest {
    this.#bytes += bytesOf(put)
    this.#puts.add(put.id, { put, stamp: undefined })
    return { ...put, mirrored: true }
  }

  async #submitOncePlaced(put: PutRequest): Promise<void> {
    const bytes = bytesOf(put)
    this.#waiting += 1
    this.#bytes += bytes
    while (this.#sides?.target.isPlaced(put.keys) === false && nowMs() < put.deadlineMs)
      await this.#sides.target.lookAgain(Math.min(LOOK_MS, Math.max(1, put.deadlineMs - nowMs())))
    this.#waiting -= 1
    this.#bytes -= bytes
    if (nowMs() >= put.deadlineMs) {
      const detail = 'the target of the migration has no master for it'
      return this.#fail(put.id, { code: 'TIMEOUT', detail })
    }
    this.#options.gateway.submit([this.#sides === undefined ? put : this.#admit(put)])
  }

  async #send(put: PutRequest, stamp: Stamp, outcome: OperationOutcome): Promise<void> {
    const { id, keys, values, deadlineMs } = put
    this.#sending += 1
    try {
      // Of a key named twice the last counts.
      const last = new Map(keys.map((key, index) => [key, values[index] ?? null]))
      const records = [...last].map(([key, value]) => ({ key, stamp, value }))
      await this.#sides?.target.write(records, performance.now() + Math.max(1, deadlineMs - nowMs()))
      this.#options.settle(id, outcome, nowMs())
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
      // It was stopped meanwhile: this side is enough.
      if (this.#sides === undefined) this.#options.settle(id, outcome, nowMs())
      else {
        this.#owed.add(keys)
        const detail = `it is written here, but at the migration's target it failed with ${error.code}`
        this.#fail(id, { code: 'OUTCOME_UNKNOWN', detail })
      }
    } finally {
      this.#sending -= 1
      this.#bytes -= bytesOf(put)
    }
  }

  #fail(id: number, failure: Failure): void {
    this.#options.settle(id, { type: 'failed', failure }, nowMs())
  }
}

function bytesOf({ keys, values }: PutRequest): number {
  let bytes = 0
  for (const [index, key] of keys.entries()) bytes += key.length + (values[index]?.byteLength ?? 0)
  return bytes
}
