/**
 * `connect(ticket)`: the same store from another thread, through a gateway of that thread's own.
 */

import { MessageChannel, postMessageToThread, threadId } from 'node:worker_threads'
import { GatewayActor } from '../actors/gateway.actor.js'
import { nowMs, StampClock } from '../actors/runtime/clock.js'
import { Gauges } from '../actors/runtime/gauges.js'
import type { FromGateway, JoinRequest, ToGateway } from '../actors/runtime/join-protocol.js'
import { RequestCounters } from '../actors/runtime/request-counters.js'
import { packEnvelope, unpackEnvelope } from '../actors/runtime/wire.js'
import { Client } from './client.js'
import { Seat } from './migration/seat.js'
import { NearCache } from './near-cache.js'
import { CallWatch } from './observe/call-watch.js'
import { WatchedCalls } from './observe/watched-calls.js'
import type { KeyValueStore, Ticket } from './shared/api.js'
import { CoterieError, toWireError } from './shared/errors.js'
import type { MigrationOrder } from './shared/migration-order.js'
import { WriteMarks } from './storage/write-marks.js'

/** How long the cluster's thread may take to answer: it may be busy with its program. */
const JOIN_TIMEOUT_MS = 10_000
/** How long `close` waits for writes that still see to their last owners. */
const LINGER_TIMEOUT_MS = 2_000

/**
 * Joins the cluster that gave out the ticket, from another thread of the same process.
 *
 * Shape:  a store like the cluster itself, without its management. Close it before the thread ends.
 * Errors: TICKET_INVALID if there is no such cluster open in this process, or Node.js is too old for it.
 */
export async function connect(ticket: Ticket): Promise<KeyValueStore> {
  if (ticket?.coterie !== 1) throw new CoterieError('TICKET_INVALID', 'this is not a ticket of `cluster.ticket()`')
  if (typeof postMessageToThread !== 'function') {
    throw new CoterieError('TICKET_INVALID', '`connect` needs Node.js 20.19, 22.5 or later')
  }
  if (ticket.threadId === threadId) {
    throw new CoterieError('TICKET_INVALID', 'this is the thread of the cluster itself: use the cluster', { threadId })
  }
  const { port1, port2 } = new MessageChannel()
  const { clusterId, secret } = ticket
  const request: JoinRequest = { coterie: 'join', clusterId, secret, port: port2 }
  // Node.js does not keep a thread alive for `postMessageToThread`: one that has nothing else to do yet would end here.
  const keptAlive = setInterval(() => undefined, JOIN_TIMEOUT_MS)
  try {
    await postMessageToThread(ticket.threadId, request, [port2], JOIN_TIMEOUT_MS)
  } catch (cause) {
    port1.close()
    throw new CoterieError('TICKET_INVALID', undefined, { threadId: ticket.threadId }, { cause })
  } finally {
    clearInterval(keptAlive)
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => refuse('the cluster did not answer'), JOIN_TIMEOUT_MS)
    const refuse = (why: string) => {
      clearTimeout(timer)
      port1.close()
      reject(new CoterieError('TICKET_INVALID', why, { clusterId }))
    }
    const onClose = () => refuse('the cluster refused the ticket, or closed')
    port1.once('close', onClose)
    port1.once('message', (message: ToGateway) => {
      if (message.type !== 'welcome') return refuse('the cluster is closing')
      const store: ConnectedStore = new ConnectedStore(port1, message, (error) => {
        clearTimeout(timer)
        port1.off('close', onClose)
        if (error === undefined) resolve(store)
        else void store.close().then(() => reject(error))
      })
    })
  })
}

