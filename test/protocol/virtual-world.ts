/**
 * Real `DynamoNode`s and a real `Gateway` on one virtual clock: mail takes 0.1…1 ms and keeps its order on each link, disks
 * take 0.1…1 ms, a filter may drop, delay or hold any mail. `VirtualWorld` itself plays the supervisor's broadcasts; what
 * is told to the supervisor is kept in `told`. Deterministic for a seed.
 *
 * What a crash leaves of the writes that its disk had not answered is chance: a prefix of them.
 */

import type { OperationOutcome } from '../../src/protocol/coordinator/request.js'
import { DynamoNode } from '../../src/protocol/dynamo-node.js'
import type { NodeEffect } from '../../src/protocol/effects.js'
import type { NodeEvent } from '../../src/protocol/events.js'
import { Gateway } from '../../src/protocol/gateway.js'
import type { ClientRequest, GatewayConfig, GatewayEffect, GatewayEvent } from '../../src/protocol/gateway-contract.js'
import { type Address, type Key, type NodeId, SUPERVISOR } from '../../src/protocol/ids.js'
import type { Message, PeerChanged, PeerStatus } from '../../src/protocol/messages.js'
import { Prng } from '../../src/protocol/prng.js'
import { planClaim } from '../../src/protocol/ring/claim.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import { type PartitionTable, type Row, rowOf } from '../../src/protocol/ring/table.js'
import { newTable } from '../../src/protocol/supervision/reassignment.js'
import { type MemoryDisk, MemoryStore } from '../../src/storage/memory-store.js'
import { configOf } from './virtual-config.js'
import { textOf, VirtualDisks } from './virtual-disks.js'
import type { Due, Fate, Life, Mail, PutOptions } from './virtual-life.js'

export const GATEWAY = 'gateway1'

export class VirtualWorld extends VirtualDisks {
  nowMs = 0
  table: PartitionTable
  readonly config: GatewayConfig
  readonly gateway: Gateway
  readonly prng: Prng
  readonly ids: readonly NodeId[]
  /** What was said to the supervisor. */
  readonly told: { readonly from: Address; readonly message: Message }[] = []
  /** Each mail that was given to the network, and the time. */
  readonly sent: (Mail & { readonly atMs: number })[] = []
  /** Effects other than mail and disk work. */
  readonly notices: (NodeEffect | GatewayEffect)[] = []
  /** Every answer of a request, by id: exactly one is right. */
  readonly outcomes = new Map<number, OperationOutcome[]>()
  /** Every effect as JSON, if `isTracing`. */
  readonly trace: string[] = []
  isTracing = false
  onReply: (id: number, outcome: OperationOutcome) => void = () => undefined
  filter: (mail: Mail) => Fate = () => 'deliver'
  readonly #lives = new Map<NodeId, Life>()
  readonly #known = new Map<NodeId, PeerChanged>()
  readonly #linkFreeAtMs = new Map<string, number>()
  readonly #seed: number
  #due: Due[] = []
  #held: Mail[] = []
  #sequence = 0
  #nextRequest = 1
  #clockNs = 1_000_000_000n
  #activeEpoch = 1
  #gatewayDueMs = Number.POSITIVE_INFINITY

  constructor(seed: number, options: Partial<GatewayConfig> & { readonly nodes?: number } = {}) {
    super()
    const { nodes = 5, ...config } = options
    this.#seed = seed
    this.prng = new Prng(seed)
    this.config = { ...configOf(config.w ?? 2), ...config }
    this.ids = Array.from({ length: nodes }, (_, index) => `node${index + 1}`)
    const { partitions } = this.config
    const n = this.config.n === 'all' ? nodes : this.config.n
    this.table = newTable(planClaim({ partitions, n, members: this.ids }).rows, n)
    this.gateway = new Gateway(GATEWAY, this.config, this.table)
    this.addDisks(this.ids)
    for (const id of this.ids) this.spawn(id)
    this.run(20)
  }

  protected get partitions(): number {
    return this.config.partitions
  }

  // --- the program's side ---------------------------------------------------------------------------------------------

  put(key: Key, text: string | null, options: PutOptions = {}): number {
    return this.putMany([key], [text], options)
  }

