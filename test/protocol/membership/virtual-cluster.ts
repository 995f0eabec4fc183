/**
 * Some membership machines on one virtual clock: mail takes 1…5 ms, links can be cut one way, members can be frozen
 * (a blocked thread: its mail and its ticks wait until it thaws) or ended. Deterministic for a seed.
 */

import type { GossipMessage, MembershipMessage } from '../../../src/protocol/membership/gossip.js'
import { Membership } from '../../../src/protocol/membership/membership.js'
import { MEMBERSHIP_DEFAULTS } from '../../../src/protocol/membership/membership-config.js'
import type { MembershipOutput } from '../../../src/protocol/membership/membership-output.js'
import { Prng } from '../../../src/protocol/prng.js'

interface Mail {
  readonly atMs: number
  readonly sequence: number
  readonly from: string
  readonly to: string
  readonly message: MembershipMessage
}

/** One change of a member's status, as a node saw it. */
export interface SeenMove {
  readonly atMs: number
  readonly by: string
  readonly id: string
  readonly from: string | null
  readonly to: string
}

export class VirtualCluster {
  nowMs = 0
  readonly nodes = new Map<string, Membership>()
  readonly moves: SeenMove[] = []
  /** Every output as JSON, if `isLogging`. */
  readonly log: string[] = []
  isLogging = false
  readonly sent: Record<MembershipMessage['type'], number> = {
    'membership/heartbeat': 0,
    'gossip/syn': 0,
    'gossip/ack': 0,
    'gossip/ack2': 0,
  }
  isCut: (from: string, to: string) => boolean = () => false
  readonly #mail: Mail[] = []
  readonly #frozenUntilMs = new Map<string, number>()
  readonly #prng: Prng
  readonly #seed: number
  #sequence = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#prng = new Prng(seed)
  }

  /** count members that know each other and are up; runs until their views agree. */
  static settled(count: number, seed: number): VirtualCluster {
    const cluster = new VirtualCluster(seed)
    const ids = Array.from({ length: count }, (_, index) => `node${index + 1}`)
    for (const id of ids) cluster.spawn(id, 1)
    for (const id of ids) for (const peer of ids) if (peer !== id) cluster.feed(id, (m) => m.onPeerUp(peer, 1, 0))
    for (const id of ids) cluster.feed(id, (m) => m.becomeUp(0))
    cluster.runUntil(4_000)
    return cluster
  }

  spawn(id: string, incarnation: number): Membership {
    const node = new Membership({
      self: id,
      incarnation,
      config: MEMBERSHIP_DEFAULTS,
      seed: this.#seed + this.nodes.size * 1_000 + incarnation,
      nowMs: this.nowMs,
    })
    this.nodes.set(id, node)
    return node
  }

  node(id: string): Membership {
    const node = this.nodes.get(id)
    if (node === undefined) throw new Error(`no ${id}`)
    return node
  }

  freeze(id: string, untilMs: number): void {
    this.#frozenUntilMs.set(id, untilMs)
  }

  /** The thread is gone; nobody is told. */
  end(id: string): void {
    this.nodes.delete(id)
  }

  /** Gives one node an input. */
  feed(id: string, input: (node: Membership) => MembershipOutput[]): void {
    this.#take(id, input(this.node(id)))
  }

  runUntil(untilMs: number): void {
    while (true) {
      const tick = this.#nextTick()
      const mail = this.#mail[0]
      if (mail !== undefined && mail.atMs <= Math.min(tick.atMs, untilMs)) {
        popMail(this.#mail)
        this.nowMs = Math.max(this.nowMs, mail.atMs)
        this.#deliver(mail)
      } else if (tick.atMs <= untilMs) {
        this.nowMs = Math.max(this.nowMs, tick.atMs)
        this.feed(tick.id, (node) => node.onTick(this.nowMs))
      } else break
    }
    this.nowMs = untilMs
  }

  /** Runs until all views are equal. Returns the virtual ms that it took. */
  runUntilAgreed(limitMs: number): number {
    const startMs = this.nowMs
    while (!this.agrees()) {
      if (this.nowMs - startMs > limitMs) throw new Error(`views differ after ${limitMs} ms`)
      this.runUntil(this.nowMs + 10)
    }
    return this.nowMs - startMs
  }

  agrees(): boolean {
    return new Set([...this.nodes.values()].map((node) => node.viewDigest())).size <= 1
  }

  /** How often the member became suspect in the eyes of one node. */
  suspicionsOf(id: string, by: string): readonly SeenMove[] {
    return this.moves.filter((move) => move.id === id && move.by === by && move.to === 'suspect')
  }

  #nextTick(): { readonly atMs: number; readonly id: string } {
    let atMs = Number.POSITIVE_INFINITY
    let next = ''
    for (const [id, node] of this.nodes) {
      const dueMs = Math.max(node.nextDeadline(), this.#frozenUntilMs.get(id) ?? 0)
      if (dueMs < atMs) [atMs, next] = [dueMs, id]
    }
    return { atMs, id: next }
  }

  #deliver(mail: Mail): void {
    const { from, to, message } = mail
    if (!this.nodes.has(to)) return
    const frozenUntilMs = this.#frozenUntilMs.get(to) ?? 0
    if (frozenUntilMs > this.nowMs) pushMail(this.#mail, { ...mail, atMs: frozenUntilMs })
    else if (message.type === 'membership/heartbeat')
      this.feed(to, (node) => node.onHeartbeat(from, message.incarnation, message.counter, this.nowMs))
    else this.feed(to, (node) => node.onGossip(message satisfies GossipMessage, from, this.nowMs))
  }

  #take(by: string, outputs: readonly MembershipOutput[]): void {
    if (this.isLogging) for (const output of outputs) this.log.push(`${this.nowMs} ${by} ${JSON.stringify(output)}`)
    for (const output of outputs) {
      if (output.type === 'status')
        this.moves.push({ atMs: this.nowMs, by, id: output.member.id, from: output.from, to: output.to })
      if (output.type !== 'send') continue
      this.sent[output.message.type]++
      if (this.isCut(by, output.to)) continue
      const atMs = this.nowMs + 1 + this.#prng.below(5)
      pushMail(this.#mail, { atMs, sequence: this.#sequence++, from: by, to: output.to, message: output.message })
    }
  }
}

function isEarlier(a: Mail, b: Mail): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.sequence < b.sequence
}

/** A binary heap, the earliest first. */
function pushMail(heap: Mail[], mail: Mail): void {
  let at = heap.length
  heap.push(mail)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isEarlier(mail, heap[parent] as Mail)) break
    heap[at] = heap[parent] as Mail
    at = parent
  }
  heap[at] = mail
}

function popMail(heap: Mail[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  while (true) {
    const left = 2 * at + 1
    if (left >= heap.length) break
    const right = left + 1
    const child = right < heap.length && isEarlier(heap[right] as Mail, heap[left] as Mail) ? right : left
    if (!isEarlier(heap[child] as Mail, last)) break
    heap[at] = heap[child] as Mail
    at = child
  }
  heap[at] = last
}
