/** What is said how often, and how much waits: credits, gossip, bounds, stamps. */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Address, Key, NodeId } from '../../protocol/ids.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** Requests that take a credit, and the replies that give it back. */
const REPLY_TYPES: Readonly<Record<string, string>> = {
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

/** Gossip stays within its fan-out: so many messages a round, whatever happens. */
export class GossipBound extends Checker {
  readonly name = 'gossip-bound'
  readonly rule = 'Membership: messages for each gossip round are bounded'
  readonly #syns = new Map<NodeId, { readonly atMs: number[] }>()

  onSend({ from, message }: Mail, world: SimWorld): void {
    if (message.type !== 'gossip/syn') return
    const { gossipFanout, gossipMs } = world.options.config.membership
    const ofNode = this.#syns.get(from) ?? { atMs: [] }
    this.#syns.set(from, ofNode)
    ofNode.atMs.push(world.nowMs)
    // Its live peers, and one suspect on top.
    const most = gossipFanout + 1
    while ((ofNode.atMs[0] ?? 0) < world.nowMs - gossipMs / 2) ofNode.atMs.shift()
    if (ofNode.atMs.length > most)
      this.broken(`${from} gossiped to ${ofNode.atMs.length} within half a round, at most ${most} are allowed`)
  }

  onSpawn(node: NodeId): void {
    this.#syns.delete(node)
  }
}

/** The least that a hint counts. */
const HINT_BYTES_MIN = 160

/** Named limits hold at every turn. */
export class Bounds extends Checker {
  readonly name = 'bounds'
  readonly rule = 'Load: every queue has a bound'

  onTurn(node: NodeId, world: SimWorld): void {
    const core = world.nodes.get(node)?.core
    if (core === undefined) return
    const { requestsInFlightMax, hintBytesMax } = world.options.config
    const { hints } = core.gauges()
    if (hints * HINT_BYTES_MIN > hintBytesMax)
      this.broken(`${node} keeps ${hints} hints, more than ${hintBytesMax} bytes`)
    // Calls: one may be several requests within, a batch of several partitions or a scan's repairs.
    for (const { id, pending } of world.gateways.values())
      if (pending > requestsInFlightMax)
        this.broken(`${id} has ${pending} calls in flight, at most ${requestsInFlightMax} are allowed`)
  }
}

/** A write has one stamp, however often and by whom it is sent; and who writes after another write has ended has a higher one. */
export class Stamps extends Checker {
  readonly name = 'stamps'
  readonly rule =
    'Stamps: stamped once, above all that was acknowledged before; every retry, hint and repair keeps the stamp'
  /** key, text → how often it was called for (again where the client had not heard of it), and its stamp of each call. */
  readonly #calls = new Map<string, number>()
  readonly #stamps = new Map<string, string[]>()
  /** The highest stamp of the key that had been acknowledged when it was first called for. */
  readonly #floors = new Map<string, string>()
  readonly #acknowledged = new Map<Key, string>()
  readonly #decoder = new TextDecoder()

  onCall({ kind, keys, texts }: Call): void {
    if (kind !== 'put') return
    keys.forEach((key, place) => {
      const name = `${key} ${texts[place]}`
      this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1)
      // Deletes have no text to be known by.
      if (texts[place] !== null && !this.#floors.has(name)) this.#floors.set(name, this.#acknowledged.get(key) ?? '')
    })
  }

  onEnd({ keys, texts }: Call, outcome: OperationOutcome): void {
    if (outcome.type !== 'written') return
    keys.forEach((key, place) => {
      // Of several calls any may be the one that is acknowledged.
      const [stamp] = [...(this.#stamps.get(`${key} ${texts[place]}`) ?? [])].sort()
      if (stamp !== undefined && stamp > (this.#acknowledged.get(key) ?? '')) this.#acknowledged.set(key, stamp)
    })
  }

  onSend({ from, to, message }: Mail): void {
    if (message.type === 'replica/write' || message.type === 'hint/store')
      this.#look(from, to, message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests)
        if (request.kind === 'put') this.#look(from, to, request.keys, request.records)
  }

  #look(from: Address, to: Address, keys: readonly Key[], records: readonly VersionRecord[]): void {
    records.forEach((record, place) => {
      if (record.kind !== 'lww' || record.value === null) return
      const name = `${keys[place]} ${this.#decoder.decode(record.value)}`
      const known = this.#stamps.get(name) ?? []
      if (known.includes(record.stamp)) return
      if (known.length >= (this.#calls.get(name) ?? 1))
        this.broken(`${from} sends ${to} ${name} under ${record.stamp}; it was stamped ${known.join(' and ')}`)
      const floor = this.#floors.get(name) ?? ''
      if (record.stamp <= floor)
        this.broken(`${name} is stamped ${record.stamp}, though ${floor} was acknowledged before`)
      this.#stamps.set(name, [...known, record.stamp])
    })
  }
}
