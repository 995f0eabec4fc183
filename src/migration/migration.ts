/**
 * `cluster.migrate`: a cluster moves to a store of another engine while it serves.
 *
 *   dual-write   Every thread opens the target. Then all hold their writes until none is under way and nothing is owed among the nodes, and
 *                from the next one on each goes to both (`mirror.ts`). Written down first: whoever opens the folder does so at once.
 *   backfill     Everything is copied with its stamps, in one ordered pass whose place is written down (`backfill.ts`).
 *   verify       Every record is compared with all owners' (`verification.ts`). What differs is put right, and there is another pass.
 *   cutover      After a pass without a difference all hold their writes until none is under way. It is written down that the target
 *                has the say; the target becomes a store like any other; reads go there, and once all threads' do, writes too.
 *   done         Written down. The folder is refused from now on (MIGRATED).
 *
 * Why nothing is lost. From the first order on each write is at the target before its caller is told (or its keys are owed). What was
 * there before is at some owner, for before the verification begins no hint is outstanding; and a pass reads all owners. A death takes
 * with it which keys were owed: so the verification always begins anew. A thread that ends in the middle of writes, a failover of the
 * target, anything else that could have undone a pass's work while it ran or after it, makes another pass.
 *
 * Which side has the say is one file's to tell: until `cutover` is on the disk this cluster, from then on the target. A write that the
 * migration sent before and that comes late is refused there: its right to write went first (`migration-scripts.ts`).
 *
 * A target that is away for `pauseAfterMs` pauses it: that is written down, then writes go to this cluster alone, and `migrate` takes it up
 * again. Until then writes wait for the target within their deadlines; reads never do.
 *
 * Called by `OpenCluster`.
 */

import { within } from '../engines/redis-cluster/within.js'
import { CoterieError } from '../shared/errors.js'
import type { MigrationOrder } from '../shared/migration-order.js'
import {
  type MigrateOptions,
  type MigrationStatus,
  type MigrationSummary,
  type MigrationTo,
  movedError,
  withoutLogin,
} from '../shared/migration-shapes.js'
import { invalid } from '../shared/options.js'
import { hasMoved, isDual, type MigrationFile, type MigrationRecord } from '../storage/migration-file.js'
import { backfill } from './backfill.js'
import { type BeginParts, begin, claim, clear, goOn } from './begin.js'
import { finish } from './finish.js'
import { checkMigrateOptions } from './migrate-options.js'
import type { MigrationOptions } from './migration-parts.js'
import { Orders } from './orders.js'
import { Pace } from './pace.js'
import { Progress } from './progress.js'
import { refuseAnother, type Stop, stopped } from './refusals.js'
import type { SideBySide } from './side-by-side.js'
import { TargetWatch, type Trouble } from './target-watch.js'
import { changeOf, statusOf, summaryOf, type Verified } from './told.js'
import { verifyOnce } from './verification.js'

const PASSES_MAX = 8
/** A target that does not answer is no reason to wait. */
const LOOK_MS = 1_000
/** What runs may end by itself for so long when the cluster closes. */
const END_MS = 1_000

export class ClusterMigration {
  readonly #options: MigrationOptions
  readonly #progress: Progress
  readonly #watch: TargetWatch
  readonly #orders: Orders
  #running: Promise<MigrationSummary> | undefined
  /** What runs was told. Undefined: where the record says. */
  #runningTo: MigrationTo | undefined
  #pausing: Promise<void> | undefined
  /** Why what runs is to end. */
  #stop: Stop | undefined
  /** The target has kept something of the last one that could not begin. */
  #hasLeft = false
  /** From here on there is no way back. */
  #isCuttingOver = false
  /** Each may have undone what a pass has seen to. */
  #lostGuests = 0
  #ownOwed = 0
  #ownDoubts = 0

