/**
 * `CoterieLevel`: a cluster behind the interface of abstract-level 3, for programs that know Level. It translates names and
 * encodings and decides nothing: consistency, deadlines and refusals are the cluster's.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbstractDatabaseOptions,
  AbstractIterator,
  type AbstractIteratorOptions,
  AbstractLevel,
} from 'abstract-level'
import { openCluster } from './cluster.js'
import type { RedisClusterOptions } from './engines/redis-cluster/options.js'
import type { BatchOperation, BatchOptions, Bytes, Cluster, GetOptions, ScanOptions } from './shared/api.js'
import { CoterieError } from './shared/errors.js'
import { boundFromUser } from './shared/keys.js'
import type { LevelCalls } from './shared/level-calls.js'
import { clusterKey, levelKey } from './shared/level-keys.js'
import { CLUSTER_OPTIONS, type ClusterOptions } from './shared/options.js'
import { clusterFolderOf } from './storage/layout.js'

/** What the database is opened with: those of `openCluster` (of either engine), of abstract-level, and three of classic-level. */
export interface CoterieLevelOptions<K, V>
  extends AbstractDatabaseOptions<K, V>,
    Omit<ClusterOptions, 'location' | 'engine'>,
    Pick<Partial<RedisClusterOptions>, 'seeds' | 'username' | 'password' | 'tls' | 'name'> {
  /** With `'redis-cluster'`: of the engine's own options, `seeds`, the login, and `name`, whose default is the location. */
  readonly engine?: 'embedded' | 'redis-cluster'
  /** Bytes; the name that classic-level has for `cacheBytes`. */
  readonly cacheSize?: number
  /** Bytes; the name that classic-level has for `writeBufferBytes`. */
  readonly writeBufferSize?: number
  /** Files; the name that classic-level has for `openFilesMax`. */
  readonly maxOpenFiles?: number
}

/** An error of the interface. `code` is one of abstract-level's, or of classic-level's. */
class LevelError extends Error {
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    if (code === 'LEVEL_ABORTED') this.name = 'AbortError'
  }
}

/** As abstract-level gives them to a database: names of formats, and whatever the caller added. */
interface Given extends GetOptions, BatchOptions {
  readonly keyEncoding?: string
  readonly valueEncoding?: string
  readonly sync?: boolean
}

interface RangeGiven extends Given {
  readonly gt?: Bytes
  readonly gte?: Bytes
  readonly lt?: Bytes
  readonly lte?: Bytes
  readonly reverse: boolean
  /** −1: none. */
  readonly limit: number
  readonly keys?: boolean
  readonly values?: boolean
  readonly signal?: AbortSignal
}

type OperationGiven =
  | { readonly type: 'put'; readonly key: Bytes; readonly value: Bytes }
  | { readonly type: 'del'; readonly key: Bytes }

/** Keys that `clear` deletes at a time. */
const CLEARED_KEYS = 512

const Base = AbstractLevel as unknown as new <K, V>(
  manifest: object,
  options?: AbstractDatabaseOptions<K, V>,
) => LevelCalls<K, V>

/**
 * A Level database whose store is a cluster in the folder `location`. It has every call of abstract-level 3 (put, get, getMany, has,
 * hasMany, del, batch, clear, iterator, keys, values, sublevel, …); they take `r`, `w` and `timeoutMs` besides. `db.supports` says what is so.
 *
 * Shape:  reads give `undefined` for what is not there; `db.cluster` is the cluster while the database is open.
 * Errors: those of abstract-level (`LEVEL_DATABASE_NOT_OPEN`, …; opening a folder that is in use has the cause `LEVEL_LOCKED`);
 *         a request that the cluster refuses rejects with its `CoterieError`.
 */
export class CoterieLevel<K = string, V = string> extends Base<K, V> {
  /** The folder; of the engine `redis-cluster`, the name of the store. */
  readonly location: string
  #cluster: Cluster | undefined
  #isSynced = false
  /** Under way. */
  readonly #clearing = new Set<Promise<void>>()