  putMany(keys: readonly Key[], texts: readonly (string | null)[], options: PutOptions = {}): number {
    const { w = this.config.w, sloppy = false, timeoutMs = 1_000, context } = options
    const values = texts.map((text) => (text === null ? null : new TextEncoder().encode(text)))
    const put = {
      kind: 'put' as const,
      id: this.#nextRequest++,
      keys,
      values,
      w,
      sloppy,
      deadlineMs: this.nowMs + timeoutMs,
    }
    return this.submit(context === undefined ? put : { ...put, context })
  }

  get(key: Key, options: { r?: number; sloppy?: boolean; timeoutMs?: number } = {}): number {
    const { r = this.config.r, sloppy = false, timeoutMs = 1_000 } = options
    return this.submit({ kind: 'get', id: this.#nextRequest++, key, r, sloppy, deadlineMs: this.nowMs + timeoutMs })
  }

  scan(limit = 1_000, timeoutMs = 1_000): number {
    const page = { range: { reverse: false }, limit, bytesMax: 1e6, r: this.config.r }
    return this.submit({ kind: 'scan', id: this.#nextRequest++, ...page, deadlineMs: this.nowMs + timeoutMs })
  }

  submit(request: ClientRequest, stampTimeNs: bigint | undefined = this.clockNs()): number {
    this.stepGateway({ type: 'client/requests', requests: [request], stampTimeNs })
    return request.id
  }

  /** How the request ended; undefined: it runs. */
  outcome(id: number): OperationOutcome | undefined {
    return this.outcomes.get(id)?.[0]
  }

  /** `written`, a failure's code, `=text`, `none`, `runs`; siblings are joined by `|`. */
  end(id: number): string {
    const outcome = this.outcome(id)
    if (outcome?.type === 'failed') return outcome.failure.code
    return outcome?.type === 'value' ? textOf(outcome.record) : (outcome?.type ?? 'runs')
  }

  /** Runs until the request has ended; how it did. */
  ended(id: number): string {
    const untilMs = this.nowMs + 60_000
    while (this.outcome(id) === undefined && this.nowMs < untilMs) this.run(0.25)
    return this.end(id)
  }

  // --- the supervisor's side ------------------------------------------------------------------------------------------

  row(key: Key): Row {
    return rowOf(this.table, partitionOf(key, this.config.partitions))
  }

  owners(key: Key): readonly NodeId[] {
    return this.row(key).owners.filter((owner): owner is NodeId => owner !== null)
  }

  isAlive(id: NodeId): boolean {
    return this.#lives.has(id)
  }

  node(id: NodeId): DynamoNode {
    const life = this.#lives.get(id)
    if (life === undefined) throw new Error(`${id} does not live`)
    return life.node
  }

  /** A new life on what is on the disk. It is `up` for the others once it has stored the table. */
  spawn(id: NodeId): void {
    this.#spawn(id, false)
  }

  /** A thread that reads what a node left that is down for good; nobody is told. */
  salvage(id: NodeId): void {
    this.#spawn(id, true)
  }

  /** The supervisor says this to a node. */
  order(to: NodeId, message: Message): void {
    this.#post({ from: SUPERVISOR, to, message })
  }

  #spawn(id: NodeId, salvage: boolean): void {
    const incarnation = (this.#known.get(id)?.incarnation ?? 0) + 1
    const disk = this.disks.get(id) as MemoryDisk
    const store = new MemoryStore({ disk, partitions: this.config.partitions })
    const { hints, meta } = store.identity
    const identity = {
      self: id,
      incarnation,
      actor: meta['actor'] ?? `${id}.${disk.storeId}`,
      seed: this.#seed + incarnation,
      salvage,
    }
    const { table, config, nowMs } = this
    const boot = { activeEpoch: this.#activeEpoch, hints, table }
    const node = new DynamoNode({ identity, config, store, ...boot, meta, bootTimeNs: this.clockNs(), nowMs })
    this.#lives.set(id, { node, incarnation, store, disk: [], diskFreeAtMs: 0, dueMs: nowMs, frozenUntilMs: 0 })
    if (!salvage) this.#announcePeer(id, incarnation, 'starting')
    const storedEpoch = meta.table === undefined ? 0 : (JSON.parse(meta.table) as PartitionTable).epoch
    const peers = [...this.#known.values()].filter((peer) => peer.node !== id)
    this.#step(id, { type: 'node/boot', storedEpoch, peers, ...boot })
  }

  /** Its thread ends. Mail of it that is on its way arrives as long as the news of its end has not. */
  crash(id: NodeId, status: 'exited' | 'down' = 'exited'): void {
    const life = this.#lives.get(id)
    const incarnation = this.#known.get(id)?.incarnation ?? 1
    this.#lives.delete(id)
    const kept = this.prng.below((life?.disk.length ?? 0) + 1)
    for (const work of life?.disk.slice(0, kept) ?? []) if (work.type === 'store/write') life?.store.accept(work.write)
    for (const key of [...this.#linkFreeAtMs.keys()]) if (key.endsWith(`>${id}`)) this.#linkFreeAtMs.delete(key)
    this.#announcePeer(id, incarnation, status)
    const news = new Map<Address, number>()
    for (const { mail, atMs } of this.#due) if (mail?.from === SUPERVISOR) news.set(mail.to, atMs)
    this.#due = this.#due.filter(({ mail, atMs }) => mail?.from !== id || atMs < (news.get(mail.to) ?? 0))
    this.#held = this.#held.filter((mail) => mail.from !== id)
  }

  /** Handles nothing for a while. */
  freeze(id: NodeId, ms: number): void {
    const life = this.#lives.get(id)
    if (life !== undefined) life.frozenUntilMs = this.nowMs + ms
  }

  /** The next epoch with another row for the key; announced to all but some. */
  changeRow(key: Key, change: Partial<Row>, except: readonly Address[] = []): void {
    const changed = partitionOf(key, this.config.partitions)
    const epoch = this.table.epoch + 1
    const rows = this.table.rows.map((row, partition) => (partition === changed ? { ...row, ...change, epoch } : row))
    this.table = { ...this.table, epoch, rows }
    for (const to of [...this.#lives.keys(), GATEWAY])
      if (!except.includes(to))
        this.#post({ from: SUPERVISOR, to, message: { type: 'table/announce', table: this.table } })
  }

  activate(): void {
    this.#activeEpoch = this.table.epoch
    const message: Message = { type: 'table/activate', epoch: this.table.epoch }
    for (const to of this.#lives.keys()) this.#post({ from: SUPERVISOR, to, message })
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  run(ms: number): void {
    const untilMs = this.nowMs + ms
    while (true) {
      const timer = this.#nextTimer()
      const due = this.#due[0]
      if (due !== undefined && due.atMs <= Math.min(timer.atMs, untilMs)) {
        this.#due.shift()
        this.nowMs = Math.max(this.nowMs, due.atMs)
        due.run()
      } else if (timer.atMs <= untilMs) {
        this.nowMs = Math.max(this.nowMs, timer.atMs)
        if (timer.id === GATEWAY) this.stepGateway({ type: 'timer' })
        else this.#step(timer.id, { type: 'timer' })
      } else break
    }
    this.nowMs = untilMs
  }

  /** Gives what was held to the network. */
  release(): void {
    const held = this.#held
    this.#held = []
    for (const mail of held) this.#travel(mail, 0)
  }

  /** The shared clock: no two readings are equal. */
  clockNs(): bigint {
    const now = 1_000_000_000n + BigInt(Math.round(this.nowMs * 1e6))
    this.#clockNs = now > this.#clockNs ? now : this.#clockNs + 1n
    return this.#clockNs
  }

  /** Mail of a type so far, from and to whom it may be. */
  sentOf<Type extends Message['type']>(type: Type): (Mail & { readonly message: Message & { type: Type } })[] {
    return this.sent.filter(
      (mail): mail is typeof mail & { message: Message & { type: Type } } => mail.message.type === type,
    )
  }

  stepGateway(event: GatewayEvent): void {
    const effects = this.gateway.step(event, this.nowMs)
    this.#gatewayDueMs = Math.max(this.gateway.nextDeadlineMs(), this.nowMs + 0.5)
    this.#log(GATEWAY, effects)
    for (const effect of effects) {
      if (effect.type === 'send') this.#post({ from: GATEWAY, to: effect.to, message: effect.message })
      else if (effect.type === 'reply') {
        this.outcomes.set(effect.id, [...(this.outcomes.get(effect.id) ?? []), effect.outcome])
        this.onReply(effect.id, effect.outcome)
      } else this.notices.push(effect)
    }
  }

  #step(id: NodeId, event: NodeEvent): void {
    const life = this.#lives.get(id)
    if (life === undefined) return
    const effects = life.node.step(event, this.nowMs)
    life.dueMs = Math.max(life.node.nextDeadlineMs(), this.nowMs + 0.5)
    this.#log(id, effects)
    for (const effect of effects) {
      if (effect.type === 'send') this.#post({ from: id, to: effect.to, message: effect.message })
      else if (effect.type === 'notice') this.notices.push(effect)
      else this.#toDisk(id, life, effect)
    }
  }

  #toDisk(id: NodeId, life: Life, effect: NodeEffect & { type: 'store/write' | 'store/scan' }): void {
    life.disk.push(effect)
    life.diskFreeAtMs = Math.max(life.diskFreeAtMs, this.nowMs) + 0.1 + this.prng.next() * 0.9
    this.#at(life.diskFreeAtMs, undefined, () => {
      if (this.#lives.get(id) !== life) return
      life.disk.shift()
      const { token } = effect
      if (effect.type === 'store/scan')
        return this.#step(id, { type: 'store/scan-done', token, page: life.store.page(effect.scan) })
      if (this.fullDisks.has(id))
        return this.#step(id, { type: 'store/failed', token, kept: 'nothing', detail: 'full' })
      life.store.accept(effect.write)
      this.#step(id, { type: 'store/written', token })
    })
  }

  #post(mail: Mail): void {
    this.sent.push({ ...mail, atMs: this.nowMs })
    const fate = mail.from === SUPERVISOR ? 'deliver' : this.filter(mail)
    if (fate === 'hold') this.#held.push(mail)
    else if (fate !== 'drop') this.#travel(mail, typeof fate === 'number' ? fate : 0)
  }

  #travel(mail: Mail, extraMs: number): void {
    const link = `${mail.from}>${mail.to}`
    const meant = this.#lives.get(mail.to)
    const atMs = Math.max(this.nowMs + 0.1 + this.prng.next() * 0.9 + extraMs, this.#linkFreeAtMs.get(link) ?? 0)
    this.#linkFreeAtMs.set(link, atMs)
    this.#at(atMs, mail, () => this.#arrive(mail, meant))
  }

  #arrive(mail: Mail, meant: Life | undefined): void {
    const { from, to, message } = mail
    if (to === GATEWAY) return this.stepGateway({ type: 'message', from, message })
    if (to === SUPERVISOR) return this.#supervise(from, message)
    if (meant === undefined || this.#lives.get(to) !== meant) return
    if (meant.frozenUntilMs > this.nowMs) this.#at(meant.frozenUntilMs, mail, () => this.#arrive(mail, meant))
    else this.#step(to, { type: 'message', from, incarnation: meant.incarnation, message })
  }

  #supervise(from: Address, message: Message): void {
    this.told.push({ from, message })
    const known = this.#known.get(from)
    if (message.type === 'table/stored' && known?.status === 'starting')
      this.#announcePeer(from, known.incarnation, 'up')
    if (message.type === 'table/request')
      this.#post({ from: SUPERVISOR, to: from, message: { type: 'table/announce', table: this.table } })
  }

  #announcePeer(node: NodeId, incarnation: number, status: PeerStatus): void {
    const message: PeerChanged = { type: 'peer/changed', node, incarnation, status }
    this.#known.set(node, message)
    for (const to of [...this.#lives.keys(), GATEWAY]) if (to !== node) this.#post({ from: SUPERVISOR, to, message })
  }

  #nextTimer(): { readonly atMs: number; readonly id: Address } {
    let next: { atMs: number; id: Address } = { atMs: this.#gatewayDueMs, id: GATEWAY }
    for (const [id, { dueMs, frozenUntilMs }] of this.#lives) {
      const atMs = Math.max(dueMs, frozenUntilMs)
      if (atMs < next.atMs) next = { atMs, id }
    }
    return next
  }

  #at(atMs: number, mail: Mail | undefined, run: () => void): void {
    const due = { atMs, sequence: this.#sequence++, mail, run }
    let place = this.#due.length
    while (place > 0 && (this.#due[place - 1] as Due).atMs > atMs) place--
    this.#due.splice(place, 0, due)
  }

  #log(who: Address, effects: readonly (NodeEffect | GatewayEffect)[]): void {
    if (this.isTracing && effects.length > 0) this.trace.push(`${this.nowMs} ${who} ${JSON.stringify(effects)}`)
  }
}
