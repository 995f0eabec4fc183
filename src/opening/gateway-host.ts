/**
 * The cluster's side of `connect`: lets other threads of the process join as gateways, hands on what a migration orders, and notices when
 * one ends.
 *
 * Called by the cluster; knows nothing of requests.
 */

import { randomBytes } from 'node:crypto'
import { type MessagePort, threadId } from 'node:worker_threads'
import type { StampClock } from '../../actors/runtime/clock.js'
import { Gauges } from '../../actors/runtime/gauges.js'
import type { ClientLimits, FromGateway, JoinRequest, ToGateway } from '../../actors/runtime/join-protocol.js'
import { RequestCounters } from '../../actors/runtime/request-counters.js'
import { packEnvelope, unpackEnvelope } from '../../actors/runtime/wire.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import { type LogOwner, logOwner } from '../protocol/batch-log/log-keys.js'
import type { GatewayConfig } from '../protocol/gateway-contract.js'
import type { GatewayId } from '../protocol/ids.js'
import type { Ticket } from '../shared/api.js'
import { CoterieError, type CoterieErrorCode, ERROR_TABLE, fromWireError, type WireError } from '../shared/errors.js'
import { type MigrationOrder, NO_MIGRATION } from '../shared/migration-order.js'
import type { WriteMarks } from '../storage/write-marks.js'

interface Guest {
  readonly port: MessagePort
  /** Of the newest order that it has been given. */
  ordered: { readonly version: number; end(isDone: boolean): void; fail(error: Error): void } | undefined
  readonly gauges: Gauges
  readonly counters: RequestCounters
}

export class GatewayHost {
  readonly #supervisor: SupervisorActor
  readonly #config: GatewayConfig
  readonly #limits: ClientLimits
  readonly #location: string
  readonly #clock: StampClock
  readonly #marks: WriteMarks | undefined
  readonly #secret = randomBytes(16).toString('hex')
  readonly #clusterId: string
  /** A guest has left; or, if it `isLost`, its thread has ended in the middle of its work. */
  readonly #onGone: (isLost: boolean) => void
  #order: MigrationOrder = NO_MIGRATION
  readonly #guests = new Map<GatewayId, Guest>()
  /** Of guests that are gone. */
  readonly #counted = new RequestCounters()
  /** The opener's own gateway is the first. */
  #lastNumber = 1
  /** Of guests that are gone. */
  #doubtsBefore = 0
  #isListening = false
  #isClosing = false

  constructor(options: {
    supervisor: SupervisorActor
    config: GatewayConfig
    limits: ClientLimits
    location: string
    clock: StampClock
    marks: WriteMarks | undefined
    clusterId: string
    onGone: (isLost: boolean) => void
  }) {
    this.#supervisor = options.supervisor
    this.#config = options.config
    this.#limits = options.limits
    this.#location = options.location
    this.#clock = options.clock
    this.#marks = options.marks
    this.#clusterId = options.clusterId
    this.#onGone = options.onGone
  }

  get count(): number {
    return this.#guests.size
  }