  constructor(location: string, options?: CoterieLevelOptions<K, V>) {
    super(
      {
        encodings: { buffer: true, utf8: true, view: true },
        createIfMissing: true,
        errorIfExists: true,
        has: true,
        permanence: true,
        seek: true,
        // Each page of an iterator is read when it is wanted, and from several stores.
        implicitSnapshots: false,
        explicitSnapshots: false,
        snapshots: false,
        signals: { iterators: true },
      },
      options,
    )
    this.location = location
  }

  /** The cluster behind it: status, events, joins, backups. Errors: throws LEVEL_DATABASE_NOT_OPEN. */
  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open')
    return this.#cluster
  }

  async _open(
    options: CoterieLevelOptions<K, V> & { readonly createIfMissing: boolean; readonly errorIfExists: boolean },
  ): Promise<void> {
    const { location } = this
    if (options.engine === 'redis-cluster') {
      this.#cluster = await openRedis(location, options)
      return
    }
    const isThere = typeof location === 'string' && existsSync(join(clusterFolderOf(location), 'metadata.json'))
    if (!isThere && !options.createIfMissing)
      throw new Error(`${location} does not exist, and createIfMissing is false`)
    if (isThere && options.errorIfExists) throw new Error(`${location} exists, and errorIfExists is true`)
    if (options.conflict === 'siblings')
      throw new CoterieError('INVALID_OPTION', "a Level database has one value a key: conflict must be 'lww'")
    this.#isSynced = options.durability === 'disk'
    try {
      this.#cluster = await openCluster(clusterOptionsOf(location, options))
    } catch (error) {
      if (!(error instanceof CoterieError) || error.code !== 'LOCATION_LOCKED') throw error
      throw new LevelError('LEVEL_LOCKED', error.message, error)
    }
  }

  async _close(): Promise<void> {
    // Each tells its caller how it has ended.
    await Promise.allSettled(this.#clearing)
    await this.#cluster?.close()
    this.#cluster = undefined
  }

  async _get(key: Bytes, options: Given): Promise<Bytes | undefined> {
    return shown(await this.cluster.get(clusterKey(key), readOptionsOf(options)), options.valueEncoding)
  }

  async _getMany(keys: readonly Bytes[], options: Given): Promise<(Bytes | undefined)[]> {
    const values = await this.cluster.getMany(keys.map(clusterKey), readOptionsOf(options))
    return values.map((value) => shown(value, options.valueEncoding))
  }

  async _has(key: Bytes, options: Given): Promise<boolean> {
    return (await this.cluster.get(clusterKey(key), readOptionsOf(options))) !== undefined
  }

  async _hasMany(keys: readonly Bytes[], options: Given): Promise<boolean[]> {
    const values = await this.cluster.getMany(keys.map(clusterKey), readOptionsOf(options))
    return values.map((value) => value !== undefined)
  }

  async _put(key: Bytes, value: Bytes, options: Given): Promise<void> {
    return this.cluster.put(clusterKey(key), value, this.#writeOptionsOf(options))
  }

  async _del(key: Bytes, options: Given): Promise<void> {
    return this.cluster.delete(clusterKey(key), this.#writeOptionsOf(options))
  }

  async _batch(operations: readonly OperationGiven[], options: Given): Promise<void> {
    const batch = operations.map((operation): BatchOperation => {
      const { type, key } = operation
      return type === 'put' ? { type, key: clusterKey(key), value: operation.value } : { type, key: clusterKey(key) }
    })
    // Level's promise is all or nothing; the cluster's own, without a log, is that of each partition.
    const { logged = true } = options
    return this.cluster.batch(batch, { ...this.#writeOptionsOf(options), logged })
  }

  _clear(options: RangeGiven): Promise<void> {
    const clearing = this.#clear(options)
    this.#clearing.add(clearing)
    return clearing.finally(() => this.#clearing.delete(clearing))
  }

  async #clear(options: RangeGiven): Promise<void> {
    const write = this.#writeOptionsOf(options)
    const range = rangeOf(options)
    const limit = options.limit < 0 ? {} : { limit: options.limit }
    let deletes: BatchOperation[] = []
    for await (const [key] of this.cluster.scan({ ...range, ...limit, ...scanOptionsOf(options) })) {
      deletes.push({ type: 'del', key })
      if (deletes.length < CLEARED_KEYS) continue
      await this.cluster.batch(deletes, write)
      deletes = []
    }
    if (deletes.length > 0) await this.cluster.batch(deletes, write)
  }

  _iterator(options: RangeGiven): AbstractIterator<AbstractLevel<Bytes, K, V>, K, V> {
    return new ClusterIterator<K, V>(this as AbstractLevel<Bytes, K, V>, this.cluster, options)
  }

  /** Errors: LEVEL_NOT_SUPPORTED for a `sync` that the stores were not opened for. */
  #writeOptionsOf({ w, sloppy, timeoutMs, sync }: Given): BatchOptions | undefined {
    if (sync === true && !this.#isSynced)
      throw new LevelError('LEVEL_NOT_SUPPORTED', "sync: true needs a database opened with durability: 'disk'")
    if (w === undefined && sloppy === undefined && timeoutMs === undefined) return undefined
    return { ...(w === undefined ? {} : { w }), ...commonOf(sloppy, timeoutMs) }
  }
}

type Row = [Bytes | undefined, Bytes | undefined]

/** Pages of a scan, as entries. */
class ClusterIterator<K, V> extends AbstractIterator<AbstractLevel<Bytes, K, V>, K, V> {
  readonly #cluster: Cluster
  readonly #given: RangeGiven
  readonly #range: ScanOptions
  #rows: AsyncIterator<[Uint8Array, Uint8Array]> | undefined
  /** Why a page could not be read. What is behind it is not known to be the end: it is told again until another place is sought. */
  #failure: { readonly error: unknown } | undefined

  constructor(db: AbstractLevel<Bytes, K, V>, cluster: Cluster, options: RangeGiven) {
    super(db, options as AbstractIteratorOptions<K, V>)
    this.#cluster = cluster
    this.#given = options
    this.#range = rangeOf(options)
    this.#rows = this.#rowsOf(this.#range)
  }

  async _next(): Promise<Row | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error
    const rows = this.#rows
    if (rows === undefined) return undefined
    try {
      const { done, value } = await this.#unlessAborted(rows.next())
      return done === true ? undefined : this.#entryOf(value)
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  async _nextv(size: number): Promise<Row[]> {
    const entries: Row[] = []
    try {
      while (entries.length < size) {
        const entry = await this._next()
        if (entry === undefined) break
        entries.push(entry)
      }
    } catch (error) {
      // What has been read is given first; the next call says why there is no more.
      if (entries.length === 0) throw error
    }
    return entries
  }

  /** Outside the range there is nothing. */
  _seek(target: Bytes): void {
    const from = clusterKey(target)
    const isInside = isWithin(from, this.#range)
    this.#abandon()
    this.#failure = undefined
    this.#rows = isInside ? this.#rowsOf(soughtIn(this.#range, from)) : undefined
  }

  async _close(): Promise<void> {
    this.#abandon()
  }

  /** A page that is under way ends by itself. */
  #abandon(): void {
    const rows = this.#rows
    this.#rows = undefined
    // What it would reject with is of a read that nobody waits for.
    rows?.return?.().catch(() => undefined)
  }

  #rowsOf(range: ScanOptions): AsyncIterator<[Uint8Array, Uint8Array]> {
    const left = this.limit - this.count
    const limit = Number.isFinite(left) ? { limit: left } : {}
    return this.#cluster.scan({ ...range, ...limit, ...scanOptionsOf(this.#given) })
  }

  #entryOf([key, value]: [Uint8Array, Uint8Array]): Row {
    const { keys, values, keyEncoding, valueEncoding } = this.#given
    return [
      keys === false ? undefined : shown(levelKey(key), keyEncoding),
      values === false ? undefined : shown(value, valueEncoding),
    ]
  }

  #unlessAborted<T>(reading: Promise<T>): Promise<T> {
    const { signal } = this.#given
    if (signal == null) return reading
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(new LevelError('LEVEL_ABORTED', 'Operation has been aborted', signal.reason))
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      const end = (): void => signal.removeEventListener('abort', onAbort)
      reading.then(resolve, reject).finally(end)
    })
  }
}

