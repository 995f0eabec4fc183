/**
 * A cluster that runs in another process, over its control socket. Calls are as `Cluster` has them, and fail with the same
 * `CoterieError`s; what is synchronous there is a promise here.
 *
 * A process that ends while it answers: a read says CLOSED, a write OUTCOME_UNKNOWN.
 */

import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type {
  BatchOperation,
  BatchOptions,
  Bytes,
  GetOptions,
  Location,
  PutOptions,
  ScanOptions,
} from '../../shared/api.js'
import type { BackupOptions, BackupSummary, BulkProgress } from '../../shared/backup-shapes.js'
import type { ClusterMetrics, ClusterStatus, PartitionOwners, ShapePlan } from '../../shared/cluster-reports.js'
import { CoterieError } from '../../shared/errors.js'
import type { MigrateOptions, MigrationSummary } from '../../shared/migration-shapes.js'
import type { ClusterAccess, JoinOptions } from '../access.js'
import { readLines } from '../load/lines.js'
import { errorOfJson } from './error-json.js'
import { bytesOfJson, jsonOfBytes } from './json-bytes.js'
import { findSocket } from './socket-place.js'

/** How long who listens may take to say who it is. */
const PROBE_MS = 5_000

type OnProgress = (progress: BulkProgress) => void

/** Writes that may have been done although their answer is lost. */
const WRITES: ReadonlySet<string> = new Set([
  'put',
  'delete',
  'batch',
  'join',
  'leave',
  'promote',
  'backup',
  'migrate',
  'migrate-abort',
  'crash',
  'hang',
])

export class ControlClient implements ClusterAccess {
  readonly isRemote = true
  readonly #socketPath: string
  readonly #agent = new Agent({ keepAlive: true })
  #pid = 0

