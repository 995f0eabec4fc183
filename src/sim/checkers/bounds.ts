/**
 * Whatever waits has a bound that is named: hints, what coordinators keep, mail of nodes that stand still; and who is over a bound of
 * the gateway is refused at once.
 */

import type { CoordinationLoad } from '../../protocol/coordinator/load.js'
import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Address, NodeId } from '../../protocol/ids.js'
import type { Message } from '../../protocol/messages.js'
import { IDS_PER_LIFE } from '../../protocol/node-identity.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimNode } from '../sim-node.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'
import { REPLY_TYPES } from './credits.js'

/** The least that a hint counts. */
const HINT_BYTES_MIN = 160
/** Of one request, or one entry of a queue: what comes last may go over a bound in bytes. */
const ENTRY_BYTES_MAX = 4_096
/** A silent node is asked whether it is there ever more rarely; nodes of a run do not stand still for longer. */
const PINGS_MAX = 12

/** Looking costs: what is over a bound stays so for a while. */
const SAMPLES_SKIPPED = 2

/** Named limits hold at all times. */
export class Bounds extends Checker {
  readonly name = 'bounds'
  readonly rule = 'Load: every queue has a bound, past it a request is refused at once'
  #world: SimWorld | undefined
  #samples = 0
  /** Whose store has kept hints in this turn. */
  #hasKept: NodeId | undefined
  /** receiver → sender → kind → the highest number that was handled; it grows over a sender's lives. */
  readonly #handled = new Map<Address, Map<Address, Map<string, number>>>()
  /** sender → receiver → the highest number that was sent; and that had been when the sender last heard of another life of it. */
  readonly #sent = new Map<Address, Map<Address, number>>()
  readonly #forgotten = new Map<Address, Map<Address, number>>()
  /** Calls that came while their gateway was over a bound. */
  readonly #toRefuse = new Map<number, string>()

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onCall({ number, gateway: id }: Call): void {
    const gateway = this.#world?.gateways.get(id)
    if (this.#world === undefined || gateway === undefined) return
    const { requestsInFlightMax, bytesInFlightMax } = this.#world.options.config
    const { running, bytes } = gateway.core.load()
    if (running >= requestsInFlightMax) this.#toRefuse.set(number, `${id} had ${running} requests in flight`)
    if (bytes >= bytesInFlightMax) this.#toRefuse.set(number, `${id} had ${bytes} bytes in flight`)
  }

  onEnd({ number }: Call, outcome: OperationOutcome): void {
    const reason = this.#toRefuse.get(number)
    this.#toRefuse.delete(number)
    const isRefused = outcome.type === 'failed' && outcome.failure.code === 'OVERLOADED'
    if (reason !== undefined && !isRefused) this.broken(`call ${number} was taken though ${reason}`)
  }

  onSend({ from, to, message }: Mail): void {
    if (kindOf(message) === undefined || !('id' in message)) return
    const ofSender = this.#sent.get(from) ?? new Map<Address, number>()
    this.#sent.set(from, ofSender)
    if (message.id > (ofSender.get(to) ?? 0)) ofSender.set(to, message.id)
  }

  onDelivered({ from, to, message }: Mail): void {
    if (message.type === 'peer/changed') {
      // What it sent before was meant for an earlier life, though it may have reached this one.
      const forgotten = this.#forgotten.get(to) ?? new Map<Address, number>()
      this.#forgotten.set(to, forgotten.set(message.node, this.#sent.get(to)?.get(message.node) ?? 0))
    }
    const kind = kindOf(message)
    if (kind === undefined || !('id' in message)) return
    const ofNode = this.#handled.get(to) ?? new Map<Address, Map<string, number>>()
    this.#handled.set(to, ofNode)
    const ofSender = ofNode.get(from) ?? new Map<string, number>()
    ofNode.set(from, ofSender)
    if (message.id > (ofSender.get(kind) ?? 0)) ofSender.set(kind, message.id)
  }

  /** Hints stay for moments only: looked at whenever some were kept. */
  onAccepted(node: NodeId, { hintsKept = [] }: StoreWrite): void {
    if (hintsKept.length > 0) this.#hasKept = node
  }

  onTurn(node: NodeId, { nodes, options }: SimWorld): void {
    if (this.#hasKept !== node) return
    this.#hasKept = undefined
    const { hintBytesMax } = options.config
    const hints = nodes.get(node)?.core?.gauges().hints ?? 0
    if (hints * HINT_BYTES_MIN > hintBytesMax)
      this.broken(`${node} keeps ${hints} hints, more than ${hintBytesMax} bytes`)
  }

  onSample(world: SimWorld): void {
    this.#samples += 1
    if (this.#samples % SAMPLES_SKIPPED !== 0) return
    for (const [number, reason] of this.#toRefuse)
      this.broken(`call ${number} was not refused at once though ${reason}`)
    this.#toRefuse.clear()
    const { requestsInFlightMax } = world.options.config
    for (const node of world.nodes.values()) {
      if (node.core === undefined) continue
      this.#checkQueues(node.id, node.core.load(), world)
      if (node.isFrozen()) this.#checkMailbox(node)
    }
    for (const { id, core, pending } of world.gateways.values()) {
      // Calls: one may be several requests within, a batch of several partitions or a scan's repairs.
      if (pending > requestsInFlightMax)
        this.broken(`${id} has ${pending} calls in flight, at most ${requestsInFlightMax} are allowed`)
      this.#checkQueues(id, core.load(), world)
    }
  }

  #checkQueues(id: Address, load: CoordinationLoad, world: SimWorld): void {
    const { queues } = world.options.config
    const { linkQueueMax, linkQueueBytesMax, lingerRequestsMax, lingerBytesMax, hintBufferBytesMax } = queues
    if (load.queuedMost > linkQueueMax) this.broken(`${id} has ${load.queuedMost} waiting for one node`)
    if (load.queuedBytesMost >= linkQueueBytesMax + ENTRY_BYTES_MAX)
      this.broken(`${id} has ${load.queuedBytesMost} bytes waiting for one node`)
    if (load.lingering > lingerRequestsMax) this.broken(`${load.lingering} requests linger at ${id}`)
    if (load.lingeringBytes > lingerBytesMax) this.broken(`${load.lingeringBytes} bytes linger at ${id}`)
    if (load.missedBytes >= hintBufferBytesMax + ENTRY_BYTES_MAX)
      this.broken(`${load.missedBytes} bytes of hints look for a keeper at ${id}`)
  }

  /** A sender's life has one unanswered message of a kind: so many wait, however long the node stands still. */
  #checkMailbox({ id, life }: SimNode): void {
    const counts = new Map<string, Set<number>>()
    for (const event of life?.mailbox.waiting() ?? []) {
      const kind = event.type === 'message' ? kindOf(event.message) : undefined
      if (event.type !== 'message' || kind === undefined || !('id' in event.message)) continue
      const { from, message } = event
      const number = event.message.id
      // A copy of what has been handled is one that was sent again while its answer was on its way.
      if (number <= (this.#handled.get(id)?.get(from)?.get(kind) ?? 0)) continue
      if (number <= (this.#forgotten.get(from)?.get(id) ?? 0)) continue
      const name = `${message.type} of ${from} (life ${Math.floor(number / IDS_PER_LIFE)})`
      const most = message.type === 'link/ping' ? PINGS_MAX : 1
      const numbers = (counts.get(`${name} ${kind}`) ?? new Set()).add(number)
      counts.set(`${name} ${kind}`, numbers)
      if (numbers.size > most) this.broken(`${numbers.size} of ${name} wait at ${id}, at most ${most} may`)
    }
  }
}

/** Of what takes a credit, or asks whether one is there. */
function kindOf(message: Message): string | undefined {
  if (message.type === 'replica/read' && message.fallback) return 'fallback'
  return message.type === 'link/ping' || message.type in REPLY_TYPES ? message.type : undefined
}
