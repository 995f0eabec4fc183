/**
 * A node's mailbox: two lanes, control before data.
 *
 * Bounded by its senders' credits (each keeps at most one data message of a kind outstanding), not by dropping: the bound
 * here is the assertion that the credits work.
 */

import { assert } from './assert.js'
import type { NodeEvent } from './events.js'
import { isDataMessage } from './messages.js'

/** Data messages that can wait at most, with every gateway and peer using every credit. */
const MAILBOX_DATA_MAX = 16_384

export class Mailbox {
  #control: NodeEvent[] = []
  #data: NodeEvent[] = []

  get size(): number {
    return this.#control.length + this.#data.length
  }

  /** What waits, as it will be taken. */
  waiting(): readonly NodeEvent[] {
    return [...this.#control, ...this.#data]
  }

  push(event: NodeEvent): void {
    if (event.type !== 'message' || !isDataMessage(event.message)) {
      this.#control.push(event)
      return
    }
    assert(this.#data.length < MAILBOX_DATA_MAX, 'credits bound the data lane', { waiting: this.#data.length })
    this.#data.push(event)
  }

  /** Everything that waits: control first, each lane in order. */
  takeAll(): readonly NodeEvent[] {
    const events = this.#control.length === 0 ? this.#data : this.#control.concat(this.#data)
    this.#control = []
    this.#data = []
    return events
  }
}
