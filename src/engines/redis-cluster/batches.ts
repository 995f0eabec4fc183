/**
 * Batches over several partitions. Without a log each part is whole for itself. With one, all of them are, in the end:
 *
 * 1. The operations are put where the first part lives, with the time until which they may be carried out.
 * 2. Each part is carried out together with a mark that it was, at most once.
 * 3. The caller is told. Then the marks are given an end, and the operations are taken away.
 *
 * Whoever finds operations there whose time is over (a client that died, or whose deadline passed) carries out the parts that have no
 * mark, and goes on with 3. Two may do so at once.
 *
 * A mark outlives its batch by an hour: a part that was sent before can still arrive, and refuses itself by the time of its node. So
 * the clocks of the nodes may differ by less than that.
 */

import { randomUUID } from 'node:crypto'
import type { Key, PartitionId } from '../../protocol/ids.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { CoterieError } from '../../shared/errors.js'
import type { Reply } from './connection.js'
import type { KeyNames } from './key-names.js'
import { failure, type Requester } from './requester.js'
import { END, LOG, PART } from './scripts.js'
import { bytesOfPart, operationsOf, type Part, type RedisStore, type Writing } from './store.js'

/** How long after its caller's deadline a part may still be carried out: what the clocks of two nodes may differ by, too. */
const GRACE_MS = 60_000
const MARK_MS = 3_600_000
/** A replay has no caller whose deadline it would have. */
const REPLAY_TIMEOUT_MS = 10_000

interface BatchesOptions {
  readonly names: KeyNames
  readonly partitions: number
  readonly store: RedisStore
  readonly requester: Requester
}

interface Entry {
  readonly home: PartitionId
  readonly id: string
  /** Both by the clock of the node that it is on. */
  readonly notAfterMs: number
  readonly nowMs: number
  readonly isApplied: boolean
  readonly parts: readonly Part[]
}

export class Batches {
  readonly #options: BatchesOptions
  readonly #ending = new Set<Promise<void>>()

  constructor(options: BatchesOptions) {
    this.#options = options
  }

