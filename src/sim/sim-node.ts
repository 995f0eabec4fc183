/**
 * A simulated node: a thread that runs a `DynamoNode` on a disk of its own. It can crash, hang, and be started again.
 *
 * It carries out the core's effects as `NodeHost` does on real threads, but handles one event a turn. Called by `SimWorld`
 * and `SimSupervisor`.
 */

import { DynamoNode } from '../protocol/dynamo-node.js'
import type { NodeEvent, PeerInfo } from '../protocol/events.js'
import type { Address, Epoch, Incarnation, NodeId } from '../protocol/ids.js'
import { Mailbox } from '../protocol/mailbox.js'
import type { Message } from '../protocol/messages.js'
import { actorOf } from '../protocol/node-identity.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { MemoryStore } from '../storage/memory-store.js'
import type { DiskWork, Opened, SimDisk } from './sim-disk.js'
import { SimGate } from './sim-gate.js'
import type { SimWorld } from './world.js'

/** One thread's life. */
export interface Life {
  readonly incarnation: Incarnation
  readonly salvage: boolean
  opened: Opened | undefined
  core: DynamoNode | undefined
  store: MemoryStore | undefined
  diskFreeAtMs: number
  /** When its timer goes off; Infinity: it is not set. */
  timerAtMs: number
  frozenUntilMs: number
  /** When it began to stand still; of any use while it does. */
  frozenSinceMs: number
  /** Its store has refused a write. */
  hasFailed: boolean
  /** Where writes wait during a backup's cut. */
  readonly gate: SimGate
  /** What came while it hung. */
  readonly mailbox: Mailbox
}

/** No timer goes off sooner than so after a turn: threads have no finer ones. */
const TIMER_MS_MIN = 0.5
const NOT_FROZEN = { frozenUntilMs: 0, frozenSinceMs: 0 }
/** Of a healthy disk. */
const DISK_MS_MIN = 0.1
const DISK_MS_SPREAD = 0.9

export class SimNode {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly #world: SimWorld
  #life: Life | undefined
  /** Counts the turns of its loops, of all lives. */
  loops = 0

  constructor(id: NodeId, disk: SimDisk, world: SimWorld) {
    this.id = id
    this.disk = disk
    this.#world = world
  }

  get life(): Life | undefined {
    return this.#life
  }

  /** The core of a booted life that is no salvage. */
  get core(): DynamoNode | undefined {
    return this.#life?.salvage === true ? undefined : this.#life?.core
  }

  isFrozen(): boolean {
    return this.#life !== undefined && this.#life.frozenUntilMs > this.#world.nowMs
  }

