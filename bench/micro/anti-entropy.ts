/**
 * `npm run bench:anti-entropy`: what it takes to find and mend the differences between two replicas. Two protocol cores, each on a
 * LevelDB of its own, in one thread; every message between them is serialized to be measured. Writes a table.
 *
 * --keys N       (default 1,000,000)
 * --out FOLDER   (default bench/results)
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { QUEUE_LIMITS } from '../../src/protocol/config.js'
import { DynamoNode } from '../../src/protocol/dynamo-node.js'
import type { NodeEffect } from '../../src/protocol/effects.js'
import type { NodeEvent } from '../../src/protocol/events.js'
import type { Key } from '../../src/protocol/ids.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'
import type { Message } from '../../src/protocol/messages.js'
import { newTable } from '../../src/protocol/supervision/reassignment.js'
import { sameVersion, type VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.js'
import { argument, machineLine, makeChance } from '../harness.js'

const KEYS = Number(argument('keys') ?? 1_000_000)
const VALUE_BYTES = 100
const PARTITIONS = 128
const BATCH = 1_000
const DIFFERENCES = [0, 10, 1_000, 100_000].filter((count) => count <= KEYS / 10)
const TIMEOUT_MS = 600_000
const START_NS = 1_700_000_000_000_000_000n

const config = {
  partitions: PARTITIONS,
  ...{
    n: 2,
    r: 1,
    w: 2,
    wFill: 2,
    conflict: 'lww' as const,
    sharedClock: true,
    avoidAfterMs: 50,
    hedgeBudgetPercent: 5,
  },
  ...{
    hintWindowMs: 0,
    hintBytesMax: 0,
    transferBytesPerSecond: 1e9,
    transfersMax: 2,
    antiEntropyIntervalMs: 0,
    tombstoneGraceMs: 0,
    queues: QUEUE_LIMITS,
  },
  membership: MEMBERSHIP_DEFAULTS,
} as const
const table = newTable(
  Array.from({ length: PARTITIONS }, () => ['node1', 'node2']),
  2,
)

const keyOf = (index: number): Key => `user:${String(index).padStart(10, '0')}`
const recordOf = (time: number): VersionRecord => ({
  kind: 'lww',
  stamp: makeStamp(START_NS + BigInt(time), 0, 'gateway1-0123456789abcdef'),
  value: Buffer.alloc(VALUE_BYTES, time % 251),
})

/** A core on its store, as a node's thread runs it, without the thread. */
class Replica {
  readonly id: string
  readonly store: LevelStore
  core: DynamoNode | undefined
  readonly #post: (from: string, to: string, message: Message) => void
  #timer: NodeJS.Timeout | undefined

  constructor(id: string, store: LevelStore, post: (from: string, to: string, message: Message) => void) {
    this.id = id
    this.store = store
    this.#post = post
  }

  boot(incarnation: number): void {
    const identity = { self: this.id, incarnation, actor: `${this.id}-a`, seed: 1, salvage: false }
    const other = this.id === 'node1' ? 'node2' : 'node1'
    const now = { bootTimeNs: START_NS * 2n, nowMs: performance.now() }
    const boot = { table, activeEpoch: 1, hints: [] }
    this.core = new DynamoNode({ identity, config, store: this.store, ...boot, meta: {}, ...now })
    this.handle({ type: 'node/boot', storedEpoch: 1, peers: [{ node: other, incarnation, status: 'up' }], ...boot })
  }

  handle(event: NodeEvent): void {
    const { core } = this
    if (core === undefined) return
    for (const effect of core.step(event, performance.now())) this.#carryOut(effect)
    clearTimeout(this.#timer)
    const dueMs = core.nextDeadlineMs() - performance.now()
    if (Number.isFinite(dueMs)) this.#timer = setTimeout(() => this.handle({ type: 'timer' }), Math.max(0, dueMs))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.core = undefined
  }

  #carryOut(effect: NodeEffect): void {
    if (effect.type === 'send') this.#post(this.id, effect.to, effect.message)
    else if (effect.type === 'store/write')
      void this.store.write(effect.write).then(() => this.handle({ type: 'store/written', token: effect.token }))
    else if (effect.type === 'store/scan')
      void this.store
        .scan(effect.scan)
        .then((page) => this.handle({ type: 'store/scan-done', token: effect.token, page }))
  }
}

interface Measured {
  messages: number
  bytes: number
  isDone: boolean
}

