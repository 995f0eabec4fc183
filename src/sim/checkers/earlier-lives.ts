/** Mail for an earlier life of a node: whoever lives there now does not act on it. */

import type { Mail } from '../observer.js'
import { Checker } from './checker.js'

export class EarlierLives extends Checker {
  readonly name = 'earlier-lives'
  readonly rule = 'Membership: mail addressed to an earlier incarnation is dropped'
  /** Sender, receiver and number of requests that only an earlier life was sent. */
  readonly #late = new Set<string>()

  onLate({ from, to, message }: Mail): void {
    if ('id' in message) this.#late.add(`${from} ${to} ${message.id}`)
  }

  /** Sent again to this very life. */
  onDelivered({ from, to, message }: Mail): void {
    if ('id' in message && this.#late.size > 0) this.#late.delete(`${from} ${to} ${message.id}`)
  }

  onSend({ from, to, message }: Mail): void {
    if (this.#late.size === 0 || !('replyTo' in message)) return
    if (this.#late.has(`${to} ${from} ${message.replyTo}`))
      this.broken(`${from} answers ${message.type} to ${to}'s #${message.replyTo}, which was sent to an earlier life`)
  }
}