  begin(incarnation: Incarnation, salvage: boolean): Life {
    const nothing = { opened: undefined, core: undefined, store: undefined, diskFreeAtMs: 0, ...NOT_FROZEN }
    this.#life = {
      incarnation,
      salvage,
      ...nothing,
      timerAtMs: Number.POSITIVE_INFINITY,
      hasFailed: false,
      gate: new SimGate(),
      mailbox: new Mailbox(),
    }
    return this.#life
  }

  open(life: Life, isCreation: boolean): Opened {
    const opened = this.disk.open(isCreation, life.salvage)
    life.opened = opened
    life.store = opened.store
    return opened
  }

  boot(life: Life, order: { table: PartitionTable; activeEpoch: Epoch; peers: readonly PeerInfo[] }): void {
    const { table, activeEpoch, peers } = order
    const { opened, store } = life
    if (opened === undefined || store === undefined) return
    const world = this.#world
    const { hints, meta } = opened
    const identity = {
      self: this.id,
      incarnation: life.incarnation,
      actor: meta['actor'] ?? actorOf(this.id, this.disk.storeId),
      seed: world.options.seed + life.incarnation,
      salvage: life.salvage,
    }
    const { nowMs } = world
    const boot = { table, activeEpoch, hints }
    const { config } = world.options
    const bootTimeNs = config.sharedClock ? world.clock.readNs(nowMs) : undefined
    life.core = new DynamoNode({ identity, config, store, ...boot, meta, bootTimeNs, nowMs })
    const storedEpoch = meta.table === undefined ? 0 : (JSON.parse(meta.table) as PartitionTable).epoch
    for (const observer of world.watching.onBoot) observer.onBoot(this.id, table)
    this.#handle(life, { type: 'node/boot', storedEpoch, peers, ...boot })
  }

  /** Handles nothing for so long. */
  freeze(ms: number): void {
    const life = this.#life
    if (life?.core === undefined) return
    if (!this.isFrozen()) life.frozenSinceMs = this.#world.nowMs
    life.frozenUntilMs = Math.max(life.frozenUntilMs, this.#world.nowMs + ms)
    this.#world.at(life.frozenUntilMs, () => this.#thaw(life))
  }

  thaw(): void {
    if (this.#life === undefined) return
    this.#life.frozenUntilMs = 0
    this.#thaw(this.#life)
  }

  /** The thread is gone. Returns the hints that it had told of; undefined: it did not live. */
  end(losesUnaccepted: boolean): number | undefined {
    const life = this.#life
    if (life === undefined) return undefined
    this.#life = undefined
    const world = this.#world
    // What was given to a store that had refused a write before never reached it, though there may be room again.
    const losesAll = losesUnaccepted || life.hasFailed
    for (const write of this.disk.crash(world.chance.disks, losesAll))
      for (const observer of world.watching.onAccepted) observer.onAccepted(this.id, write, world)
    return life.core?.gauges().hints ?? 0
  }

  /** Mail for this life. */
  deliver(life: Life, from: Address, message: Message): void {
    if (this.#life !== life || life.core === undefined) return
    this.#handle(life, { type: 'message', from, incarnation: life.incarnation, message })
  }

  /** Mail for an earlier life: whoever lives now is told for whom it was. */
  deliverLate(meant: Life, from: Address, message: Message): void {
    const life = this.#life
    if (life?.core === undefined || life.salvage || this.isFrozen()) return
    // Of another process, whose lives began at 1 as well: no mail comes from there.
    if (meant.incarnation >= life.incarnation) return
    const mail = { from, to: this.id, message }
    for (const observer of this.#world.watching.onLate) observer.onLate(mail, this.#world)
    this.#handle(life, { type: 'message', from, incarnation: meant.incarnation, message })
  }

  #thaw(life: Life): void {
    if (this.#life !== life || life.frozenUntilMs > this.#world.nowMs) return
    for (const event of life.mailbox.takeAll()) this.#handle(life, event)
    this.#arm(life)
  }

  #handle(life: Life, event: NodeEvent): void {
    const { core } = life
    if (core === undefined || this.#life !== life) return
    const world = this.#world
    if (life.frozenUntilMs > world.nowMs) {
      if (event.type !== 'timer') life.mailbox.push(event)
      return
    }
    this.loops += 1
    if (event.type === 'message' && event.incarnation === life.incarnation) {
      const mail = { from: event.from, to: this.id, message: event.message }
      for (const observer of world.watching.onDelivered) observer.onDelivered(mail, world)
    }
    const effects = core.step(event, world.nowMs)
    this.#arm(life)
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          world.post(this.id, effect.to, effect.message)
          break
        case 'notice':
          for (const observer of world.watching.onNotice) observer.onNotice(this.id, effect.notice)
          break
        default:
          this.#toDisk(life, effect)
      }
    }
    for (const observer of world.watching.onTurn) observer.onTurn(this.id, world)
  }

  #arm(life: Life): void {
    const { core } = life
    if (core === undefined) return
    const world = this.#world
    const atMs = Math.max(core.nextDeadlineMs(), world.nowMs + TIMER_MS_MIN)
    if (atMs >= life.timerAtMs || atMs === Number.POSITIVE_INFINITY) return
    life.timerAtMs = atMs
    world.at(atMs, () => this.#onTimer(life, atMs))
  }

  #onTimer(life: Life, atMs: number): void {
    if (this.#life !== life || life.timerAtMs !== atMs) return
    life.timerAtMs = Number.POSITIVE_INFINITY
    if (life.core !== undefined && life.core.nextDeadlineMs() <= this.#world.nowMs)
      this.#handle(life, { type: 'timer' })
    else this.#arm(life)
  }

  /** Writes wait from now on; `onDrained` once what was given to the disk before has been answered. */
  closeGate(life: Life, cut: number, onDrained: () => void): void {
    life.gate.close(cut, !this.#isWriting, onDrained)
  }

  openGate(life: Life, cut: number): void {
    for (const work of life.gate.open(cut)) if (this.#life === life) this.#toDisk(life, work)
  }

  get #isWriting(): boolean {
    return this.disk.pending.some(({ type }) => type === 'store/write')
  }

  #toDisk(life: Life, work: DiskWork): void {
    if (life.gate.holds(work)) return
    const { disk } = this
    const world = this.#world
    disk.pending.push(work)
    const spreadMs = world.options.isSteady === true ? 0 : world.chance.disks.next() * DISK_MS_SPREAD
    const tookMs = DISK_MS_MIN + spreadMs + disk.slowMs
    life.diskFreeAtMs = Math.max(life.diskFreeAtMs, world.nowMs) + tookMs
    if (disk.slowMs > 0) disk.slowUntilMs = life.diskFreeAtMs
    world.at(life.diskFreeAtMs, () => this.#onDisk(life, work))
  }

  #onDisk(life: Life, work: DiskWork): void {
    const { store } = life
    if (this.#life !== life || store === undefined) return
    this.disk.pending.shift()
    this.#finish(life, store, work)
    if (this.#life === life && !this.#isWriting) life.gate.onDrained()
  }

  #finish(life: Life, store: MemoryStore, work: DiskWork): void {
    const { token } = work
    if (work.type === 'store/scan') {
      return this.#handle(life, { type: 'store/scan-done', token, page: store.page(work.scan) })
    }
    // A store that has refused one write refuses all that follow, until it is opened again.
    life.hasFailed ||= this.disk.isFull
    if (life.hasFailed) {
      if (work.write.meta?.['table'] !== undefined) {
        this.#world.supervisor.step({ type: 'node/full', node: this.id, reason: 'no space left on device' })
        return this.#world.endNode(this, 'its store refused the table', false)
      }
      return this.#handle(life, { type: 'store/failed', token, kept: 'nothing', detail: 'no space left on device' })
    }
    this.disk.accept(store, work)
    for (const observer of this.#world.watching.onAccepted) observer.onAccepted(this.id, work.write, this.#world)
    this.#handle(life, { type: 'store/written', token })
  }
}