  constructor(options: MigrationOptions) {
    this.#options = options
    this.#progress = new Progress(options.total)
    const { seat, guests } = options
    this.#orders = new Orders({ seat, guests, check: () => this.#throwIfStopped() })
    this.#watch = new TargetWatch({
      troubleOf: () => this.#trouble,
      onTroubled: (trouble) => {
        this.#pausing ??= this.#pause(trouble).finally(() => {
          this.#pausing = undefined
        })
      },
    })
  }

  get #record(): MigrationRecord | undefined {
    return this.#options.file.record
  }

  get status(): MigrationStatus | undefined {
    const record = this.#record
    const progress = this.#running === undefined ? undefined : this.#progress
    return record === undefined ? undefined : statusOf(record, progress)
  }

  /** Before the first call: a migration that is under way goes on with writes to both. Errors: MIGRATION_TARGET_UNREACHABLE. */
  async resume(): Promise<void> {
    const record = this.#record
    if (record === undefined || !isDual(record)) return
    await this.#orders.give({ target: this.#targetOf(record), mode: 'both' })
    await claim(this.#options.seat)
    this.#watch.start()
  }

  /** Of the opener's thread. */
  onOwed(keys: number): void {
    this.#ownOwed = keys
  }

  /** The same. */
  onDoubts(doubts: number): void {
    this.#ownDoubts = doubts
  }

  /** A thread has ended in the middle of its work: what it wrote last may be here and not there. */
  onGuestLost(): void {
    this.#lostGuests += 1
  }

  async migrate(options: MigrateOptions = {}): Promise<MigrationSummary> {
    const { location, isOpen, conflict } = this.#options
    if (!isOpen()) throw new CoterieError('CLOSED')
    const { to, onProgress, recordsPerSecond, pauseAfterMs } = checkMigrateOptions(options, conflict)
    // Not in any case: whoever aborts in the same turn must find what runs.
    if (this.#pausing !== undefined) await this.#pausing
    const record = this.#record
    if (record !== undefined) {
      // Otherwise some thread has not been told yet.
      if (record.stage === 'done' && this.#orders.isThere) throw movedError(location, record.to)
      refuseAnother(to, record.to, record.stage)
    } else if (this.#runningTo !== undefined) refuseAnother(to, this.#runningTo)
    else if (to === undefined && this.#running === undefined)
      throw invalid('to', to, 'where the cluster is to move: no migration is under way')
    const watching = this.#progress.watch(onProgress)
    try {
      // Whoever asks for what runs already watches it.
      if (this.#running === undefined) {
        this.#runningTo = to
        this.#running = this.#run(to, { recordsPerSecond, pauseAfterMs }).finally(() => this.#onEnd())
      }
      return await Promise.race([this.#running, watching.failed])
    } finally {
      watching.end()
    }
  }

  /** Resolves once writes go to this cluster alone, and what the target was given is taken away, if it can be reached. */
  async abort(): Promise<{ readonly cleared: boolean }> {
    const { file, seat, location, isOpen } = this.#options
    if (!isOpen()) throw new CoterieError('CLOSED')
    await this.#rest({ why: 'aborted' })
    const record = this.#record
    if (record === undefined) return { cleared: !this.#hasLeft }
    if (this.#isCuttingOver || hasMoved(record)) throw movedError(location, record.to)
    await file.become('aborted', { to: withoutLogin(record.to) })
    this.#watch.stop()
    await this.#orders.stayHere({ keepsTarget: true })
    this.#tellChange(record, 'aborted')
    try {
      if (seat.target === undefined) await this.#orders.give({ target: this.#targetOf(record) })
      return { cleared: await clear(seat) }
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
      return { cleared: false }
    } finally {
      await this.#orders.stayHere({ keepsTarget: false })
    }
  }

  /** The cluster closes. Resolves once nothing of it is under way. */
  async close(): Promise<void> {
    this.#watch.stop()
    const ended = Promise.allSettled([this.#running, this.#pausing])
    await within(END_MS, () => ended)
    // A target that does not answer would hold it up for as long as its deadlines are.
    if (this.#running !== undefined) this.#options.seat.target?.close()
    await ended
    // What ran may have started it.
    this.#watch.stop()
    await this.#options.file.settled()
  }

  async #run(
    to: MigrationTo | undefined,
    how: { readonly recordsPerSecond: number; readonly pauseAfterMs: number },
  ): Promise<MigrationSummary> {
    const { file } = this.#options
    const { recordsPerSecond } = how
    const walking = { recordsPerSecond, pace: new Pace(this.#options.calls) }
    this.#progress.begin('dual-write')
    if (this.#record === undefined) {
      await begin(this.#beginParts, to as MigrationTo)
      this.#tellChange(this.#record as unknown as MigrationRecord)
    } else if (!hasMoved(this.#record) && (this.#orders.mode === 'local' || this.#record.isPaused)) await this.#goOn()
    this.#watch.start(how.pauseAfterMs)
    if (this.#record?.stage === 'dual-write') {
      await this.#orders.hold(this.#options.isThrough)
      await this.#orders.give({ mode: 'both', holdsWrites: false })
      await this.#become('backfill')
    }
    if (this.#record?.stage === 'backfill') {
      const { r } = this.#options
      const check = this.#throwIfStopped
      await backfill({ sides: this.#sides, file, progress: this.#progress, r, check, ...walking })
      await this.#become('verify')
    }
    const verified = await this.#verifyAndCutOver(walking)
    return summaryOf(file.record as MigrationRecord, verified)
  }

  async #onEnd(): Promise<void> {
    this.#running = undefined
    this.#runningTo = undefined
    this.#stop = undefined
    if (!this.#isCuttingOver) await this.#orders.letGo()
  }

  async #goOn(): Promise<void> {
    await goOn(this.#beginParts)
    this.#tellChange(this.#record as MigrationRecord)
    await this.#orders.hold(this.#options.isThrough)
    await this.#orders.give({ mode: 'both', holdsWrites: false })
  }

  get #beginParts(): BeginParts {
    const { file, seat } = this.#options
    const onLeft = (isLeft: boolean): void => {
      this.#hasLeft = isLeft
    }
    return {
      file,
      seat,
      orders: this.#orders,
      targetOf: (record) => this.#targetOf(record),
      check: this.#throwIfStopped,
      onLeft,
    }
  }

  /** Passes, until one finds no difference; then the cutover. */
  async #verifyAndCutOver(walking: { readonly recordsPerSecond: number; readonly pace: Pace }): Promise<Verified> {
    let mended = 0
    if (this.#record !== undefined && hasMoved(this.#record)) {
      // An attempt before could not write it twice.
      await this.#finish()
      return { verified: 0, passes: 0, mended, heldMs: 0, perSecond: 0 }
    }
    for (let passes = 1; passes <= PASSES_MAX; passes++) {
      // What nodes owe each other may be nowhere where a pass looks.
      await this.#orders.hold(this.#options.isThrough)
      await this.#orders.give({ holdsWrites: false })
      const before = this.#state
      this.#progress.begin('verify', { phase: passes === 1 ? 'verify' : `verify, pass ${passes}` })
      const different = await verifyOnce({
        sides: this.#sides,
        ...walking,
        check: this.#throwIfStopped,
        onPage: (page) => this.#progress.onPage(page),
      })
      this.#progress.end()
      // A failover of just now is known by it.
      await this.#options.seat.target?.lookAgain(LOOK_MS)
      mended += different
      const { records: verified, perSecond } = this.#progress
      if (different > 0 || before !== this.#state) continue
      const heldMs = await this.#cutOver(before)
      if (heldMs !== undefined) return { verified, passes, mended, heldMs, perSecond: Math.round(perSecond) }
    }
    throw stopped({ why: 'different', passes: PASSES_MAX })
  }

  /** Undefined: something has happened since the pass. */
  async #cutOver(before: string): Promise<number | undefined> {
    const heldAtMs = await this.#orders.hold(() => true)
    if (before !== this.#state) {
      await this.#orders.give({ holdsWrites: false })
      return undefined
    }
    // In one turn: who says later that it is to stop is too late.
    this.#throwIfStopped()
    this.#isCuttingOver = true
    this.#watch.stop()
    try {
      await this.#become('cutover')
    } finally {
      // It could not be written.
      if (this.#record?.stage !== 'cutover') {
        this.#isCuttingOver = false
        if (this.#options.isOpen()) this.#watch.start()
      }
    }
    await this.#finish()
    return performance.now() - heldAtMs
  }

  /** It is on the disk that the target has the say. */
  async #finish(): Promise<void> {
    const { file, seat, onUnwritten } = this.#options
    this.#progress.begin('cutover')
    await finish({
      file,
      seat,
      orders: this.#orders,
      check: this.#throwIfClosed,
      onDone: (record) => this.#tellChange(record),
      onUnwritten,
    })
    this.#progress.begin('done')
  }

  /** What a pass relies on. */
  get #state(): string {
    const { seat, guests } = this.#options
    return `${this.#lostGuests} ${this.#ownDoubts} ${guests.doubts} ${seat.target?.epoch}`
  }

  get #sides(): SideBySide {
    return this.#options.seat.sides as SideBySide
  }

  async #become(...change: Parameters<MigrationFile['become']>): Promise<void> {
    await this.#options.file.become(...change)
    this.#tellChange(this.#record as MigrationRecord)
  }

  #tellChange(...change: Parameters<typeof changeOf>): void {
    this.#options.onChange(changeOf(...change))
  }

  /** Of the target, while writes go to it. */
  get #trouble(): Trouble | undefined {
    const { seat, guests } = this.#options
    if (this.#orders.mode !== 'both') return undefined
    return seat.target?.lack ?? (this.#ownOwed + guests.owed > 0 ? 'refusals' : undefined)
  }

  /** The target has been in trouble for too long. */
  async #pause(trouble: Trouble): Promise<void> {
    const { file, onUnwritten } = this.#options
    if (this.#isCuttingOver || this.#record === undefined || hasMoved(this.#record)) return
    this.#watch.stop()
    const stop: Stop = { why: 'paused', trouble }
    // Before the disk is asked: from here on what runs does not cut over.
    if (this.#running !== undefined) this.#stop ??= stop
    try {
      await file.pause(true)
    } catch (error) {
      // Writes still go to both. Once the target has been in trouble for so long again, this is tried again.
      onUnwritten(error as Error)
      if (this.#options.isOpen()) this.#watch.start()
      return this.#end(stop)
    }
    const paused = file.record as MigrationRecord
    await this.#orders.stayHere({ keepsTarget: false })
    this.#tellChange(paused)
    await this.#end(stop)
  }

  /** Resolves once nothing runs and no pause is under way. */
  async #rest(stop: Stop): Promise<void> {
    while (!this.#isCuttingOver && (this.#pausing !== undefined || this.#running !== undefined)) {
      await this.#pausing
      await this.#end(stop)
    }
  }

  /** Resolves once nothing runs. */
  async #end(stop: Stop): Promise<void> {
    if (this.#running === undefined || this.#isCuttingOver) return
    this.#stop ??= stop
    this.#options.guests.endOrders()
    await this.#running.catch((error: unknown) => error)
  }

  readonly #throwIfClosed = (): void => {
    if (!this.#options.isOpen())
      throw new CoterieError('CLOSED', 'the cluster was closed; the migration goes on when it is opened again')
  }

  readonly #throwIfStopped = (): void => {
    this.#throwIfClosed()
    if (this.#stop !== undefined) throw stopped(this.#stop)
  }

  #targetOf({ id, to }: Pick<MigrationRecord, 'id' | 'to'>): NonNullable<MigrationOrder['target']> {
    const { clusterId, partitions, numbers } = this.#options
    return { id, to, clusterId, partitions, numbers }
  }
}
