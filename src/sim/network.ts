/**
 * The links of a simulated world: how long a message takes, and whether it arrives once, twice or not at all.
 *
 * A healthy link keeps its order, as a MessagePort does. Links to and from the supervisor are always healthy: it is the
 * process itself. Called by `SimWorld`.
 */

import type { Address } from '../protocol/ids.js'
import type { Prng } from '../protocol/prng.js'

/** What befalls the messages of a link, while it lasts. Shares are 0…1 of the messages. */
export interface LinkFault {
  readonly lost: number
  readonly doubled: number
  /** So many may overtake others: their delay does not hold up what follows. */
  readonly reordered: number
  /** Added to each message's time, up to so many ms. */
  readonly delayMs: number
}

export const HEALTHY: LinkFault = { lost: 0, doubled: 0, reordered: 0, delayMs: 0 }

/** Of a healthy link, in ms. */
export interface Latency {
  readonly minMs: number
  readonly spreadMs: number
}

export class Network {
  readonly #prng: Prng
  readonly #latency: Latency
  /** `from>to`. */
  readonly #cut = new Set<string>()
  readonly #faults = new Map<string, LinkFault>()
  #everywhere: LinkFault = HEALTHY
  readonly #freeAtMs = new Map<string, number>()
  /** When the last fault of a link ended, and the last one of all links. */
  readonly #healedAtMs = new Map<string, number>()
  #allHealedAtMs = Number.NEGATIVE_INFINITY

  constructor(prng: Prng, latency: Latency) {
    this.#prng = prng
    this.#latency = latency
  }

  /** Nothing passes any more in this direction. */
  cut(from: Address, to: Address): void {
    this.#cut.add(`${from}>${to}`)
  }

  fault(from: Address, to: Address, fault: LinkFault): void {
    this.#faults.set(`${from}>${to}`, fault)
  }

  /** Of every link that has no fault of its own. */
  faultEverywhere(fault: LinkFault): void {
    this.#everywhere = fault
  }

  heal(nowMs: number): void {
    for (const link of [...this.#cut, ...this.#faults.keys()]) this.#healedAtMs.set(link, nowMs)
    if (this.#everywhere !== HEALTHY) this.#allHealedAtMs = nowMs
    this.#cut.clear()
    this.#faults.clear()
    this.#everywhere = HEALTHY
  }

  /** Since when the link is healthy; Infinity: it is not. */
  healthySinceMs(from: Address, to: Address): number {
    const link = `${from}>${to}`
    if (this.#everywhere !== HEALTHY || this.#cut.has(link) || this.#faults.has(link)) return Number.POSITIVE_INFINITY
    return Math.max(this.#allHealedAtMs, this.#healedAtMs.get(link) ?? Number.NEGATIVE_INFINITY)
  }

  /** When a message that leaves now arrives; several times: it is doubled; never: it is lost. */
  arrivals(from: Address, to: Address, nowMs: number): number[] {
    const link = `${from}>${to}`
    if (this.#cut.has(link)) return []
    const fault = this.#faults.get(link) ?? this.#everywhere
    if (fault !== HEALTHY && this.#prng.next() < fault.lost) return []
    const arrivals = [this.#arrival(link, fault, nowMs)]
    if (fault !== HEALTHY && this.#prng.next() < fault.doubled) arrivals.push(this.#arrival(link, fault, nowMs))
    return arrivals
  }

  /** On a link without faults. */
  reliableArrival(from: Address, to: Address, nowMs: number): number {
    return this.#arrival(`${from}>${to}`, HEALTHY, nowMs)
  }

  /** A link of new ports: what was before does not hold it up. */
  forget(address: Address): void {
    for (const link of this.#freeAtMs.keys())
      if (link.startsWith(`${address}>`) || link.endsWith(`>${address}`)) this.#freeAtMs.delete(link)
  }

  #arrival(link: string, fault: LinkFault, nowMs: number): number {
    const { minMs, spreadMs } = this.#latency
    const healthyMs = nowMs + minMs + this.#prng.next() * spreadMs
    if (fault === HEALTHY) return this.#inOrder(link, healthyMs)
    const atMs = healthyMs + this.#prng.next() * fault.delayMs
    return this.#prng.next() < fault.reordered ? atMs : this.#inOrder(link, atMs)
  }

  #inOrder(link: string, atMs: number): number {
    const inOrder = Math.max(atMs, this.#freeAtMs.get(link) ?? 0)
    this.#freeAtMs.set(link, inOrder)
    return inOrder
  }
}