  /** Undefined if nobody listens for the location. Errors: TIMEOUT if who listens does not answer; OPEN_FAILED if it is another user's. */
  static async connect(location: string): Promise<ControlClient | undefined> {
    const socketPath = await findSocket(location)
    if (socketPath === undefined) return undefined
    const client = new ControlClient(socketPath)
    try {
      const { pid } = (await answerOf(await client.#send('GET', '/v1', { timeoutMs: PROBE_MS }))) as { pid?: unknown }
      client.#pid = Number(pid)
      return client
    } catch (error) {
      await client.close()
      if (error instanceof NobodyListens) return undefined
      throw error
    }
  }

  private constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** Of the process that has the cluster open. */
  get pid(): number {
    return this.#pid
  }

  async get(key: Bytes, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    const { found, value } = (await this.#post('get', { key: json(key), ...options })) as {
      found: boolean
      value: unknown
    }
    return found ? bytes('value', value) : undefined
  }

  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<void> {
    await this.#post('put', { key: json(key), value: json(value), ...options })
  }

  async delete(key: Bytes, options: PutOptions = {}): Promise<void> {
    await this.#post('delete', { key: json(key), ...options })
  }

  async batch(operations: readonly BatchOperation[], options: BatchOptions = {}): Promise<void> {
    const plain = operations.map((operation) =>
      operation.type === 'put'
        ? { type: 'put', key: json(operation.key), value: json(operation.value) }
        : { type: 'del', key: json(operation.key) },
    )
    await this.#post('batch', { operations: plain, ...options })
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { gt, gte, lt, lte, ...others } = options
    const bounds = Object.entries({ gt, gte, lt, lte }).flatMap(([name, bound]) =>
      bound === undefined ? [] : [[name, json(bound)]],
    )
    for await (const line of this.#lines('scan', { ...others, ...Object.fromEntries(bounds) }))
      yield [bytes('key', line['key']), bytes('value', line['value'])]
  }

  locate(key: Bytes): Promise<Location> {
    return this.#post('locate', { key: json(key) }) as Promise<Location>
  }

  status(): Promise<ClusterStatus> {
    return this.#get('/status') as Promise<ClusterStatus>
  }

  ring(): Promise<PartitionOwners[]> {
    return this.#get('/ring') as Promise<PartitionOwners[]>
  }

  metrics(): Promise<ClusterMetrics> {
    return this.#get('/metrics') as Promise<ClusterMetrics>
  }

  plan(change: { join?: number; leave?: readonly string[] }): Promise<ShapePlan> {
    return this.#post('plan', change) as Promise<ShapePlan>
  }

  async join({ from, ...options }: JoinOptions, onProgress: OnProgress): Promise<string[]> {
    const members = from === undefined ? options : { ...options, from: resolve(from) }
    return (await this.#result('join', members, onProgress)) as string[]
  }

  async leave(node: string, onProgress: OnProgress): Promise<void> {
    await this.#result('leave', { node }, onProgress)
  }

  async backup(dir: string, { onProgress, ...options }: BackupOptions): Promise<BackupSummary> {
    return (await this.#result('backup', { dir: resolve(dir), ...options }, onProgress)) as BackupSummary
  }

  async migrate({ onProgress, ...options }: MigrateOptions): Promise<MigrationSummary> {
    return (await this.#result('migrate', options, onProgress)) as MigrationSummary
  }

  async abortMigration(): Promise<{ readonly cleared: boolean }> {
    return (await this.#post('migrate-abort', {})) as { readonly cleared: boolean }
  }

  async crash(node: string, permanent: boolean): Promise<void> {
    await this.#post('crash', { node, permanent })
  }

  async hang(node: string, ms: number): Promise<void> {
    await this.#post('hang', { node, ms })
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }

  async #get(path: string): Promise<unknown> {
    return answerOf(await this.#send('GET', `/v1${path}`))
  }

  async #post(name: string, members: object): Promise<unknown> {
    try {
      return await answerOf(await this.#send('POST', `/v1/${name}`, { members }))
    } catch (error) {
      throw lostAnswer(name, error)
    }
  }

  /** Of a stream: progress as it comes, then what its last line says. */
  async #result<Progress extends BulkProgress>(
    name: string,
    members: object,
    onProgress: ((progress: Progress) => void) | undefined,
  ): Promise<unknown> {
    let result: unknown
    for await (const line of this.#lines(name, members)) {
      if ('progress' in line) onProgress?.(line['progress'] as Progress)
      else if ('result' in line) result = line['result']
    }
    return result
  }

  async *#lines(name: string, members: object): AsyncGenerator<Readonly<Record<string, unknown>>> {
    try {
      const response = await this.#send('POST', `/v1/${name}`, { members })
      if (response.statusCode !== 200) await answerOf(response)
      for await (const line of readLines(response as AsyncIterable<Buffer>)) {
        const value = JSON.parse('text' in line ? line.text : '') as Readonly<Record<string, unknown>>
        if ('error' in value) throw errorOfJson(value['error'])
        yield value
      }
    } catch (error) {
      throw lostAnswer(name, error)
    }
  }

  /** `timeoutMs`: until the head of the answer is here. Errors: `NobodyListens`, `ConnectionLost`, TIMEOUT. */
  async #send(
    method: 'GET' | 'POST',
    path: string,
    { members, timeoutMs }: { readonly members?: object; readonly timeoutMs?: number } = {},
  ): Promise<IncomingMessage> {
    const body = members === undefined ? undefined : Buffer.from(JSON.stringify(members))
    const sent = request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path,
      headers: body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length },
    })
    sent.end(body)
    const silent = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
    try {
      const [response] = (await once(sent, 'response', silent === undefined ? {} : { signal: silent })) as [
        IncomingMessage,
      ]
      return response
    } catch (error) {
      if (silent?.aborted === true) {
        sent.destroy()
        const message = `the cluster's process does not answer its control socket ${this.#socketPath}; is it stopped?`
        throw new CoterieError('TIMEOUT', message, { socket: this.#socketPath })
      }
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ECONNREFUSED' || code === 'ENOENT') throw new NobodyListens(error)
      throw new ConnectionLost(error)
    }
  }
}

/** Nothing was sent. */
class NobodyListens extends CoterieError {
  constructor(cause: unknown) {
    super('CLOSED', "the cluster's process does not listen any more", {}, { cause })
  }
}

class ConnectionLost extends CoterieError {
  constructor(cause: unknown) {
    super('CLOSED', "the cluster's process ended before it answered", {}, { cause })
  }
}

function lostAnswer(name: string, error: unknown): unknown {
  const isLost = error instanceof ConnectionLost || (error as NodeJS.ErrnoException).code === 'ECONNRESET'
  if (!isLost) return error
  if (!WRITES.has(name)) return error instanceof ConnectionLost ? error : new ConnectionLost(error)
  const message = "the cluster's process ended before it answered: it may or may not have been done"
  return new CoterieError('OUTCOME_UNKNOWN', message, {}, { cause: error })
}

/** Errors: what the other side says. */
async function answerOf(response: IncomingMessage): Promise<unknown> {
  const value = JSON.parse(await text(response)) as { error?: unknown }
  if (response.statusCode !== 200) throw errorOfJson(value.error)
  return value
}

function json(value: Bytes) {
  return typeof value === 'string' ? value : jsonOfBytes(value)
}

function bytes(name: string, value: unknown): Uint8Array {
  const found = bytesOfJson(name, value)
  return typeof found === 'string' ? Buffer.from(found, 'utf8') : found
}
