/**
 * A store that a migration fills: written by stamps, looked at record by record, and at last a store like any other. Decides nothing
 * about the migration; `migration-scripts.ts` says what is kept in Redis meanwhile.
 *
 * Called by `src/migration`, by each thread that writes for itself.
 */

import type { RequestCounters } from '../../../actors/runtime/request-counters.js'
import type { Key, PartitionId } from '../../protocol/ids.js'
import type { KeyRange } from '../../protocol/messages.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import { CoterieError } from '../../shared/errors.js'
import type { Argument, Reply } from './connection.js'
import { KeyNames, metaKey } from './key-names.js'
import { ADMIT, CLAIM, CLEAR, DISMISS, DISSOLVE, FORGET, LOOK, MIRROR, RANGE, RELEASE } from './migration-scripts.js'
import { FORMAT } from './open.js'
import { quorumsOf, type RedisClusterOptions, validateRedisOptions } from './options.js'
import { askMeta, letGo, type Reached, reach } from './reach.js'
import { RedisCluster } from './redis-cluster.js'
import { failure, Requester } from './requester.js'
import type { Script } from './scripts.js'
import { asBuffer, boundsOf } from './store.js'
import { copiesOf, type Topology } from './topology.js'

/** Whose store it is to be. */
export interface TargetClaim {
  /** Of the migration. */
  readonly id: string
  /** That it comes from. */
  readonly clusterId: string
  readonly partitions: number
}

/** A record as the cluster has it; null: deleted. */
export interface StampedRecord {
  readonly key: Key
  readonly stamp: Stamp
  readonly value: Uint8Array | null
}

/** What the store has of a key. */
export interface SeenRecord {
  /** Undefined: nothing was ever written. */
  readonly stamp: Stamp | undefined
  readonly isLive: boolean
  /** SHA-1 of the value, hexadecimal. Undefined: there is no value. */
  readonly digest: string | undefined
}

/** Live keys of a partition, in order. */
export interface SeenPage {
  readonly keys: readonly Key[]
  readonly seen: readonly SeenRecord[]
  /** Where it ended. Undefined: there is no more. */
  readonly next: Key | undefined
}

interface StepOptions {
  readonly deadlineMs: number
  readonly isBulk?: boolean
}

/** Of one script: others wait for it. */
const SCRIPT_KEYS_MAX = 256
const SCRIPT_BYTES_MAX = 524_288
const CLEAR_KEYS = 1_000
const RECORD_BYTES = 128
/** What scripts say where the migration may not write. */
const REFUSED = -1

export class MigrationTarget {
  readonly #reached: Reached
  readonly #claim: TargetClaim
  readonly #names: KeyNames
  readonly #quorums: { readonly n: number; readonly r: number; readonly w: number }
  readonly #requester: Requester
  #served: RedisCluster | undefined
  #isClosed = false

  /** Errors: INVALID_OPTION, OPEN_FAILED. */
  static async open(options: RedisClusterOptions, claim: TargetClaim): Promise<MigrationTarget> {
    const config = validateRedisOptions(options)
    let target: MigrationTarget | undefined
    const reached = await reach(config, (now, before) => target?.onTopology(now, before))
    try {
      target = new MigrationTarget(reached, claim)
      reached.watch.start()
      return target
    } catch (error) {
      letGo(reached)
      throw error
    }
  }

  private constructor(reached: Reached, claim: TargetClaim) {
    const { config, connections, watch } = reached
    this.#reached = reached
    this.#claim = claim
    this.#quorums = quorumsOf(config, copiesOf(watch.topology))
    this.#names = new KeyNames(config.name, claim.partitions)
    this.#requester = new Requester({ names: this.#names, connections, watch, isClosed: () => this.#isClosed })
  }

  /** By the watch, at each look. */
  onTopology(now: Topology, before: Topology): void {
    this.#requester.onTopology(now)
    this.#served?.onTopology(now, before)
  }

  get partitions(): number {
    return this.#claim.partitions
  }

