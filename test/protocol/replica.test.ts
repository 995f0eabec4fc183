/**
 * A replica on a memory store: what a damaged record may cost the ones around it, what a refusal says, and how live keys
 * are counted.
 */

import { test } from 'tap'
import { PURPOSE, type Purpose, REPLY, type ReplyStatus } from '../../src/protocol/messages.js'
import { MerkleForest } from '../../src/protocol/repair/merkle-forest.js'
import { Replica } from '../../src/protocol/replica.js'
import type { WriteKept } from '../../src/protocol/store-contract.js'
import { newTable } from '../../src/protocol/supervision/reassignment.js'
import { TableKeeper } from '../../src/protocol/table-keeper.js'
import { tombstoneOf, type VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp, stampTimePart } from '../../src/protocol/versions/stamp.js'
import { createMemoryDisk, MemoryStore } from '../../src/storage/memory-store.js'
import { plain } from '../storage/arbitraries.js'

const table = newTable(
  Array.from({ length: 16 }, () => ['node1', 'node2', 'node3']),
  3,
)

const record = (time: number, value: string | null = `value ${time}`): VersionRecord => ({
  kind: 'lww',
  stamp: makeStamp(BigInt(time), 0, 'gateway1'),
  value: value === null ? null : new TextEncoder().encode(value),
})

class Stored {
  readonly disk = createMemoryDisk('0123456789abcdef')
  readonly store = new MemoryStore({ disk: this.disk, partitions: 16 })
  #token = 1
  readonly replica = new Replica({
    keeper: new TableKeeper('node1', table, 1),
    store: this.store,
    partitions: 16,
    takeToken: () => this.#token++,
    forest: new MerkleForest({ partitions: 16, take: () => this.#token++, images: [] }),
    bootStamp: stampTimePart(0n),
  })
  readonly damaged: string[] = []
  refuses: WriteKept | undefined

  write(records: Readonly<Record<string, VersionRecord>>, purpose: Purpose): ReplyStatus | undefined {
    this.replica.writeLocally(this.#token++, Object.keys(records), Object.values(records), purpose)
    let status: ReplyStatus | undefined
    for (let outputs = this.replica.takeOutput(); outputs.length > 0; outputs = this.replica.takeOutput()) {
      for (const output of [...outputs]) {
        if (output.type === 'damaged') this.damaged.push(output.key)
        if (output.type === 'local') status = output.status
        if (output.type !== 'write') continue
        if (this.refuses !== undefined) this.replica.onFailed(output.token, this.refuses)
        else {
          this.store.accept(output.write)
          this.replica.onWritten(output.token)
        }
      }
    }
    return status
  }

  damage(key: string): void {
    const bytes = Uint8Array.from(this.disk.records.get(key) ?? [])
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff
    this.disk.records.set(key, bytes)
  }
}

test('an exchange: one damaged record does not keep the others from being written', async (t) => {
  const stored = new Stored()
  stored.write({ b: record(5) }, PURPOSE.write)
  stored.damage('b')
  const status = stored.write({ a: record(1), b: record(2), c: record(3) }, PURPOSE.repair)
  t.equal(status, REPLY.unknown, 'it is told')
  t.same(stored.damaged, ['b'], 'it is to be healed')
  t.equal(plain(stored.store.read(['a', 'b', 'c'])), plain([record(1), 'damaged', record(3)]))
})

test('a tombstone that is damaged is not held, and is told of when it is asked about: nobody else reads it', async (t) => {
  const stored = new Stored()
  const grave = record(5, null)
  stored.write({ a: grave, b: grave }, PURPOSE.write)
  stored.damage('b')
  const name = tombstoneOf(grave) ?? ''
  t.same(stored.replica.holding(['a', 'b', 'none'], [name, name, name]), [true, false, false])
  t.same(stored.replica.takeOutput(), [{ type: 'damaged', key: 'b' }])
})

test('a refusal of the store is told before a damaged record', async (t) => {
  const stored = new Stored()
  stored.write({ a: record(5) }, PURPOSE.write)
  stored.damage('a')
  stored.refuses = 'unknown'
  t.equal(stored.write({ a: record(6), b: record(6) }, PURPOSE.repair), REPLY.failed)
})

test('a healed record does not change the count of live keys', async (t) => {
  const stored = new Stored()
  stored.write({ a: record(1), b: record(2, null) }, PURPOSE.write)
  t.equal(stored.store.liveKeys, 1)
  for (let round = 0; round < 5; round++) {
    stored.damage('a')
    stored.damage('b')
    t.equal(stored.write({ a: record(1), b: record(2, null) }, PURPOSE.heal), REPLY.ok)
  }
  t.equal(stored.store.liveKeys, 1)
  t.equal(plain(stored.store.read(['a', 'b'])), plain([record(1), record(2, null)]))
})

test('a refused write is not nowhere while a later one on its way has its siblings', async (t) => {
  const { replica } = new Stored()
  const update = (local: number): number => {
    replica.updateLocally(local, ['k'], (current) => {
      const set = current?.kind === 'siblings' ? current.set : []
      const sibling = { stamp: makeStamp(BigInt(local), 0, 'gateway1'), value: new Uint8Array(1) }
      return { kind: 'siblings', set: [...set, { actor: `node${local}`, counter: 1, siblings: [sibling] }] }
    })
    return replica.takeOutput().find((output) => output.type === 'write')?.token ?? 0
  }
  const statusOf = () => replica.takeOutput().find((output) => output.type === 'local')?.status
  const first = update(1)
  const second = update(2)
  replica.onFailed(first, 'nothing')
  t.equal(statusOf(), REPLY.failed, 'the second has it too, and may be accepted')
  replica.onFailed(second, 'nothing')
  t.equal(statusOf(), REPLY.refused, 'nothing else is on its way')
})
