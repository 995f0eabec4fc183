/**
 * The partitions' data in the terms of Redis: which command, script and names a call needs. Keys and values are checked before, errors
 * are the requester's.
 */

import type { Key, PartitionId } from '../../protocol/ids.js'
import type { KeyRange } from '../../protocol/messages.js'
import type { Argument, Reply } from './connection.js'
import type { KeyNames } from './key-names.js'
import type { Requester, WriteRequest } from './requester.js'
import type { PartitionPage } from './rows.js'
import { PAGE, WRITE } from './scripts.js'

/** As a call says it: how many copies, until when (on the clock of `performance.now()`). */
export interface Reading {
  readonly r: number
  readonly deadlineMs: number
}

export interface Writing {
  readonly w: number
  readonly deadlineMs: number
}

/** What a batch does to one partition; of each key once. */
export interface Part {
  readonly partition: PartitionId
  readonly keys: readonly Key[]
  readonly values: readonly (Uint8Array | null)[]
}

/** Keys of one MGET. */
const MANY_KEYS_MAX = 1_024
const PAGE_BYTES_MAX = 65_536
/** What a command costs beside its keys and values, for the bounds in bytes. */
const COMMAND_BYTES = 128

export class RedisStore {
  readonly #names: KeyNames
  readonly #requester: Requester

  constructor(names: KeyNames, requester: Requester) {
    this.#names = names
    this.#requester = requester
  }

  async get(partition: PartitionId, key: Key, reading: Reading): Promise<Uint8Array | undefined> {
    const name = this.#names.value(partition, key)
    return bytesOf(await this.#requester.read({ ...reading, partition, command: ['GET', name] }))
  }

  /** In the order of the keys. */
  async getMany(partition: PartitionId, keys: readonly Key[], reading: Reading): Promise<(Uint8Array | undefined)[]> {
    const windows = Array.from({ length: Math.ceil(keys.length / MANY_KEYS_MAX) }, (_, window) =>
      keys.slice(window * MANY_KEYS_MAX, (window + 1) * MANY_KEYS_MAX),
    )
    const replies = await Promise.all(
      windows.map((some) => {
        const names = some.map((key) => this.#names.value(partition, key))
        const one = (name: Buffer) => this.#requester.read({ ...reading, partition, command: ['GET', name] })
        const whileMoving = () => Promise.all(names.map(one))
        return this.#requester.read({ ...reading, partition, command: ['MGET', ...names], whileMoving })
      }),
    )
    return replies.flatMap((reply) => (reply as readonly Reply[]).map(bytesOf))
  }

  async write(part: Part, writing: Writing): Promise<void> {
    await this.#requester.write(this.#writeOf(part, writing))
  }

  async page(partition: PartitionId, range: KeyRange, rows: number, reading: Reading): Promise<PartitionPage> {
    const { from, to } = boundsOf(range)
    const args: Argument[] = [
      from,
      to,
      range.reverse ? '1' : '0',
      rows,
      PAGE_BYTES_MAX,
      this.#names.valuePrefix(partition),
    ]
    const index = this.#names.index(partition)
    const reply = await this.#requester.read({
      ...reading,
      partition,
      command: ['EVALSHA_RO', PAGE.digest, 1, index, ...args],
      asText: ['EVAL_RO', PAGE.text, 1, index, ...args],
    })
    const cells = reply as readonly (Buffer | null)[]
    const next = cells.at(-1)?.toString('latin1') ?? ''
    const found = await Promise.all(
      Array.from({ length: (cells.length - 1) / 2 }, async (_, row) => {
        const key = (cells[2 * row] as Buffer).toString('latin1')
        // It is on its way to another node.
        const value = cells[2 * row + 1] ?? (await this.get(partition, key, reading))
        return value === undefined ? [] : [[key, value] as const]
      }),
    )
    return { rows: found.flat(), next: next === '' ? undefined : next }
  }

  #writeOf({ partition, keys, values }: Part, writing: Writing): WriteRequest {
    const names = keys.map((key) => this.#names.value(partition, key))
    return {
      ...writing,
      partition,
      script: WRITE,
      keys: [this.#names.index(partition), ...names],
      args: operationsOf(keys, values),
      bytes: bytesOfPart(keys, values),
    }
  }
}

/** As the scripts take them. */
export function operationsOf(keys: readonly Key[], values: readonly (Uint8Array | null)[]): Argument[] {
  return keys.flatMap((key, index) => {
    const value = values[index] ?? null
    return [Buffer.from(key, 'latin1'), value === null ? '0' : '1', value === null ? '' : asBuffer(value)]
  })
}

export function bytesOfPart(keys: readonly Key[], values: readonly (Uint8Array | null)[]): number {
  return keys.reduce((sum, key, index) => sum + 2 * key.length + (values[index]?.byteLength ?? 0), COMMAND_BYTES)
}

export function boundsOf({ from, fromExclusive, to, toExclusive }: KeyRange): { from: Buffer; to: Buffer } {
  return { from: boundOf(from, fromExclusive === true, '-'), to: boundOf(to, toExclusive === true, '+') }
}

function boundOf(key: Key | undefined, isExclusive: boolean, open: string): Buffer {
  return key === undefined ? Buffer.from(open) : Buffer.from(`${isExclusive ? '(' : '['}${key}`, 'latin1')
}

function bytesOf(reply: Reply): Uint8Array | undefined {
  return Buffer.isBuffer(reply) ? reply : undefined
}

/** A Buffer over the same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
