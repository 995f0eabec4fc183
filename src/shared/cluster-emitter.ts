/** The listeners of a cluster, of either engine. Both clusters are one. */

import { EventEmitter } from 'node:events'
import type { ClusterEvents } from './cluster-events.js'

export class ClusterEmitter {
  readonly #events = new EventEmitter<ClusterEvents>()

  on<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this {
    this.#events.on(name, listener as never)
    return this
  }

  once<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this {
    this.#events.once(name, listener as never)
    return this
  }

  off<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this {
    this.#events.off(name, listener as never)
    return this
  }

  /** A listener's own error is the program's to handle, but nothing that tells of an event may stop halfway because of it. */
  protected tell<Name extends keyof ClusterEvents>(name: Name, ...args: ClusterEvents[Name]): void {
    try {
      this.#events.emit(name, ...(args as never))
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
