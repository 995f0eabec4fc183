/**
 * One thread's part in a migration: carries out orders (`shared/migration-order.ts`), one after the other. The newest counts: one that waits
 * for writes to end gives way to the next.
 *
 * Called by the migration for the opener's own thread, and by `connect.ts` for another one.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { GatewayActor } from '../../actors/gateway.actor.js'
import type { RequestCounters } from '../../actors/runtime/request-counters.js'
import type { Client } from '../client.js'
import type { MigrationTarget } from '../engines/redis-cluster/migration-target.js'
import type { RedisCluster } from '../engines/redis-cluster/redis-cluster.js'
import { CoterieError } from '../shared/errors.js'
import { type MigrationOrder, NO_MIGRATION } from '../shared/migration-order.js'
import { textOfMigrationTo } from '../shared/migration-shapes.js'
import { type Calls, Door, type DoorLimits } from './door.js'
import { Mirror, type MirrorOptions } from './mirror.js'
import { SideBySide } from './side-by-side.js'

const LOOK_MS = 2

export interface SeatOptions extends Pick<MirrorOptions, 'settle' | 'onOwed' | 'onDoubts'> {
  readonly gateway: GatewayActor
  readonly client: Client
  /** The client's calls, told to who looks on. */
  readonly calls: Calls
  readonly counters: RequestCounters
  readonly limits: DoorLimits
}

export class Seat {
  readonly door: Door
  readonly mirror: Mirror
  readonly #options: SeatOptions
  #order: MigrationOrder = NO_MIGRATION
  #target: { readonly id: string; readonly target: MigrationTarget; readonly sides: SideBySide } | undefined
  #served: RedisCluster | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SeatOptions) {
    this.#options = options
    const { gateway, settle, onOwed, onDoubts, limits, client, calls } = options
    this.door = new Door(client, calls, limits)
    this.mirror = new Mirror({ gateway, settle, onOwed, onDoubts, ...limits })
  }

  /** Undefined: no order has named one. */
  get target(): MigrationTarget | undefined {
    return this.#target?.target
  }

  get sides(): SideBySide | undefined {
    return this.#target?.sides
  }

  /** After the cutover. */
  get served(): RedisCluster | undefined {
    return this.#served
  }

  /**
   * Resolves once the order is carried out; false: a newer one came first.
   * Errors: MIGRATION_TARGET_UNREACHABLE, INVALID_OPTION; things are as they were then.
   */
  carryOut(order: MigrationOrder): Promise<boolean> {
    this.#order = order
    const done = this.#last.then(() => this.#carryOut(order))
    this.#last = done.catch((error: unknown) => error)
    return done
  }

  /** Nothing is begun any more. */
  closeDoor(): void {
    this.door.close()
    this.mirror.close()
  }

  async close(): Promise<void> {
    // Whatever waits for writes to end.
    this.#order = { ...NO_MIGRATION, version: Number.POSITIVE_INFINITY }
    this.closeDoor()
    await this.#last
    this.#target?.target.close()
    await this.#served?.close()
  }

  async #carryOut(order: MigrationOrder): Promise<boolean> {
    if (order.version < this.#order.version) return false
    if (order.target !== undefined) await this.#open(order.target)
    const sides = this.#target?.sides
    if (order.holdsWrites) this.door.hold()
    if (order.mode === 'both' && sides !== undefined) this.mirror.start(sides)
    if (order.mode === 'local') this.mirror.stop()
    if (order.mode === 'target') this.#move()
    if (order.target === undefined) this.#letGo()
    if (!order.holdsWrites) {
      this.door.letGo()
      return true
    }
    while (this.#isWriting) {
      if (order.version < this.#order.version) return false
      await delay(LOOK_MS, undefined, { ref: false })
    }
    return true
  }

  get #isWriting(): boolean {
    const { client, gateway } = this.#options
    return client.writing > 0 || gateway.lingering > 0 || this.mirror.underWay > 0
  }

  async #open({ to, id, clusterId, partitions, numbers }: NonNullable<MigrationOrder['target']>): Promise<void> {
    if (this.#target?.id === id) return
    this.#letGo()
    // Loaded by those who want it.
    const { MigrationTarget } = await import('../engines/redis-cluster/migration-target.js')
    try {
      const target = await MigrationTarget.open({ ...numbers, ...to }, { id, clusterId, partitions })
      const { client } = this.#options
      this.#target = { id, target, sides: new SideBySide({ client, target }) }
    } catch (cause) {
      if (!(cause instanceof CoterieError) || cause.code !== 'OPEN_FAILED') throw cause
      const where = textOfMigrationTo(to)
      throw new CoterieError('MIGRATION_TARGET_UNREACHABLE', `${where}: ${cause.message}`, { to: where }, { cause })
    }
  }

  #move(): void {
    if (this.#served !== undefined || this.#target === undefined) return
    this.mirror.stop()
    this.#served = this.#target.target.serve(this.#options.counters)
    this.door.moveTo(this.#served)
  }

  #letGo(): void {
    this.mirror.stop()
    this.#target?.target.close()
    this.#target = undefined
  }
}
