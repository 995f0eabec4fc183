/**
 * Requests in order of arrival, linked through themselves: adding and removing allocates nothing. (Not a `Set`: see
 * `id-table.ts` for what that costs where requests come and go thousands of times a second.)
 *
 * A request is in at most one list. What is removed keeps no link: a dead request must not keep younger ones alive.
 * Called by `Coordination` only.
 */

import { assert } from '../assert.js'
import type { Request } from './request.js'

export class RequestList {
  #first: Request | undefined
  #last: Request | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Request | undefined {
    return this.#first
  }

  /** Appends it. */
  add(request: Request): void {
    if (request.list !== undefined) assert(false, 'a request is in one list', { id: request.id })
    request.list = this
    request.previous = this.#last
    if (this.#last === undefined) this.#first = request
    else this.#last.next = request
    this.#last = request
    this.#size += 1
  }

  remove(request: Request): void {
    if (request.list !== this) assert(false, 'it is in this list', { id: request.id })
    const { previous, next } = request
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    request.list = undefined
    request.previous = undefined
    request.next = undefined
    this.#size -= 1
  }

  /** A copy: what is done with one request may remove others. */
  toArray(): Request[] {
    const requests: Request[] = []
    for (let request = this.#first; request !== undefined; request = request.next) requests.push(request)
    return requests
  }
}
