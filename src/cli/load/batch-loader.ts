/**
 * Puts records in batches, a fixed number of batches in flight, and counts. Memory is bounded: batches in flight × (records and
 * bytes of a batch), whatever the size of the input.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { BatchOperation, Cluster } from '../../shared/api.js'
import { CoterieError, type CoterieErrorCode } from '../../shared/errors.js'
import { KEY_BYTES_MAX } from '../../shared/keys.js'
import { type BadLine, isBadLine, type SourceItem, type SourceRecord } from './source-record.js'

export interface LoaderOptions {
  readonly batchSize: number
  readonly concurrency: number
  /** Bad lines that are skipped; one more ends the load. */
  readonly badLinesMax: number
  readonly valueBytesMax: number
  readonly w: number | undefined
  readonly onBadLine: (line: BadLine) => void
  /** Stops reading; what is in flight is finished. */
  readonly signal: AbortSignal
}

/** Changes as the load goes on. */
export interface LoadProgress {
  /** Acknowledged. */
  records: number
  badLines: number
  retries: number
  /** Keys and values, acknowledged. */
  bytes: number
}

export type LoadEnd = 'done' | 'interrupted' | 'too many bad lines'

const BATCH_BYTES_MAX = 1_048_576
const ATTEMPTS_MAX = 6
const RETRY_MS = 50

/**
 * Definite failures: nothing was kept, so the batch is simply sent again. *Outcome unknown* is not here: under `siblings` a
 * second put would leave a second value. The load stops and says so; loading the file again is safe under `lww`.
 */
const RETRIED: ReadonlySet<CoterieErrorCode> = new Set([
  'OVERLOADED',
  'TIMEOUT',
  'QUORUM_UNAVAILABLE',
  'CLOCK_UNAVAILABLE',
])

interface Batch {
  readonly operations: BatchOperation[]
  bytes: number
}

/** Errors: those of the source, and of `batch` if it fails for good. */
export async function loadRecords(
  cluster: Pick<Cluster, 'batch'>,
  items: AsyncIterable<SourceItem>,
  options: LoaderOptions,
  progress: LoadProgress,
): Promise<LoadEnd> {
  const sending = new InFlight(options.concurrency)
  const send = (batch: Batch) => sending.add(putBatch(cluster, batch, options, progress))
  let end: LoadEnd = 'done'
  let batch: Batch = { operations: [], bytes: 0 }
  try {
    for await (const item of items) {
      if (options.signal.aborted) {
        end = 'interrupted'
        break
      }
      const bad = badLineOf(item, options)
      if (bad !== undefined) {
        progress.badLines += 1
        options.onBadLine(bad)
        if (progress.badLines > options.badLinesMax) {
          end = 'too many bad lines'
          break
        }
      } else if (!isBadLine(item)) {
        batch.operations.push({ type: 'put', key: item.key, value: item.value })
        batch.bytes += item.key.length + item.value.length
        if (batch.operations.length >= options.batchSize || batch.bytes >= BATCH_BYTES_MAX) {
          await send(batch)
          batch = { operations: [], bytes: 0 }
        }
      }
    }
    // What was read before the stop is put: then "the first N records are in" is a true sentence.
    if (batch.operations.length > 0) await send(batch)
  } finally {
    await sending.all()
  }
  return end
}

/** Checked here, so that one bad record does not fail its whole batch. */
function badLineOf(item: SourceItem, { valueBytesMax }: LoaderOptions): BadLine | undefined {
  if (isBadLine(item)) return item
  const problem = refuseRecord(item, valueBytesMax)
  return problem === undefined ? undefined : { line: item.line, problem }
}

function refuseRecord({ key, value }: SourceRecord, valueBytesMax: number): string | undefined {
  const keyBytes = Buffer.byteLength(key)
  return keyBytes === 0 ? 'has an empty key' : sizeProblemOf(keyBytes, Buffer.byteLength(value), valueBytesMax)
}

/** Of a record as a cluster would keep it. */
function sizeProblemOf(keyBytes: number, valueBytes: number, valueBytesMax: number): string | undefined {
  if (keyBytes > KEY_BYTES_MAX) return `has a key of ${keyBytes} bytes; at most ${KEY_BYTES_MAX} are allowed`
  if (valueBytes > valueBytesMax) return `has a value of ${valueBytes} bytes; at most ${valueBytesMax} are allowed`
  return undefined
}

async function putBatch(
  cluster: Pick<Cluster, 'batch'>,
  { operations, bytes }: Batch,
  { w }: LoaderOptions,
  progress: LoadProgress,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await cluster.batch(operations, w === undefined ? {} : { w })
      progress.records += operations.length
      progress.bytes += bytes
      return
    } catch (error) {
      if (!(error instanceof CoterieError) || !RETRIED.has(error.code) || attempt === ATTEMPTS_MAX) throw error
      progress.retries += 1
      await delay(RETRY_MS * 2 ** (attempt - 1))
    }
  }
}

/** At most `limit` promises at a time; the first that fails is reported by the next call. */
class InFlight {
  readonly #limit: number
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  async add(work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
    if (this.#running.size >= this.#limit) await Promise.race(this.#running)
    this.#throwFailure()
  }

  async all(): Promise<void> {
    await Promise.all(this.#running)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