  /**
   * What keeps a write of some partition from being sent now. `away`: no majority of the masters is seen, or one is missing; `copies`: one
   * has too few replicas. Undefined: nothing.
   */
  get lack(): 'away' | 'copies' | undefined {
    if (!this.#reached.watch.topology.isOk) return 'away'
    let lack: 'away' | 'copies' | undefined
    for (let partition = 0; partition < this.partitions && lack !== 'away'; partition++)
      lack = this.#requester.lackOf(partition, this.#quorums.w) ?? lack
    return lack
  }

  /** Changes with every failover: what was written may then have been lost. */
  get epoch(): number {
    return this.#reached.watch.topology.epoch
  }

  /**
   * Makes the store the migration's, and lets it write there. Also after a death in the middle of it.
   *
   * Errors: MIGRATION_TARGET_NOT_EMPTY, OPEN_FAILED, those of a write.
   */
  async claim(deadlineMs: number): Promise<void> {
    const { config } = this.#reached
    for (;;) {
      const { id, clusterId, partitions } = this.#claim
      const key = metaKey(config.name)
      const reply = await askMeta(this.#reached, ['EVAL', CLAIM.text, 1, key, FORMAT, partitions, id, clusterId])
      const [there, whose] = (reply as readonly Buffer[]).map(String)
      if (whose === 'other')
        throw new CoterieError(
          'MIGRATION_TARGET_NOT_EMPTY',
          `there is a store of the name ${config.name} already; give another one, as in ?name=${config.name}2`,
          { name: config.name },
        )
      if (whose === 'ours') break
      await this.#clear(new KeyNames(config.name, Number(there)), Number(there), clusterId)
    }
    await this.#everywhere((partition) =>
      this.#step(partition, ADMIT, [this.#names.stamps(partition)], [this.#claim.id], { deadlineMs }),
    )
  }

  /** Takes away everything that the migration has written. Errors: OPEN_FAILED, those of a write. */
  async clear(): Promise<void> {
    const owner = await askMeta(this.#reached, ['HGET', metaKey(this.#reached.config.name), 'migration'])
    // Somebody else's by now, or nobody's.
    if (String(owner) !== this.#claim.id) return
    return this.#clear(this.#names, this.#claim.partitions, this.#claim.id)
  }

  /** From now on it is a store like any other. Also after a death in the middle of it. Errors: OPEN_FAILED, those of a write. */
  async release(deadlineMs: number): Promise<void> {
    await this.#everywhere((partition) =>
      this.#step(partition, DISMISS, [this.#names.stamps(partition)], [], { deadlineMs }),
    )
    const key = metaKey(this.#reached.config.name)
    await askMeta(this.#reached, ['EVAL', RELEASE.text, 1, key, this.#claim.id])
  }

  /** Nothing keeps a write of these keys from being sent now. */
  isPlaced(keys: readonly Key[]): boolean {
    return keys.every((key) => this.#requester.lackOf(this.#partitionOf(key), this.#quorums.w) === undefined)
  }

  /** Another look at the topology, or the time is over. */
  lookAgain(withinMs: number): Promise<void> {
    return this.#reached.watch.lookAgain(withinMs)
  }

  /** Of each key what is newer stays. `isBulk`: callers' writes do not wait behind it. Errors: those of a write, the first of them. */
  async write(records: readonly StampedRecord[], deadlineMs: number, { isBulk = false } = {}): Promise<void> {
    const ends = await Promise.allSettled(
      this.#parts(records).map(({ partition, some }) => this.#writePart(partition, some, { deadlineMs, isBulk })),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** Deletes what the cluster does not know any more, unless it was written since. Errors: those of a write. */
  async forget(key: Key, stamp: Stamp, deadlineMs: number): Promise<void> {
    const partition = this.#partitionOf(key)
    const { id } = this.#claim
    const args = [id, Buffer.from(key, 'latin1'), stamp]
    await this.#step(partition, FORGET, [...this.#keysOf(partition), this.#names.value(partition, key)], args, {
      deadlineMs,
    })
  }

  /** In the order of the keys. Errors: those of a read. */
  async look(keys: readonly Key[], deadlineMs: number): Promise<SeenRecord[]> {
    const found = new Map<Key, SeenRecord>()
    await Promise.all(
      this.#parts(keys.map((key) => ({ key, stamp: '', value: null }))).map(async ({ partition, some }) => {
        const names = some.map(({ key }) => this.#names.value(partition, key))
        const args = some.map(({ key }) => Buffer.from(key, 'latin1'))
        const cells = await this.#ask(partition, LOOK, [...this.#keysOf(partition), ...names], args, deadlineMs)
        for (const [index, { key }] of some.entries()) {
          const [entry, digest, score] = cells.slice(3 * index, 3 * index + 3)
          found.set(key, seenOf(entry ?? null, digest ?? null, (score ?? null) !== null))
        }
      }),
    )
    return keys.map((key) => found.get(key) as SeenRecord)
  }

  /** What a partition's index holds. Errors: those of a read. */
  async page(
    partition: PartitionId,
    range: KeyRange,
    limits: { readonly keys: number; readonly bytes: number },
    deadlineMs: number,
  ): Promise<SeenPage> {
    const { from, to } = boundsOf(range)
    const args = [from, to, limits.keys, limits.bytes, this.#names.valuePrefix(partition)]
    const cells = await this.#ask(partition, RANGE, this.#keysOf(partition), args, deadlineMs)
    const next = String((cells.at(-1) as Buffer).toString('latin1'))
    const keys: Key[] = []
    const seen: SeenRecord[] = []
    for (let at = 0; at + 3 <= cells.length - 1; at += 3) {
      keys.push((cells[at] as Buffer).toString('latin1'))
      seen.push(seenOf(cells[at + 1] ?? null, cells[at + 2] ?? null, true))
    }
    return { keys, seen, next: next === '' ? undefined : next }
  }

  /** The store behind the public door, by the same connections: they are its own from now on. */
  serve(counters: RequestCounters): RedisCluster {
    const { partitions } = this.#claim
    this.#served ??= new RedisCluster({ ...this.#reached, partitions, quorums: this.#quorums, counters })
    return this.#served
  }

  close(): void {
    this.#isClosed = true
    if (this.#served === undefined) letGo(this.#reached)
  }

  async #writePart(partition: PartitionId, some: readonly StampedRecord[], how: StepOptions): Promise<void> {
    const keys = [...this.#keysOf(partition), ...some.map(({ key }) => this.#names.value(partition, key))]
    const args: Argument[] = [this.#claim.id]
    for (const { key, stamp, value } of some)
      args.push(Buffer.from(key, 'latin1'), value === null ? '0' : '1', value === null ? '' : asBuffer(value), stamp)
    await this.#step(partition, MIRROR, keys, args, how)
  }

  /** Some records of one partition each. */
  #parts(records: readonly StampedRecord[]): { partition: PartitionId; some: StampedRecord[] }[] {
    const open = new Map<PartitionId, { partition: PartitionId; some: StampedRecord[]; bytes: number }>()
    const parts: { partition: PartitionId; some: StampedRecord[] }[] = []
    for (const record of records) {
      const partition = this.#partitionOf(record.key)
      let part = open.get(partition)
      if (part === undefined || part.some.length >= SCRIPT_KEYS_MAX || part.bytes >= SCRIPT_BYTES_MAX) {
        part = { partition, some: [], bytes: 0 }
        open.set(partition, part)
        parts.push(part)
      }
      part.some.push(record)
      part.bytes += bytesOfRecord(record)
    }
    return parts
  }

  #keysOf(partition: PartitionId): [index: Buffer, stamps: Buffer] {
    return [this.#names.index(partition), this.#names.stamps(partition)]
  }

  /** Errors: STORE_FAILED where the migration may not write any more; those of a write. */
  async #step(
    partition: PartitionId,
    script: Script,
    keys: readonly Buffer[],
    args: readonly Argument[],
    how: StepOptions,
  ): Promise<Reply> {
    const bytes = args.reduce((sum: number, arg) => sum + (typeof arg === 'object' ? arg.byteLength : 16), RECORD_BYTES)
    const { w } = this.#quorums
    const reply = await this.#requester.write({ partition, script, keys, args, bytes, w, ...how })
    if (reply === REFUSED) throw failure('STORE_FAILED', { partition, detail: 'the migration into it is over' })
    return reply
  }

  async #ask(
    partition: PartitionId,
    script: Script,
    keys: readonly Buffer[],
    args: readonly Argument[],
    deadlineMs: number,
  ): Promise<readonly Reply[]> {
    // Of the master: replicas may lag behind.
    const r = Math.max(2, this.#quorums.r)
    const rest = [keys.length, ...keys, ...args]
    const command: [string, ...Argument[]] = ['EVALSHA_RO', script.digest, ...rest]
    const asText: [string, ...Argument[]] = ['EVAL_RO', script.text, ...rest]
    return (await this.#requester.read({ partition, command, asText, r, deadlineMs })) as readonly Reply[]
  }

  async #clear(names: KeyNames, partitions: number, owner: string): Promise<void> {
    const { config } = this.#reached
    await this.#everywhere(async (partition) => {
      const deadline = () => performance.now() + config.openTimeoutMs
      // First nobody may write any more, then what is there goes.
      const write = (script: Script, keys: readonly Buffer[], args: readonly Argument[]) =>
        this.#requesterOf(names).write({ partition, script, keys, args, bytes: 0, w: 1, deadlineMs: deadline() })
      await write(DISMISS, [names.stamps(partition)], [])
      while (Number(await write(CLEAR, [names.index(partition)], [names.valuePrefix(partition), CLEAR_KEYS])) > 0);
    }, partitions)
    await askMeta(this.#reached, ['EVAL', DISSOLVE.text, 1, metaKey(config.name), owner])
  }

  /** A store that was left behind may have had other partitions. */
  #requesterOf(names: KeyNames): Requester {
    if (names === this.#names) return this.#requester
    const { connections, watch } = this.#reached
    return new Requester({ names, connections, watch, isClosed: () => this.#isClosed })
  }

  async #everywhere(
    step: (partition: PartitionId) => Promise<unknown>,
    partitions = this.#claim.partitions,
  ): Promise<void> {
    await Promise.all(Array.from({ length: partitions }, (_, partition) => step(partition)))
  }

  #partitionOf(key: Key): PartitionId {
    return partitionOf(key, this.#claim.partitions)
  }
}

function seenOf(entry: Reply, digest: Reply, isIndexed: boolean): SeenRecord {
  const text = entry === null ? undefined : String(entry)
  const isLive = isIndexed && digest !== null
  return {
    stamp: text?.slice(1),
    isLive: isLive && text?.startsWith('-') !== true,
    digest: digest === null ? undefined : String(digest),
  }
}

function bytesOfRecord({ key, value }: StampedRecord): number {
  return 2 * key.length + (value?.byteLength ?? 0) + RECORD_BYTES
}
