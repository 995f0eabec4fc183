/** One data message of a kind on each link: what bounds every mailbox. */

import type { Address, NodeId } from '../../protocol/ids.js'
import type { Mail } from '../observer.js'
import { Checker } from './checker.js'

/** Requests that take a credit, and the replies that give it back. */
export const REPLY_TYPES: Readonly<Record<string, string>> = {
  'replica/read': 'replica/read-reply',
  'replica/write': 'replica/write-reply',
  'replica/scan': 'replica/scan-reply',
  'hint/store': 'hint/stored',
  'coordinate/requests': 'coordinate/taken',
}

/** A sender has at most one unanswered message of a kind to each receiver. */
export class Credits extends Checker {
  readonly name = 'credits'
  readonly rule = 'Load: at most one data message of a kind outstanding for each link'
  /** sender, receiver, kind → id of the unanswered one. */
  readonly #outstanding = new Map<string, number>()

  onSend({ from, to, message }: Mail): void {
    const reply = REPLY_TYPES[message.type]
    if (reply === undefined || !('id' in message) || from === to) return
    const name = `${from} ${to} ${reply}${'fallback' in message && message.fallback ? ' fallback' : ''}`
    const unanswered = this.#outstanding.get(name)
    if (unanswered !== undefined && unanswered !== message.id)
      this.broken(`${from} sends ${to} ${message.type} #${message.id}, #${unanswered} is not answered`)
    this.#outstanding.set(name, message.id)
  }

  onDelivered({ from, to, message }: Mail): void {
    // A life that has ended, or another that has begun: what the earlier was sent is lost.
    if (message.type === 'peer/changed') this.#forget((sender, receiver) => sender === to && receiver === message.node)
    if (!('replyTo' in message)) return
    for (const name of [`${to} ${from} ${message.type}`, `${to} ${from} ${message.type} fallback`])
      if (this.#outstanding.get(name) === message.replyTo) this.#outstanding.delete(name)
  }

  onDeath(node: NodeId): void {
    this.#forget((sender) => sender === node)
  }

  #forget(isMeant: (sender: Address, receiver: Address) => boolean): void {
    for (const name of this.#outstanding.keys()) {
      const [sender = '', receiver = ''] = name.split(' ')
      if (isMeant(sender, receiver)) this.#outstanding.delete(name)
    }
  }
}