const folder = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
const lines: string[] = []
try {
  const measured: Measured = { messages: 0, bytes: 0, isDone: false }
  let incarnation = 1
  const replicas = new Map<string, Replica>()
  const post = (from: string, to: string, message: Message): void => {
    if (message.type === 'exchange/done') measured.isDone = true
    if (to === 'supervisor') return
    // Gossip and heartbeats are there anyway.
    if (message.type.startsWith('exchange/') || message.type.startsWith('replica/')) {
      measured.messages += 1
      measured.bytes += serialize(message).byteLength
    }
    setImmediate(() => replicas.get(to)?.handle({ type: 'message', from, incarnation, message }))
  }
  for (const id of ['node1', 'node2']) replicas.set(id, new Replica(id, await openStore(id), post))
  for (const { store } of replicas.values()) await load(store)
  const dataBytes = KEYS * (keyOf(0).length + serialize(recordOf(0)).byteLength)
  const chance = makeChance(1)
  for (const differing of DIFFERENCES) {
    const wanted = new Set<number>()
    while (wanted.size < differing) wanted.add(Math.floor(chance() * KEYS))
    // A third is lost on one side, a third is newer there, a third is newer on the other.
    const [one, other] = [...replicas.values()].map(({ store }) => store) as [LevelStore, LevelStore]
    await change(
      one,
      [...wanted].filter((index) => index % 3 !== 0),
      incarnation,
    )
    await change(
      other,
      [...wanted].filter((index) => index % 3 === 0),
      incarnation,
    )

    const beganMs = performance.now()
    for (const replica of replicas.values()) replica.boot(incarnation)
    await until(() => [...replicas.values()].every(({ core }) => core?.trees() !== undefined))
    const rebuiltMs = performance.now() - beganMs
    Object.assign(measured, { messages: 0, bytes: 0, isDone: false })
    const startMs = performance.now()
    const processor = process.cpuUsage()
    replicas.get('node1')?.handle({
      ...{ type: 'message', from: 'supervisor', incarnation },
      message: { type: 'exchange/start', peers: ['node2'] },
    })
    await until(() => measured.isDone)
    const tookMs = performance.now() - startMs
    const { user, system } = process.cpuUsage(processor)
    for (const replica of replicas.values()) replica.stop()
    const left = await countUnequal(one, other)
    const share = (100 * measured.bytes) / dataBytes
    const cells = [
      differing.toLocaleString('en'),
      left.toLocaleString('en'),
      measured.messages.toLocaleString('en'),
      `${(measured.bytes / 1_024).toLocaleString('en', { maximumFractionDigits: 0 })} KiB`,
      `${share.toFixed(share < 1 ? 3 : 1)} %`,
      `${(tookMs / 1_000).toFixed(1)} s`,
      `${((user + system) / 1e6).toFixed(1)} s`,
      `${(rebuiltMs / 1_000).toFixed(1)} s`,
    ]
    lines.push(`| ${cells.join(' | ')} |`)
    console.log(lines.at(-1))
    incarnation += 1
  }
  for (const { store } of replicas.values()) await store.close()
  await report(dataBytes)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function openStore(id: string): Promise<LevelStore> {
  const common = { cacheBytes: 32 << 20, recordCacheBytes: 0, openFilesMax: 200, writeBufferBytes: 4 << 20 }
  const { store } = await openLevelStore({
    ...common,
    ...{ folder: join(folder, id), witnessFile: join(folder, `${id}.witness`), partitions: PARTITIONS },
    ...{ durability: 'process', files: 'absent', expected: 'fresh', lockWaitMs: 0 },
  })
  return store
}

async function load(store: LevelStore): Promise<void> {
  for (let from = 0; from < KEYS; from += BATCH) {
    const indexes = Array.from({ length: Math.min(BATCH, KEYS - from) }, (_, offset) => from + offset)
    await store.write({ keys: indexes.map(keyOf), records: indexes.map(recordOf), liveKeysDelta: indexes.length })
  }
}

/** Every other one is lost, the others are newer than the peer's. */
async function change(store: LevelStore, indexes: readonly number[], round: number): Promise<void> {
  for (let from = 0; from < indexes.length; from += BATCH) {
    const part = indexes.slice(from, from + BATCH)
    const newer = part.filter((index) => index % 2 === 0)
    const keysDropped = part.filter((index) => index % 2 === 1).map(keyOf)
    const records = newer.map((index) => recordOf(KEYS * round + index))
    await store.write({ keys: newer.map(keyOf), records, keysDropped, liveKeysDelta: 0 })
  }
}

async function countUnequal(one: LevelStore, other: LevelStore): Promise<number> {
  let unequal = 0
  for (let from = 0; from < KEYS; from += BATCH) {
    const keys = Array.from({ length: Math.min(BATCH, KEYS - from) }, (_, offset) => keyOf(from + offset))
    const theirs = other.read(keys)
    one.read(keys).forEach((record, place) => {
      const there = theirs[place]
      if (record === 'damaged' || there === 'damaged' || !sameVersion(record, there)) unequal += 1
    })
    await delay(0)
  }
  return unequal
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`not within ${TIMEOUT_MS} ms: ${isSo}`)
    await delay(5)
  }
}

async function report(dataBytes: number): Promise<void> {
  const page = `# What anti-entropy costs

Two replicas of ${KEYS.toLocaleString('en')} keys (values of ${VALUE_BYTES} bytes, ${(dataBytes / 1e6).toFixed(0)} MB as messages), ${PARTITIONS} partitions, Merkle trees of 4,096 leaves
each. Of the keys that differ, a third is lost on one side, the others are newer on one side or the other. Made by \`npm run bench:anti-entropy\`
on ${machineLine()}.

| keys that differ | left after it | messages | bytes of all messages | share of the data | time | processor time of both | trees built anew |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}

Equal replicas exchange two messages and read nothing. Otherwise one pass over both stores finds the keys of the leaves that differ: time
is that of the pass, of which four fifths are pauses, so that the front is not hurt. No index says which keys belong to a leaf: it would cost every
write a second entry, and the pass costs a read of the store once in a while.
`
  const out = argument('out') ?? 'bench/results'
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'anti-entropy.md'), page)
  console.log(page)
}
