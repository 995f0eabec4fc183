/**
 * Runs a `DynamoNode` in its thread: mailbox, turns, effects, timer, store.
 *
 * A turn takes everything that waits (control first), gives it to the core event by event, carries out the effects, and
 * sends what has gathered. Turns begin with `setImmediate`, after the loop has read all ports: so a turn sees the mail of
 * all peers, and a burst becomes one envelope to each.
 */

import { assert } from '../../src/protocol/assert.js'
import { DynamoNode } from '../../src/protocol/dynamo-node.js'
import type { NodeEffect, Notice } from '../../src/protocol/effects.js'
import type { NodeEvent } from '../../src/protocol/events.js'
import { type Address, SUPERVISOR } from '../../src/protocol/ids.js'
import { Mailbox } from '../../src/protocol/mailbox.js'
import type { Message } from '../../src/protocol/messages.js'
import { actorOf } from '../../src/protocol/node-identity.js'
import type { TreeImage } from '../../src/protocol/repair/merkle-forest.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import { nodeFolders } from '../../src/storage/layout.js'
import type { LevelStore } from '../../src/storage/level-store.js'
import { openNodeStore } from '../../src/storage/open-node-store.js'
import { codeOf, StoreError } from '../../src/storage/store-error.js'
import { readTrees, type TreeOwner, writeTrees } from '../../src/storage/tree-file.js'
import { NodeMarks } from '../../src/storage/write-marks.js'
import type { ControlSurface } from '../control.js'
import { nowMs, StampClock } from './clock.js'
import { DeadlineTimer } from './deadline-timer.js'
import { afterTheAnswer, hangThread, pauseThread } from './fault-loops.js'
import { Gauges } from './gauges.js'
import { heldVersions } from './held-versions.js'
import type { LinkEnd } from './mesh.js'
import { NodeCut } from './node-cut.js'
import { NodeFaults } from './node-faults.js'
import type { Assignment, FromNode, ToNode } from './node-protocol.js'
import { Ports } from './ports.js'
import { Pulse } from './pulse.js'
import { ViewCells } from './view-cells.js'
import { packEnvelope } from './wire.js'
import { WriteGate } from './write-gate.js'

/** How long the folder's lock is waited for: the thread before may not be quite gone. */
const LOCK_WAIT_MS = 5_000