  /** Writes of guests that still see to owners that missed them. */
  get lingering(): number {
    let sum = 0
    for (const { gauges } of this.#guests.values()) sum += gauges.get('lingering')
    return sum
  }

  /** Keys that a migration's target may lack. */
  get owed(): number {
    let sum = 0
    for (const { gauges } of this.#guests.values()) sum += gauges.get('owed')
    return sum
  }

  /** Writes to both sides of a migration whose outcome is not known: of guests, and of those that were. */
  get doubts(): number {
    let sum = this.#doubtsBefore
    for (const { gauges } of this.#guests.values()) sum += gauges.get('doubts')
    return sum
  }

  /** Some guest has a logged batch that is not through and should be. */
  get hasLateBatches(): boolean {
    return [...this.#guests.values()].some(({ gauges }) => gauges.get('lateBatches') > 0)
  }

  /** Whose logged batches are their own business. */
  get logOwners(): readonly LogOwner[] {
    return [...this.#guests.keys()].map((id) => logOwner(this.#config.life, id))
  }

  /** Of those that are here, and together of those that were. */
  get counters(): readonly RequestCounters[] {
    return [this.#counted, ...[...this.#guests.values()].map(({ counters }) => counters)]
  }

  /** Joins are listened for from the first ticket on. */
  ticket(): Ticket {
    if (!this.#isListening) process.on('workerMessage', this.#onWorkerMessage)
    this.#isListening = true
    return { coterie: 1, clusterId: this.#clusterId, threadId, secret: this.#secret }
  }

  /**
   * To every guest; one that comes later begins with the newest. Resolves once those that are here have carried it out, or are gone;
   * false: a newer one came first. Errors: of the first that cannot.
   */
  async order(order: MigrationOrder): Promise<boolean> {
    this.#order = order
    if (this.#isClosing) return false
    const carriedOut = [...this.#guests.values()].map(
      (guest) =>
        new Promise<boolean>((resolve, reject) => {
          guest.ordered?.end(false)
          guest.ordered = { version: order.version, end: resolve, fail: reject }
          say(guest.port, { type: 'migration', order })
        }),
    )
    return (await Promise.all(carriedOut)).every((isDone) => isDone)
  }

  /** Nobody waits for a guest that has not carried out what it was told; `forGood`: nor is another told anything. */
  endOrders({ forGood = false }: { readonly forGood?: boolean } = {}): void {
    this.#isClosing ||= forGood
    for (const guest of this.#guests.values()) guest.ordered?.end(false)
  }

  /** Tells every guest, and lets nobody in any more. */
  close(): void {
    if (this.#isListening) process.off('workerMessage', this.#onWorkerMessage)
    for (const [id, { port }] of [...this.#guests]) {
      say(port, { type: 'closed' })
      this.#remove(id, false)
      // What was said last must leave before the port closes.
      setImmediate(() => port.close())
    }
  }

  readonly #onWorkerMessage = (message: Partial<JoinRequest> | null): void => {
    if (message?.coterie !== 'join' || message.clusterId !== this.#clusterId || message.port === undefined) return
    if (message.secret === this.#secret) this.#admit(message.port)
    else message.port.close()
  }

  #admit(port: MessagePort): void {
    this.#lastNumber += 1
    const id = `gateway${this.#lastNumber}`
    const gauges = new Gauges()
    const counters = new RequestCounters()
    this.#guests.set(id, { port, gauges, counters, ordered: undefined })
    const { table } = this.#supervisor
    const welcome = {
      id,
      config: this.#config,
      limits: this.#limits,
      location: this.#location,
      table,
      clock: this.#clock.shared,
      marks: this.#marks?.shared,
      gauges: gauges.shared,
      counters: counters.shared,
      order: this.#order,
    }
    say(port, { type: 'welcome', ...welcome })
    port.on('message', (message: FromGateway) => {
      if (message.type === 'goodbye') this.#remove(id, false)
      else if (message.type === 'migration') this.#onCarriedOut(id, message)
      else this.#supervisor.onMail(id, unpackEnvelope(message.envelope))
    })
    // Without a goodbye its thread ended in the middle of its work.
    port.on('close', () => this.#remove(id, true))
    this.#supervisor.addGateway(id, {
      attach: (peer, link) => port.postMessage({ type: 'link', peer, link } satisfies ToGateway, [link.port]),
      mail: (messages) => say(port, { type: 'mail', envelope: packEnvelope(messages).envelope }),
    })
  }

  #onCarriedOut(id: GatewayId, { version, error }: FromGateway & { readonly type: 'migration' }): void {
    const ordered = this.#guests.get(id)?.ordered
    if (ordered?.version !== version) return
    if (error === undefined) ordered.end(true)
    else ordered.fail(publicErrorOf(error))
  }

  #remove(id: GatewayId, isLost: boolean): void {
    const guest = this.#guests.get(id)
    if (guest === undefined) return
    this.#guests.delete(id)
    guest.ordered?.end(true)
    this.#counted.add(guest.counters)
    this.#doubtsBefore += guest.gauges.get('doubts')
    this.#supervisor.removeGateway(id, isLost)
    this.#onGone(isLost)
  }
}

/** A thread's error keeps its code on the way. */
function publicErrorOf(wire: WireError): Error {
  const error = fromWireError(wire)
  const { code } = wire
  return code !== undefined && Object.hasOwn(ERROR_TABLE, code)
    ? new CoterieError(code as CoterieErrorCode, error.message.replace(`${code}: `, ''), {}, { cause: error })
    : error
}

function say(port: MessagePort, message: ToGateway): void {
  port.postMessage(message)
}
