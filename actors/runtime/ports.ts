/**
 * The ports of one thread to its peers: envelopes out, messages in. A port belongs to one life of each end; mail for
 * somebody without a port is a dead letter and only counted (the sender's deadlines see to the rest).
 */

import type { MessagePort } from 'node:worker_threads'
import type { Address } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import { type Envelope, packEnvelope, unpackEnvelope } from './wire.js'

export class Ports {
  readonly #ports = new Map<Address, MessagePort>()
  readonly #outbox = new Map<Address, Message[]>()
  readonly #onMail: (from: Address, messages: readonly Message[]) => void
  #deadLetters = 0

  constructor(onMail: (from: Address, messages: readonly Message[]) => void) {
    this.#onMail = onMail
  }

  get deadLetters(): number {
    return this.#deadLetters
  }

  /** A new life of a peer: the old port, if there is one, is closed. */
  attach(peer: Address, port: MessagePort): void {
    this.detach(peer)
    this.#ports.set(peer, port)
    port.on('message', (envelope: Envelope) => {
      if (this.#ports.get(peer) === port) this.#onMail(peer, unpackEnvelope(envelope))
    })
  }

  detach(peer: Address): void {
    this.#ports.get(peer)?.close()
    this.#ports.delete(peer)
    this.#outbox.delete(peer)
  }

  /** Leaves with the next `flush`. */
  push(to: Address, message: Message): void {
    const gathered = this.#outbox.get(to)
    if (gathered === undefined) this.#outbox.set(to, [message])
    else gathered.push(message)
  }

  /** One envelope a receiver. */
  flush(): void {
    if (this.#outbox.size === 0) return
    for (const [to, messages] of this.#outbox) {
      const port = this.#ports.get(to)
      if (port === undefined) {
        this.#deadLetters += messages.length
        continue
      }
      const { envelope, transfer } = packEnvelope(messages)
      port.postMessage(envelope, transfer)
    }
    this.#outbox.clear()
  }

  closeAll(): void {
    for (const peer of [...this.#ports.keys()]) this.detach(peer)
  }
}