export class NodeHost {
  readonly #say: (message: FromNode) => void
  readonly #fail: (error: unknown) => void
  readonly #mailbox = new Mailbox()
  readonly #ports = new Ports((from, messages) => this.onMail(from, messages))
  readonly #timer = new DeadlineTimer(() => {
    // First: by them the timer's event judges.
    this.#ports.takeBeats()
    this.#wake({ type: 'timer' })
  })
  #assignment: Assignment | undefined
  #gauges = new Gauges()
  /** Undefined without `faults: true`. */
  #faults: NodeFaults | undefined
  #store: LevelStore | undefined
  /** Of the life before, if it was closed in order. */
  #trees: readonly TreeImage[] | undefined
  readonly #gate = new WriteGate()
  #actor = ''
  #core: DynamoNode | undefined
  #isTurnDue = false
  #isStopped = false
  #pulse: Pulse | undefined
  #view: ViewCells | undefined
  #viewDigest: number | undefined
  #toSupervisor: Message[] = []
  #notices: Notice[] = []

  constructor(options: { say: (message: FromNode) => void; fail: (error: unknown) => void }) {
    this.#say = options.say
    this.#fail = options.fail
  }

  /** Opens the store and tells what was found. The core starts with `boot`. */
  async open(assignment: Assignment): Promise<void> {
    this.#assignment = assignment
    const { node, location, store: options, protocol, salvage, marks } = assignment
    this.#gauges = new Gauges(assignment.gauges)
    this.#gauges.reset()
    this.#view = new ViewCells(assignment.view)
    this.#view.reset()
    this.#pulse = new Pulse(this.#gauges, assignment.pulseMs)
    this.#allowFaults(assignment)
    const wallMs = this.#faults?.wallMs ?? Date.now
    const { expectedStoreId, expectedSequence, ...rest } = options
    const filled = new Int32Array(assignment.diskFilled)
    const { store, report } = await openNodeStore({
      ...rest,
      location,
      node,
      partitions: protocol.partitions,
      lockWaitMs: LOCK_WAIT_MS,
      wallMs,
      isFilled: () => Atomics.load(filled, 0) !== 0,
      ...(marks === undefined ? {} : { marks: new NodeMarks(marks.shared, marks.own) }),
      ...(expectedStoreId === undefined ? {} : { expectedStoreId }),
      ...(expectedSequence === undefined ? {} : { expectedSequence }),
    })
    this.#store = store
    this.#actor = actorOf(node, report.storeId)
    this.#trees = salvage ? undefined : await readTrees(this.#treeFile(assignment), treeOwnerOf(store, assignment))
    this.#gauges.set('keys', store.liveKeys)
    const storedTable = store.identity.meta.table
    this.#say({
      type: 'opened',
      verdict: salvage && report.verdict === 'fresh' ? 'amnesiac' : report.verdict,
      reason: report.reason,
      storedEpoch: storedTable === undefined ? 0 : (JSON.parse(storedTable) as PartitionTable).epoch,
      hintsDamaged: report.hintsDamaged.length,
      storeId: report.storeId,
      actor: this.#actor,
      quarantinedTo: report.quarantinedTo,
      wallMs: wallMs(),
    })
  }

  boot(order: ToNode & { type: 'boot' }): void {
    const { table, activeEpoch, peers } = order
    const assignment = this.#assignment
    const store = this.#store
    assert(assignment !== undefined && store !== undefined, 'a node boots once its store is open')
    const { node: self, incarnation, seed, salvage, protocol: config } = assignment
    const storedTable = store.identity.meta.table
    const storedEpoch = storedTable === undefined ? 0 : (JSON.parse(storedTable) as PartitionTable).epoch
    const identity = { self, incarnation, actor: store.identity.meta['actor'] ?? this.#actor, seed, salvage }
    const { hints, meta } = store.identity
    const bootTimeNs = new StampClock(assignment.clock).readNs()
    const boot = { table, activeEpoch, hints, meta, trees: this.#trees, bootTimeNs, nowMs: nowMs() }
    this.#trees = undefined
    this.#core = new DynamoNode({ identity, config, store, ...boot })
    this.#wake({ type: 'node/boot', table, storedEpoch, activeEpoch, peers, hints })
  }

  attach(peer: Address, link: LinkEnd): void {
    if (this.#isStopped) link.port.close()
    else this.#ports.attach(peer, link)
  }

  onMail(from: Address, messages: readonly Message[]): void {
    if (this.#faults === undefined) this.#handle(from, messages)
    else this.#handle(from, this.#faults.beforeDisk(from, messages, this.#handle))
  }

  readonly #handle = (from: Address, messages: readonly Message[]): void => {
    const incarnation = this.#assignment?.incarnation ?? 0
    for (const message of messages) this.#mailbox.push({ type: 'message', from, incarnation, message })
    this.#schedule()
  }

  controlSurface(): ControlSurface {
    const over = this.#assignment?.faultsOver
    const cut = new NodeCut({
      gate: this.#gate,
      store: () => this.#openStore(),
      bytesPerSecond: this.#assignment?.protocol.transferBytesPerSecond ?? Number.POSITIVE_INFINITY,
    })
    return {
      inspect: () => {
        const core = this.#core
        assert(core !== undefined, 'asked before it was booted')
        const { deadLetters } = this.#ports
        return {
          gauges: core.gauges(),
          members: core.members(),
          deadLetters,
          heapBytes: process.memoryUsage().heapUsed,
        }
      },
      stop: () => this.#stop(),
      faults: (rules) => this.#faults?.apply(rules),
      hang: (ms) => afterTheAnswer(() => hangThread(ms, over)),
      pause: (ms) => afterTheAnswer(() => pauseThread(ms, over)),
      versions: (key) => heldVersions(this.#openStore(), key),
      freeze: (token, limitMs) => cut.freeze(token, limitMs),
      snapshot: (token) => cut.snapshot(token),
      stream: (token, port) => cut.stream(token, port),
      release: (token) => cut.release(token),
    }
  }

  #openStore(): LevelStore {
    const store = this.#store
    assert(store !== undefined, 'asked before its store was open')
    return store
  }

  #allowFaults({ node: self, seed, gauges, faultRules: rules }: Assignment): void {
    if (rules === undefined) return
    this.#faults = new NodeFaults({ self, seed, gauges: new Gauges(gauges), rules })
    this.#ports.faults = this.#faults.links
  }

  #wake(event: NodeEvent): void {
    this.#mailbox.push(event)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    setImmediate(() => {
      this.#isTurnDue = false
      this.#turn()
    })
  }

  #turn(): void {
    this.#gauges.add('loops', 1)
    const core = this.#core
    if (core === undefined || this.#isStopped) return
    this.#gauges.set('mailbox', this.#mailbox.size)
    for (const event of this.#mailbox.takeAll()) {
      if (event.type === 'message') this.#mayDie('receive', event.message)
      for (const effect of core.step(event, nowMs())) this.#carryOut(effect)
    }
    // Before anybody hears of it: who has an answer finds what is still owed in the gauges.
    this.#publish(core)
    this.#flush()
    this.#timer.arm(core.nextDeadlineMs())
    this.#pulse?.onTurn(nowMs())
  }

  #carryOut(effect: NodeEffect): void {
    const store = this.#store
    assert(store !== undefined, 'a core runs on an open store')
    switch (effect.type) {
      case 'send':
        this.#mayDie('send', effect.message)
        if (effect.to === SUPERVISOR) this.#toSupervisor.push(effect.message)
        else this.#ports.push(effect.to, effect.message)
        return
      case 'store/write': {
        const { token } = effect
        this.#gate.pass(() => {
          store.write(effect.write).then(
            () => this.#afterDisk(() => this.#wake({ type: 'store/written', token })),
            (error: unknown) => this.#onStoreFailed(effect, error),
          )
        })
        return
      }
      case 'store/scan': {
        const { token } = effect
        store
          .scan(effect.scan)
          .then(
            (page) => this.#afterDisk(() => this.#wake({ type: 'store/scan-done', token, page })),
            this.#onScanFailed,
          )
        return
      }
      case 'notice':
        this.#notices.push(effect.notice)
        return
      default:
        effect satisfies never
    }
  }

  /** Does not return where a failpoint has been reached. */
  #mayDie(direction: 'receive' | 'send', message: Message): void {
    if (this.#faults?.diesAt(direction, message) !== true) return
    this.#say({ type: 'failpoint', point: `${direction}:${message.type}` })
    process.exit(1)
  }

  #afterDisk(tell: () => void): void {
    if (this.#faults === undefined) tell()
    else this.#faults.afterDisk(tell)
  }

  /**
   * The handle of a store that failed once is written to no more: the refusals are told, then the thread ends. Not on a full
   * disk: reads go on until the supervisor finds room. Only what a node cannot be without, its table, ends it all the same;
   * until there is room it is then not there, which lets the others go on.
   */
  #onStoreFailed({ token, write }: NodeEffect & { type: 'store/write' }, error: unknown): void {
    if (this.#isStopped) return
    const isFull = error instanceof StoreError && error.code === 'STORE_FULL'
    const kept = error instanceof StoreError ? error.kept : 'unknown'
    const isTable = write.meta?.['table'] !== undefined
    if (isFull) this.#gauges.set('storeFull', 1)
    if (!isTable) this.#wake({ type: 'store/failed', token, kept, detail: String(error) })
    if (!isFull || isTable) setImmediate(() => setImmediate(() => this.#fail(error)))
  }

  readonly #onScanFailed = (error: unknown): void => {
    if (!this.#isStopped) this.#fail(error)
  }

  #flush(): void {
    this.#ports.flush()
    if (this.#toSupervisor.length > 0) {
      this.#say({ type: 'mail', envelope: packEnvelope(this.#toSupervisor).envelope })
      this.#toSupervisor = []
    }
    if (this.#notices.length > 0) {
      this.#say({ type: 'notices', notices: this.#notices })
      this.#notices = []
    }
  }

  #publish(core: DynamoNode): void {
    const { epoch, hints, hintsDue, filling, purging, exchanging, lingering, viewDigest, converged } = core.gauges()
    this.#gauges.set('keys', this.#store?.liveKeys ?? 0)
    this.#gauges.set('epoch', epoch)
    this.#gauges.set('hints', hints)
    this.#gauges.set('hintsDue', hintsDue)
    this.#gauges.set('filling', filling)
    this.#gauges.set('purging', purging)
    this.#gauges.set('exchanging', exchanging)
    this.#gauges.set('lingering', lingering)
    this.#gauges.set('viewDigest', viewDigest)
    this.#gauges.set('converged', converged ? 1 : 0)
    this.#gauges.set('deadLetters', this.#ports.deadLetters)
    if (viewDigest === this.#viewDigest) return
    this.#viewDigest = viewDigest
    this.#view?.publish(core.members())
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    this.#timer.stop()
    this.#faults?.stop()
    this.#pulse?.stop()
    this.#ports.closeAll()
    await this.#close()
    // After the answer has left.
    setImmediate(() => setImmediate(() => process.exit(0)))
  }

  /** What cannot be written costs the next life a pass over its store, and nothing else: that is no reason not to close. */
  async #close(): Promise<void> {
    const store = this.#store
    await store?.close()
    const trees = this.#core?.trees()
    const assignment = this.#assignment
    if (store === undefined || trees === undefined || assignment === undefined || assignment.salvage) return
    await writeTrees(this.#treeFile(assignment), treeOwnerOf(store, assignment), trees).catch((error: unknown) => {
      if (codeOf(error) === undefined) throw error
    })
  }

  #treeFile({ location, node }: Assignment): string {
    return nodeFolders(location, node).trees
  }
}

function treeOwnerOf({ identity, sequence }: LevelStore, { protocol }: Assignment): TreeOwner {
  return { storeId: identity.storeId, sequence, partitions: protocol.partitions }
}
