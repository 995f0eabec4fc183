/** When tombstones are forgotten, and what speaks against it: a reaper driven by hand. */

import { test } from 'tap'
import type { Message } from '../../../src/protocol/messages.js'
import { Reaper, type ReaperOutput, type ReaperView } from '../../../src/protocol/repair/reaper.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'
import { makeStamp } from '../../../src/protocol/versions/stamp.js'

const GRACE_MS = 1_000
const NODES = ['node1', 'node2', 'node3', 'node4']
const table = newTable(
  Array.from({ length: 16 }, () => ['node1', 'node2', 'node3']),
  3,
)
const stampOf = (ms: number): string => makeStamp(BigInt(ms) * 1_000_000n, 0, 'gateway1')
const tombstone = { kind: 'lww', stamp: stampOf(1), value: null } as const

/** node1 sees to key k of partition 0; the test answers for the store and for the others. */
class Driven {
  nowMs = 10_000
  /** So long before the order it was noted that there would be one. */
  notedEarlierMs = 0
  holds = true
  hinted = new Set<number>()
  readonly outputs: ReaperOutput[] = []
  #token = 1
  readonly reaper = new Reaper({
    self: 'node1',
    graceMs: GRACE_MS,
    take: () => this.#token++,
    clockNs: (nowMs) => BigInt(Math.floor(nowMs)) * 1_000_000n,
  })
  readonly view: ReaperView = {
    table,
    holding: (keys) => keys.map(() => this.holds),
    hinted: () => this.hinted,
  }

  sent<Type extends Message['type']>(type: Type): (Message & { type: Type })[] {
    return this.outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === type ? [output.message as Message & { type: Type }] : [],
    )
  }

  /** One pass, in which the others agree to these places. Returns the stamp below which it looked. */
  pass(places: readonly number[] = [0], silent: readonly string[] = []): string | undefined {
    const before = stampOf(this.nowMs - GRACE_MS - this.notedEarlierMs).slice(0, 16)
    this.reaper.onStart({ type: 'reap/start', nodes: NODES, before }, this.nowMs)
    this.#advance()
    const scan = this.outputs.findLast((output) => output.type === 'scan')
    if (scan?.type !== 'scan') return undefined
    const page = { keys: ['k'], records: [tombstone] }
    this.reaper.onScanned(scan.token, page, this.view, () => 0, this.nowMs)
    this.#advance()
    const [asked] = this.sent('reap/ask').slice(-1)
    if (asked === undefined) return scan.scan.tombstonesBefore
    for (const node of NODES) {
      const held = { type: 'reap/held' as const, replyTo: asked.id, places }
      if (!silent.includes(node)) this.reaper.onHeld(node, held, this.view, this.nowMs)
    }
    while (this.reaper.nextDeadlineMs() < Number.POSITIVE_INFINITY) {
      this.nowMs = Math.max(this.nowMs, this.reaper.nextDeadlineMs())
      this.#advance()
    }
    return scan.scan.tombstonesBefore
  }

  #advance(): void {
    this.reaper.advance(this.view, this.nowMs)
    this.outputs.push(...this.reaper.takeOutput())
  }

  /** What node1 says when it is asked itself; undefined: nothing yet. */
  answer(rowEpoch = 1): readonly number[] | undefined {
    const ask = { type: 'reap/ask' as const, id: 77, epoch: 0, keys: ['k'], tombstones: [tombstone.stamp] }
    this.outputs.length = 0
    this.reaper.onAsk('node2', { ...ask, partitions: [0], rowEpochs: [rowEpoch] }, this.view)
    this.#advance()
    const write = this.outputs.find((output) => output.type === 'write')
    if (write?.type !== 'write' || this.sent('reap/held').length > 0) return undefined
    this.reaper.onWritten(write.token)
    this.#advance()
    return this.sent('reap/held')[0]?.places
  }
}

test('a tombstone is forgotten after everybody has agreed twice, a grace apart', async (t) => {
  const driven = new Driven()
  t.equal(driven.pass(), stampOf(9_000).slice(0, 16), 'only what is older than the grace is looked at')
  t.equal(driven.sent('reap/ask').length, 4, 'whoever owns nothing of it may keep a hint')
  driven.nowMs += GRACE_MS / 2
  driven.pass()
  t.same(driven.sent('reap/drop'), [])
  driven.nowMs += GRACE_MS
  driven.pass()
  t.equal(driven.sent('reap/drop').length, 3)
  t.match(driven.sent('reap/drop')[0], { keys: ['k'], tombstones: [tombstone.stamp], partitions: [0], rowEpochs: [1] })
})

test('nothing is forgotten that everybody held only after the time that was noted: a backup of that time may not have it', async (t) => {
  const driven = new Driven()
  driven.pass()
  driven.nowMs += 1.5 * GRACE_MS
  driven.notedEarlierMs = GRACE_MS
  const noted = stampOf(driven.nowMs - 2 * GRACE_MS).slice(0, 16)
  t.equal(driven.pass(), noted, 'nor looked at')
  t.same(driven.sent('reap/drop'), [])
  driven.notedEarlierMs = 0
  driven.pass()
  t.equal(driven.sent('reap/drop').length, 3)
})

test('one who does not agree, or does not answer, keeps it; then everybody must agree twice again', async (t) => {
  for (const spoil of [(d: Driven) => d.pass([]), (d: Driven) => d.pass([0], ['node4'])]) {
    const driven = new Driven()
    driven.pass()
    driven.nowMs += 2 * GRACE_MS
    spoil(driven)
    t.same(driven.sent('reap/drop'), [])
  }
  const driven = new Driven()
  driven.pass()
  driven.nowMs += 2 * GRACE_MS
  driven.pass([])
  driven.nowMs += 2 * GRACE_MS
  driven.pass()
  t.same(driven.sent('reap/drop'), [], 'the first time, again')
})

test('who is asked agrees once what it holds is on the disk, and not where it lacks it, keeps a hint or goes by another row', async (t) => {
  const driven = new Driven()
  t.same(driven.answer(), [0])
  t.same(driven.answer(2), [])
  driven.hinted.add(0)
  t.same(driven.answer(), [])
  driven.hinted.clear()
  driven.holds = false
  t.same(driven.answer(), [])
})

test('an order to forget is obeyed only under the row that it was given for; a write that is over leaves no hint', async (t) => {
  const driven = new Driven()
  const drop = { type: 'reap/drop' as const, keys: ['k'], tombstones: [tombstone.stamp], partitions: [0] }
  driven.reaper.onDrop({ ...drop, rowEpochs: [2] }, driven.view)
  t.same(driven.reaper.takeOutput(), [])
  driven.reaper.onDrop({ ...drop, rowEpochs: [1] }, driven.view)
  t.match(driven.reaper.takeOutput(), [{ type: 'reap', keys: ['k'] }])
  t.ok(driven.reaper.isTooOld(stampOf(8_999), 10_000))
  t.notOk(driven.reaper.isTooOld(stampOf(9_001), 10_000))
})

test('what was agreed upon once and never asked about again takes no room for ever', async (t) => {
  const driven = new Driven()
  driven.pass()
  driven.nowMs += 5 * GRACE_MS
  driven.pass()
  t.same(driven.sent('reap/drop'), [], 'the first time, again')
})