class ConnectedStore implements KeyValueStore {
  readonly id: string
  readonly #port: import('node:worker_threads').MessagePort
  readonly #gateway: GatewayActor
  readonly #client: Client
  readonly #seat: Seat
  readonly #onReady: (error?: unknown) => void
  #begun: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /**
   * `onReady`: the supervisor's first mail, which names every node, has come. A request before that would be refused: for
   * a gateway that knows of no node there is no owner to ask. And what a migration orders is carried out, or cannot be.
   */
  constructor(
    port: import('node:worker_threads').MessagePort,
    welcome: ToGateway & { type: 'welcome' },
    onReady: (error?: unknown) => void,
  ) {
    const { id, location, config, limits, table, clock, gauges, marks, order } = welcome
    const near = marks && new NearCache(limits.nearCacheBytes, new WriteMarks(marks))
    const counters = new RequestCounters(welcome.counters)
    const cells = new Gauges(gauges)
    this.id = id
    this.#port = port
    this.#onReady = onReady
    const watch = new CallWatch({ location, gateway: id }, { isContext: false })
    const parts = { counters, watch, near, gateway: () => this.#seat.mirror }
    this.#client = new Client({ ...config, ...limits }, parts)
    this.#gateway = new GatewayActor({
      id,
      config,
      table,
      clock: new StampClock(clock),
      onReply: (request, outcome, now) => this.#seat.mirror.onReply(request, outcome, now),
      onStamped: (request, stamp) => this.#seat.mirror.onStamped(request, stamp),
      onAdopted: (keys) => this.#seat.mirror.onAdopted(keys),
      onRepair: () => undefined,
      toSupervisor: (message) => this.#say({ type: 'mail', envelope: packEnvelope([message]).envelope }),
      onLoad: ({ lingering, hasLateBatches }) => {
        cells.set('lingering', lingering)
        cells.set('lateBatches', hasLateBatches ? 1 : 0)
      },
    })
    this.#seat = new Seat({
      gateway: this.#gateway,
      client: this.#client,
      calls: new WatchedCalls(this.#client, watch),
      counters,
      limits: { ...config, ...limits },
      settle: (request, outcome, now) => this.#client.settle(request, outcome, now),
      onOwed: (keys) => cells.set('owed', keys),
      onDoubts: (doubts) => cells.set('doubts', doubts),
    })
    this.#begun = order.version === 0 ? Promise.resolve() : this.#carryOut(order)
    // Told once the mail has come, which may be later.
    this.#begun.catch(() => undefined)
    port.on('message', (message: ToGateway) => this.#onMessage(message))
    port.on('close', () => this.#end())
  }

  get = (...call: Parameters<Client['get']>) => this.#seat.door.get(...call)
  read = (...call: Parameters<Client['read']>) => this.#seat.door.read(...call)
  put = (...call: Parameters<Client['put']>) => this.#seat.door.put(...call)
  delete = (...call: Parameters<Client['delete']>) => this.#seat.door.delete(...call)
  getMany = (...call: Parameters<Client['getMany']>) => this.#seat.door.getMany(...call)
  batch = (...call: Parameters<Client['batch']>) => this.#seat.door.batch(...call)
  scan = (...call: Parameters<Client['scan']>) => this.#seat.door.scan(...call)
  locate = (...call: Parameters<Client['locate']>) => this.#seat.door.locate(...call)

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#seat.door.close()
    this.#client.close()
    const endMs = nowMs() + LINGER_TIMEOUT_MS
    const owes = () => this.#gateway.lingering > 0 || this.#seat.mirror.underWay > 0
    while ((this.#gateway.running > 0 || owes()) && nowMs() < endMs) await nextTurn()
    const isWhole = !owes()
    this.#gateway.close()
    await this.#seat.close()
    // Without a goodbye the cluster lets its replicas exchange: hints may be owed.
    if (isWhole) this.#say({ type: 'goodbye' })
    this.#port.close()
  }

  /** The cluster closed, or its thread ended: every call settles. */
  #end(): void {
    if (this.#closing !== undefined) return
    this.#client.close()
    this.#gateway.close()
    this.#closing = this.#seat.close()
    this.#port.close()
  }

  #onMessage(message: ToGateway): void {
    switch (message.type) {
      case 'link':
        this.#gateway.attach(message.peer, message.link)
        return
      case 'mail':
        this.#gateway.onSupervisorMail(unpackEnvelope(message.envelope))
        void this.#begun?.then(this.#onReady, this.#onReady)
        this.#begun = undefined
        return
      case 'migration':
        void this.#answer(message.order)
        return
      case 'closed':
        this.#end()
        return
      case 'welcome':
        return
      default:
        message satisfies never
    }
  }

  async #answer(order: MigrationOrder): Promise<void> {
    const { version } = order
    try {
      await this.#carryOut(order)
      if (this.#closing === undefined) this.#say({ type: 'migration', version })
    } catch (error) {
      if (this.#closing === undefined) this.#say({ type: 'migration', version, error: toWireError(error) })
    }
  }

  async #carryOut(order: MigrationOrder): Promise<void> {
    await this.#seat.carryOut(order)
  }

  #say(message: FromGateway): void {
    this.#port.postMessage(message)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}