  /** Of a key named twice the last counts. */
  partsOf(keys: readonly Key[], values: readonly (Uint8Array | null)[]): Part[] {
    const last = new Map(keys.map((key, index) => [key, values[index] ?? null]))
    const parts = new Map<PartitionId, { keys: Key[]; values: (Uint8Array | null)[] }>()
    for (const [key, value] of last) {
      const partition = partitionOf(key, this.#options.partitions)
      const part = parts.get(partition) ?? { keys: [], values: [] }
      part.keys.push(key)
      part.values.push(value)
      parts.set(partition, part)
    }
    return [...parts].map(([partition, part]) => ({ partition, ...part }))
  }

  /** Errors: of one part that was refused while another was not, OUTCOME_UNKNOWN. */
  async write(parts: readonly Part[], writing: Writing): Promise<void> {
    const { store } = this.#options
    endOf(await Promise.allSettled(parts.map((part) => store.write(part, writing))))
  }

  async writeLogged(parts: readonly Part[], writing: Writing): Promise<void> {
    const [first] = parts
    if (first === undefined || parts.length === 1) return this.write(parts, writing)
    const id = randomUUID()
    const home = first.partition
    const notAfterMs = await this.#log({ home, id, parts }, writing)
    const ends = await Promise.allSettled(parts.map((part) => this.#apply(id, part, notAfterMs, writing)))
    // Whatever became of the parts: as a whole it will be carried out.
    if (ends.some(({ status }) => status === 'rejected')) throw unknownOf(ends)
    this.#endSoon({ home, id, notAfterMs, nowMs: 0, parts, isApplied: false })
  }

  /** Carries out what others have left. Errors: those of a request; what was done is done. */
  async replay(reading: { readonly r: number; readonly w: number }): Promise<number> {
    const { partitions } = this.#options
    const homes = Array.from({ length: partitions }, (_, partition) => this.#overdue(partition, reading.r))
    const entries = (await Promise.all(homes)).flat()
    for (const entry of entries) {
      const writing = { w: reading.w, deadlineMs: performance.now() + REPLAY_TIMEOUT_MS }
      const notAfterMs = entry.nowMs + GRACE_MS + REPLAY_TIMEOUT_MS
      if (!entry.isApplied)
        endOf(await Promise.allSettled(entry.parts.map((part) => this.#apply(entry.id, part, notAfterMs, writing))))
      await this.#end(entry, writing)
    }
    return entries.length
  }

  /** Resolves once no end is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ending)
  }

  /** Gives the time until which its parts may be carried out. */
  async #log(entry: Pick<Entry, 'home' | 'id' | 'parts'>, writing: Writing): Promise<number> {
    const { names, requester } = this.#options
    const text = textOf(entry.parts)
    const leftMs = Math.ceil(writing.deadlineMs - performance.now()) + GRACE_MS
    const reply = await requester.write({
      ...writing,
      partition: entry.home,
      script: LOG,
      keys: [names.batches(entry.home)],
      args: [entry.id, leftMs, text],
      bytes: text.length,
    })
    return Number(reply)
  }

  async #apply(id: string, { partition, keys, values }: Part, notAfterMs: number, writing: Writing): Promise<void> {
    const { names, requester } = this.#options
    const reply = await requester.write({
      ...writing,
      partition,
      script: PART,
      keys: [names.index(partition), names.done(partition, id), ...keys.map((key) => names.value(partition, key))],
      args: [notAfterMs, ...operationsOf(keys, values)],
      bytes: bytesOfPart(keys, values),
    })
    if (reply === -1) throw failure('OUTCOME_UNKNOWN', { partition, late: true })
  }

  #endSoon(entry: Entry): void {
    const ending = this.#end(entry, { w: 1, deadlineMs: performance.now() + REPLAY_TIMEOUT_MS }).catch((error) => {
      // The next replay does it.
      if (!(error instanceof CoterieError)) throw error
    })
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }

  /** First it is known that every part is done, then the marks may go, then the operations. */
  async #end({ home, id, parts, isApplied }: Entry, writing: Writing): Promise<void> {
    const { names, requester } = this.#options
    const step = (partition: PartitionId, key: Buffer, args: readonly (string | number)[]) =>
      requester.write({ ...writing, partition, script: END, keys: [key], args, bytes: key.length })
    if (!isApplied) await step(home, names.batches(home), ['applied', id])
    await Promise.all(parts.map(({ partition }) => step(partition, names.done(partition, id), ['mark', MARK_MS])))
    await step(home, names.batches(home), ['forget', id])
  }

  async #overdue(home: PartitionId, r: number): Promise<Entry[]> {
    const { names, requester } = this.#options
    const deadlineMs = performance.now() + REPLAY_TIMEOUT_MS
    const reading = { partition: home, r, deadlineMs }
    const reply = await requester.read({ ...reading, command: ['HGETALL', names.batches(home)] })
    const cells = reply as readonly Reply[]
    if (cells.length === 0) return []
    const [seconds] = (await requester.read({ ...reading, command: ['TIME'] })) as readonly Buffer[]
    const nowMs = Number(seconds) * 1_000
    return Array.from({ length: cells.length / 2 }, (_, index) =>
      entryOf(home, String(cells[2 * index]), cells[2 * index + 1] as Buffer, nowMs),
    ).filter(({ notAfterMs, nowMs }) => nowMs > notAfterMs - GRACE_MS)
  }
}

/** Keys and values may be any bytes. */
function textOf(parts: readonly Part[]): string {
  return JSON.stringify(
    parts.map(({ partition, keys, values }) => ({
      partition,
      keys: keys.map((key) => Buffer.from(key, 'latin1').toString('base64')),
      values: values.map((value) => (value === null ? null : Buffer.from(value).toString('base64'))),
    })),
  )
}

/** `<until ms>,<0 | 1: applied>,<parts>`, as LOG writes it. */
function entryOf(home: PartitionId, id: string, bytes: Buffer, nowMs: number): Entry {
  const text = bytes.toString()
  const comma = text.indexOf(',')
  const notAfterMs = Number(text.slice(0, comma))
  const parts = JSON.parse(text.slice(comma + 3)) as {
    partition: PartitionId
    keys: string[]
    values: (string | null)[]
  }[]
  return {
    home,
    id,
    notAfterMs,
    nowMs,
    isApplied: text[comma + 1] === '1',
    parts: parts.map(({ partition, keys, values }) => ({
      partition,
      keys: keys.map((key) => Buffer.from(key, 'base64').toString('latin1')),
      values: values.map((value) => (value === null ? null : Buffer.from(value, 'base64'))),
    })),
  }
}

/** One that says that it has failed has; if others have not, nobody knows what the whole is. */
function endOf(ends: readonly PromiseSettledResult<unknown>[]): void {
  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as CoterieError] : []))
  const [reason] = reasons
  if (reason === undefined) return
  const isDefinite = reasons.length === ends.length && reasons.every(({ code }) => code !== 'OUTCOME_UNKNOWN')
  throw isDefinite ? reason : unknownOf(ends)
}

function unknownOf(ends: readonly PromiseSettledResult<unknown>[]): CoterieError {
  const cause = ends.find((end) => end.status === 'rejected')?.reason as Error
  const facts = cause instanceof CoterieError ? cause.facts : {}
  return new CoterieError('OUTCOME_UNKNOWN', undefined, facts, { cause })
}
