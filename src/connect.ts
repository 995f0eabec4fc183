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
import { CallWatch } from './observe/call-watch.js'
import { WatchedCalls } from './observe/watched-calls.js'
import type { KeyValueStore, Ticket } from './shared/api.js'
import { CoterieError } from './shared/errors.js'

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
      const store: ConnectedStore = new ConnectedStore(port1, message, () => {
        clearTimeout(timer)
        port1.off('close', onClose)
        resolve(store)
      })
    })
  })
}

class ConnectedStore implements KeyValueStore {
  readonly id: string
  readonly #port: import('node:worker_threads').MessagePort
  readonly #gateway: GatewayActor
  readonly #client: Client
  readonly #calls: WatchedCalls
  readonly #onReady: () => void
  #closing: Promise<void> | undefined

  /**
   * `onReady`: the supervisor's first mail, which names every node, has come. A request before that would be refused: for
   * a gateway that knows of no node there is no owner to ask.
   */
  constructor(
    port: import('node:worker_threads').MessagePort,
    welcome: ToGateway & { type: 'welcome' },
    onReady: () => void,
  ) {
    const { id, location, config, limits, table, clock, gauges, counters } = welcome
    const cells = new Gauges(gauges)
    this.id = id
    this.#port = port
    this.#onReady = onReady
    const watch = new CallWatch({ location, gateway: id }, { isContext: false })
    this.#client = new Client({ ...config, ...limits }, watch, new RequestCounters(counters), () => this.#gateway)
    this.#calls = new WatchedCalls(this.#client, watch)
    this.#gateway = new GatewayActor({
      id,
      config,
      table,
      clock: new StampClock(clock),
      onReply: (request, outcome, now) => this.#client.settle(request, outcome, now),
      onRepair: () => undefined,
      toSupervisor: (message) => this.#say({ type: 'mail', envelope: packEnvelope([message]).envelope }),
      onLoad: ({ lingering, hasLateBatches }) => {
        cells.set('lingering', lingering)
        cells.set('lateBatches', hasLateBatches ? 1 : 0)
      },
    })
    port.on('message', (message: ToGateway) => this.#onMessage(message))
    port.on('close', () => this.#end())
  }

  get = (...call: Parameters<WatchedCalls['get']>) => this.#calls.get(...call)
  read = (...call: Parameters<WatchedCalls['read']>) => this.#calls.read(...call)
  put = (...call: Parameters<WatchedCalls['put']>) => this.#calls.put(...call)
  delete = (...call: Parameters<WatchedCalls['delete']>) => this.#calls.delete(...call)
  getMany = (...call: Parameters<WatchedCalls['getMany']>) => this.#calls.getMany(...call)
  batch = (...call: Parameters<WatchedCalls['batch']>) => this.#calls.batch(...call)
  scan = (...call: Parameters<WatchedCalls['scan']>) => this.#calls.scan(...call)
  locate = (...call: Parameters<WatchedCalls['locate']>) => this.#calls.locate(...call)

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#client.close()
    const endMs = nowMs() + LINGER_TIMEOUT_MS
    while ((this.#gateway.running > 0 || this.#gateway.lingering > 0) && nowMs() < endMs) await nextTurn()
    const isWhole = this.#gateway.lingering === 0
    this.#gateway.close()
    // Without a goodbye the cluster lets its replicas exchange: hints may be owed.
    if (isWhole) this.#say({ type: 'goodbye' })
    this.#port.close()
  }

  /** The cluster closed, or its thread ended: every call settles. */
  #end(): void {
    if (this.#closing !== undefined) return
    this.#closing = Promise.resolve()
    this.#client.close()
    this.#gateway.close()
    this.#port.close()
  }

  #onMessage(message: ToGateway): void {
    switch (message.type) {
      case 'port':
        this.#gateway.attach(message.peer, message.port)
        return
      case 'mail':
        this.#gateway.onSupervisorMail(unpackEnvelope(message.envelope))
        this.#onReady()
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

  #say(message: FromGateway): void {
    this.#port.postMessage(message)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}
