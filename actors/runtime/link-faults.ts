/**
 * What an unreliable network does to the messages of one node: loses, delays, doubles and reorders them, each message by
 * itself. A message between two nodes is treated once, by its sender; one from a gateway by the node that receives it. A cut is
 * enforced at both ends, so that once it is in effect nothing passes, not even what was on its way.
 *
 * It must never touch the link to the supervisor, which is the process itself. Called by `Ports`, with `faults: true` only.
 */

import type { Address, NodeId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import { Prng } from '../../src/protocol/prng.js'
import { nowMs } from './clock.js'
import { DelayLine } from './delay-line.js'
import { type FaultRules, type LinkFault, NO_FAULTS } from './fault-rules.js'

/** Messages that one node holds back at most; what comes after is lost. */
const HELD_MAX = 16_384

export type Direction = 'out' | 'in'

/** What has happened to a message. */
export type MessageFate = 'dropped' | 'delayed' | 'duplicated' | 'reordered'

/** One direction of the link to one peer. */
interface Way {
  readonly faults: readonly LinkFault[]
  readonly isCut: boolean
  /** Nothing passes before: what keeps its order on the link is due by then. */
  lastDueMs: number
}

export class LinkFaults {
  readonly #self: NodeId
  readonly #prng: Prng
  readonly #count: (fate: MessageFate) => void
  readonly #held = new DelayLine()
  #rules: FaultRules = NO_FAULTS
  #ways = new Map<string, Way>()

  constructor(options: { self: NodeId; seed: number; count: (fate: MessageFate) => void }) {
    this.#self = options.self
    this.#prng = new Prng(options.seed)
    this.#count = options.count
  }

  /** From now on these. With none left, what is held back goes on its way at once. */
  apply(rules: FaultRules): void {
    const before = this.#ways
    this.#rules = rules
    this.#ways = new Map()
    if (rules.links.length === 0) return this.#held.runAll()
    for (const [name, { lastDueMs }] of before) {
      const [direction, peer] = name.split(' ') as [Direction, Address]
      this.#wayOf(direction, peer).lastDueMs = lastDueMs
    }
  }

  /** What of these messages passes now, in order. What is held back is given to `deliver` in its time. */
  pass(
    direction: Direction,
    peer: Address,
    messages: readonly Message[],
    deliver: (messages: readonly Message[]) => void,
  ): readonly Message[] {
    if (this.#rules.links.length === 0) return messages
    if (this.#wayOf(direction, peer).faults.length === 0) return messages
    this.#held.runDue()
    return messages.flatMap((message) => this.#treat(direction, peer, message, deliver))
  }

  stop(): void {
    this.#held.stop()
  }

  #treat(
    direction: Direction,
    peer: Address,
    message: Message,
    deliver: (messages: readonly Message[]) => void,
  ): readonly Message[] {
    const way = this.#wayOf(direction, peer)
    if (way.isCut || this.#happens(way, 'drop')) return this.#lose()
    const copies = this.#happens(way, 'duplicate') ? [message, message] : [message]
    if (copies.length > 1) this.#count('duplicated')
    return copies.filter((copy) => {
      const dueMs = this.#dueMs(way)
      if (dueMs <= nowMs()) return true
      if (this.#held.size >= HELD_MAX) this.#count('dropped')
      else
        this.#held.add(dueMs, () => {
          // The link may have been cut meanwhile.
          if (this.#wayOf(direction, peer).isCut) this.#count('dropped')
          else deliver([copy])
        })
      return false
    })
  }

  #lose(): readonly Message[] {
    this.#count('dropped')
    return []
  }

  /** When a message arrives: after what went before it, unless it is one that is overtaken. */
  #dueMs(way: Way): number {
    let delayMs = 0
    let overtakenMs = 0
    for (const fault of way.faults) {
      if (fault.type === 'delay') delayMs += fault.ms + fault.jitterMs * this.#prng.next()
      if (fault.type === 'reorder' && this.#prng.next() < fault.share) overtakenMs += fault.ms
    }
    if (delayMs > 0) this.#count('delayed')
    const dueMs = Math.max(nowMs() + delayMs, way.lastDueMs)
    if (overtakenMs === 0) way.lastDueMs = dueMs
    else this.#count('reordered')
    return dueMs + overtakenMs
  }

  /** Every rule of the kind is a chance of its own. */
  #happens(way: Way, type: 'drop' | 'duplicate'): boolean {
    let happens = false
    for (const fault of way.faults) if (fault.type === type && this.#prng.next() < fault.share) happens = true
    return happens
  }

  #wayOf(direction: Direction, peer: Address): Way {
    const name = `${direction} ${peer}`
    let way = this.#ways.get(name)
    if (way === undefined) {
      const faults = this.#faultsOf(direction, peer)
      way = { faults, isCut: faults.some(({ type }) => type === 'cut'), lastDueMs: 0 }
      this.#ways.set(name, way)
    }
    return way
  }

  #faultsOf(direction: Direction, peer: Address): readonly LinkFault[] {
    const [sender, receiver] = direction === 'out' ? [this.#self, peer] : [peer, this.#self]
    // A node treats what it sends; what a gateway sends is treated here.
    const isTreatedHere = direction === 'out' || this.#rules.gateways.includes(peer)
    return this.#rules.links
      .filter(({ from, to }) => from.includes(sender) && to.includes(receiver))
      .map(({ fault }) => fault)
      .filter(({ type }) => isTreatedHere || type === 'cut')
  }
}