const REDIS_OPTIONS = ['username', 'password', 'tls', 'name']

/** What only the embedded engine knows is refused, unless it says what is so there anyway. */
async function openRedis<K, V>(
  location: string,
  options: CoterieLevelOptions<K, V> & { readonly createIfMissing: boolean; readonly errorIfExists: boolean },
): Promise<Cluster> {
  // Loaded by those who want it.
  const { openRedisCluster } = await import('./engines/redis-cluster/open.js')
  const { createIfMissing, errorIfExists, seeds = [] } = options
  const given = Object.entries(options).filter(
    ([name, value]) => (CLUSTER_OPTIONS.has(name) || REDIS_OPTIONS.includes(name)) && value !== undefined,
  )
  const redisOptions = { name: location, ...Object.fromEntries(given), engine: 'redis-cluster', seeds } as const
  return openRedisCluster(redisOptions, { createIfMissing, errorIfExists })
}

/** Of what was given, as to any Level database, what a cluster knows: plugins add options of their own. */
function clusterOptionsOf<K, V>(location: string, options: CoterieLevelOptions<K, V>): ClusterOptions {
  const { cacheSize, writeBufferSize, maxOpenFiles } = options
  const given = Object.entries(options).filter(([name, value]) => CLUSTER_OPTIONS.has(name) && value !== undefined)
  return {
    ...(cacheSize === undefined ? {} : { cacheBytes: cacheSize }),
    ...(writeBufferSize === undefined ? {} : { writeBufferBytes: writeBufferSize }),
    ...(maxOpenFiles === undefined ? {} : { openFilesMax: maxOpenFiles }),
    ...Object.fromEntries(given),
    engine: 'embedded',
    // A folder that was created with siblings is refused.
    conflict: 'lww',
    location,
  }
}

