/**
 * Every request that is not gone: whose caller waits, which still see to their last owners (*lingering*), which wait for a
 * change, and what they keep alive in bytes.
 *
 * Bookkeeping only: it changes a request's phase and tells nobody. Called by `Coordination`.
 */

import { type QueueLimits, RETRY_MS } from '../config.js'
import { IdTable } from '../id-table.js'
import type { RequestId } from '../messages.js'
import { ForwardRequest } from './forward.js'
import { MissedWrite } from './missed-write.js'
import type { Desk, Request } from './request.js'
import { RequestList } from './request-list.js'

/** How often forwarded requests are looked through. */
const SLOW_LOOK_MS = 250
/** The waiting list is looked through for what is gone when it has doubled; not below this. */
const WAITING_MIN = 1_024

export class RequestRegistry {
  readonly #limits: QueueLimits
  readonly #running = new RequestList()
  /** Of those, what was forwarded, by id: its outcomes come one by one. */
  readonly #forwards = new IdTable<ForwardRequest>()
  /** Oldest first. */
  readonly #lingering = new RequestList()
  /** Of lingering puts; of searches for a keeper of hints; of everything. */
  #lingeringBytes = 0
  #missedBytes = 0
  #missed = 0
  #bytes = 0
  #waiting: Request[] = []
  #waitingMax = WAITING_MIN
  #retryAtMs = Number.POSITIVE_INFINITY
  /** When forwarded requests are looked through for those whose answer may have been lost. */
  #slowAtMs = 0
  #soonestDeadlineMs = Number.POSITIVE_INFINITY

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  /** Requests that have not ended for their callers. */
  get running(): number {
    return this.#running.size
  }

  get lingering(): number {
    return this.#lingering.size
  }

  /** Without the searches for a keeper. */
  get lingeringPuts(): number {
    return this.#lingering.size - this.#missed
  }

  get lingeringBytes(): number {
    return this.#lingeringBytes
  }

  get missedBytes(): number {
    return this.#missedBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** No more hints can look for a keeper. */
  get isMissedFull(): boolean {
    return this.#missedBytes > this.#limits.hintBufferBytesMax
  }

  /** When a deadline, or the pause before a retry, is over. */
  get nextDeadlineMs(): number {
    const slowAtMs = this.#forwards.size > 0 ? this.#slowAtMs : Number.POSITIVE_INFINITY
    return Math.min(this.#soonestDeadlineMs, this.#retryAtMs, slowAtMs)
  }

  add(request: Request): void {
    this.#running.add(request)
    if (request instanceof ForwardRequest) this.#forwards.add(request.id, request)
    this.#bytes += request.bytes
    this.#expect(request)
  }

  /** No caller waits for it: it lingers from the first. */
  addMissed(request: MissedWrite): void {
    request.phase = 'lingering'
    this.#lingering.add(request)
    this.#missed += 1
    this.#missedBytes += request.bytes
    this.#bytes += request.bytes
    this.#expect(request)
  }

  /** Ended for its caller, goes on in the background. */
  linger(request: Request): void {
    request.phase = 'lingering'
    this.#running.remove(request)
    this.#lingering.add(request)
    this.#lingeringBytes += request.bytes
    this.#expect(request)
  }

  /** The oldest that must give up its last owners, because more linger than may. */
  get oldestOverBound(): Request | undefined {
    const { lingerRequestsMax, lingerBytesMax } = this.#limits
    if (this.#lingering.size <= lingerRequestsMax && this.#lingeringBytes <= lingerBytesMax) return undefined
    let request = this.#lingering.first
    while (request instanceof MissedWrite) request = request.next
    return request
  }

  /** It takes nothing more. */
  remove(request: Request): void {
    if (request.phase === 'gone') return
    if (request.phase === 'lingering') {
      if (request instanceof MissedWrite) {
        this.#missed -= 1
        this.#missedBytes -= request.bytes
      } else this.#lingeringBytes -= request.bytes
    }
    request.phase = 'gone'
    request.list?.remove(request)
    if (request instanceof ForwardRequest) this.#forwards.take(request.id)
    this.#bytes -= request.bytes
  }

  forward(id: RequestId): ForwardRequest | undefined {
    return this.#forwards.get(id)
  }

  /** Copies, in order: what is done with one may end others. */
  runningRequests(): readonly Request[] {
    return this.#running.toArray()
  }

  forwards(): readonly ForwardRequest[] {
    return this.#forwards.values()
  }

  all(): readonly Request[] {
    return [...this.#running.toArray(), ...this.#lingering.toArray()]
  }

  /** Asks to be retried at the next change, or after the retry pause if `soon`. */
  wait(request: Request, soon: boolean, nowMs: number): void {
    if (soon) this.#retryAtMs = Math.min(this.#retryAtMs, nowMs + RETRY_MS)
    if (request.isWaiting || request.phase === 'gone') return
    request.isWaiting = true
    this.#waiting.push(request)
    // Most that wait end before anything changes; what is gone must not be kept.
    if (this.#waiting.length < this.#waitingMax) return
    this.#waiting = this.#waiting.filter((waiting) => waiting.phase !== 'gone')
    this.#waitingMax = Math.max(WAITING_MIN, this.#waiting.length * 2)
  }

  isRetryDue(nowMs: number): boolean {
    return nowMs >= this.#retryAtMs
  }

  /** Everybody who waits, to be retried now; who must wait on asks again. */
  takeWaiting(): readonly Request[] {
    this.#retryAtMs = Number.POSITIVE_INFINITY
    const waiting = this.#waiting
    if (waiting.length > 0) this.#waiting = []
    for (const request of waiting) request.isWaiting = false
    return waiting
  }

  /** Forwarded requests of which nothing was heard for long ask somebody else. True: there are none. */
  retrySlow(desk: Desk): boolean {
    if (this.#forwards.size === 0) return true
    if (desk.nowMs < this.#slowAtMs) return false
    this.#slowAtMs = desk.nowMs + SLOW_LOOK_MS
    for (const request of this.#forwards.values()) if (request.phase !== 'gone') request.retry(desk)
    return false
  }

  /** The soonest deadline has passed; whose it was may have ended long ago. */
  isDeadlineDue(nowMs: number): boolean {
    return nowMs >= this.#soonestDeadlineMs
  }

  /** Looks for the soonest deadline anew. Must follow whenever one was due: a deadline in the past would be named for ever. */
  expectDeadlines(): void {
    this.#soonestDeadlineMs = Number.POSITIVE_INFINITY
    for (const request of this.all()) this.#expect(request)
  }

  #expect({ deadlineMs }: Request): void {
    if (deadlineMs < this.#soonestDeadlineMs) this.#soonestDeadlineMs = deadlineMs
  }
}