function readOptionsOf({ r, sloppy, timeoutMs }: Given): GetOptions | undefined {
  if (r === undefined && sloppy === undefined && timeoutMs === undefined) return undefined
  return { ...(r === undefined ? {} : { r }), ...commonOf(sloppy, timeoutMs) }
}

/** A scan is never sloppy. */
function scanOptionsOf({ r, timeoutMs }: Given): Pick<ScanOptions, 'r' | 'timeoutMs'> {
  return { ...(r === undefined ? {} : { r }), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}

function commonOf(
  sloppy: boolean | undefined,
  timeoutMs: number | undefined,
): Pick<GetOptions, 'sloppy' | 'timeoutMs'> {
  return { ...(sloppy === undefined ? {} : { sloppy }), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
}

/** Bytes in the format that was asked for. They are the caller's own already. */
function shown(bytes: Uint8Array, format: string | undefined): Bytes
function shown(bytes: Uint8Array | undefined, format: string | undefined): Bytes | undefined
function shown(bytes: Uint8Array | undefined, format: string | undefined): Bytes | undefined {
  if (bytes === undefined) return undefined
  if (format === 'view') return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return format === 'utf8' ? buffer.toString('utf8') : buffer
}

/** Where both bounds of a side are given, the including one counts, as in classic-level. */
function rangeOf({ gt, gte, lt, lte, reverse }: RangeGiven): ScanOptions {
  const low = gte !== undefined ? { gte: clusterKey(gte) } : gt !== undefined ? { gt: clusterKey(gt) } : {}
  const high = lte !== undefined ? { lte: clusterKey(lte) } : lt !== undefined ? { lt: clusterKey(lt) } : {}
  return { ...low, ...high, reverse }
}

function isWithin(key: Bytes, { gt, gte, lt, lte }: ScanOptions): boolean {
  const at = boundFromUser(key)
  if (gt !== undefined && at <= boundFromUser(gt)) return false
  if (gte !== undefined && at < boundFromUser(gte)) return false
  if (lt !== undefined && at >= boundFromUser(lt)) return false
  return lte === undefined || at <= boundFromUser(lte)
}

/** What is left of a range that a key lies in. */
function soughtIn({ gt, gte, lt, lte, reverse = false }: ScanOptions, key: Bytes): ScanOptions {
  const low = gte !== undefined ? { gte } : gt !== undefined ? { gt } : {}
  const high = lte !== undefined ? { lte } : lt !== undefined ? { lt } : {}
  return reverse ? { ...low, lte: key, reverse } : { ...high, gte: key, reverse }
}
