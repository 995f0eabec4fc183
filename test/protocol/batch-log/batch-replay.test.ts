/** What is read of a log, and what is made of it. */

import { test } from 'tap'
import { BatchReplay } from '../../../src/protocol/batch-log/batch-replay.js'
import { encodeEntry } from '../../../src/protocol/batch-log/log-codec.js'
import { chunkKey, logOwner, slotKey } from '../../../src/protocol/batch-log/log-keys.js'
import type { OperationOutcome } from '../../../src/protocol/coordinator/request.js'
import type { VersionRecord } from '../../../src/protocol/versions/record.js'
import { makeStamp, type Stamp } from '../../../src/protocol/versions/stamp.js'

type Chunk = readonly [key: string, record: VersionRecord]

const ENTRY = { keys: ['a', 'b'], values: [new Uint8Array(1_500_000), null] }
const [ONE, TWO, THREE] = [1n, 2n, 3n].map((timeNs) => makeStamp(timeNs, 0, 'gateway9')) as [Stamp, Stamp, Stamp]

/** Chunks of a batch in the log of a gateway. */
function logged(gateway: string, slot: number, stamp: Stamp): Chunk[] {
  const log = slotKey(logOwner('life', gateway), slot)
  return encodeEntry(ENTRY).map((value, index) => [chunkKey(log, index), { kind: 'lww', stamp, value }])
}

class Log {
  readonly found: string[] = []
  /** Where the pages that were asked for begin. */
  readonly asked: (string | undefined)[] = []
  readonly replay = new BatchReplay(
    (after) => this.asked.push(after),
    (stamp, logKeys, entry) =>
      this.found.push(
        `${Number.parseInt(stamp, 16)} ${logKeys.length} ${entry === undefined ? 'not whole' : entry.keys.join(' ')}`,
      ),
  )

  page(chunks: readonly Chunk[], next?: string, nowMs = 0): void {
    const page = { keys: chunks.map(([key]) => key), records: chunks.map(([, record]) => record) }
    this.say({ type: 'page', page: next === undefined ? page : { ...page, next } }, nowMs)
  }

  say(outcome: OperationOutcome, nowMs = 0): void {
    this.replay.onPage(outcome, nowMs)
  }
}

test('of the dead, whole batches and what is left of others; of the living nothing', async (t) => {
  const log = new Log()
  log.replay.start({ living: [logOwner('life', 'gateway1')], forgottenBefore: '' }, 0)
  const broken = logged('gateway3', 0, TWO).slice(1)
  log.page([...logged('gateway1', 0, ONE), ...logged('gateway2', 0, ONE), ...broken, ...logged('gateway3', 1, THREE)])
  t.same(log.found, ['1 2 a b', '2 1 not whole', '3 2 a b'])
  t.notOk(log.replay.isUnderWay)
})

test('a batch may lie across two pages', async (t) => {
  const log = new Log()
  log.replay.start({ living: [], forgottenBefore: '' }, 0)
  const chunks = logged('gateway2', 0, ONE)
  log.page(chunks.slice(0, 1), chunks[0]?.[0])
  t.same(log.found, [])
  t.same(log.asked, [undefined, chunks[0]?.[0]])
  log.page(chunks.slice(1))
  t.same(log.found, ['1 2 a b'])
})

test('chunks of two batches in one slot are not taken for one', async (t) => {
  const log = new Log()
  log.replay.start({ living: [], forgottenBefore: '' }, 0)
  const [[first], [, second]] = [logged('gateway2', 0, ONE), logged('gateway2', 0, TWO)]
  log.page([first as Chunk, second as Chunk])
  t.same(log.found, ['1 1 not whole', '2 1 not whole'])
})

test('what this version did not write stays where it is', async (t) => {
  const log = new Log()
  log.replay.start({ living: [], forgottenBefore: THREE }, 0)
  const [key] = logged('gateway2', 0, ONE)[0] as Chunk
  log.page([
    [key, { kind: 'lww', stamp: ONE, value: new Uint8Array([2, 0, 0, 0, 1]) }],
    ...logged('gateway3', 0, THREE),
  ])
  t.same(log.found, ['3 2 a b'])
})

test('from when deletes may be forgotten: it did not begin', async (t) => {
  const log = new Log()
  log.replay.start({ living: [], forgottenBefore: TWO }, 0)
  log.page([...logged('gateway2', 0, ONE), ...logged('gateway2', 1, TWO)])
  t.same(log.found, ['1 2 not whole', '2 2 a b'])
})

test('a page that fails is asked for again, from the beginning, after pauses that grow, or when somebody has come', async (t) => {
  const log = new Log()
  log.replay.start({ living: [], forgottenBefore: '' }, 0)
  log.page(logged('gateway2', 0, ONE).slice(0, 1), 'x')
  log.say({ type: 'failed', failure: { code: 'TIMEOUT' } })
  t.equal(log.replay.nextDeadlineMs, 100)
  t.ok(log.replay.isAwaited)
  log.replay.onChange(10)
  t.equal(log.asked.length, 2, 'not for want of owners')
  log.replay.onTimer(100)
  log.say({ type: 'failed', failure: { code: 'QUORUM_UNAVAILABLE' } }, 100)
  t.equal(log.replay.nextDeadlineMs, 300)
  t.notOk(log.replay.isAwaited, 'nobody waits for what only a person can end')
  t.ok(log.replay.isUnderWay)
  log.replay.onChange(150)
  t.same(log.asked, [undefined, 'x', undefined, undefined])
  log.page(logged('gateway2', 0, ONE))
  t.same(log.found, ['1 2 a b'])
})

test('asked for again while it is under way: once more, for whoever has died meanwhile', async (t) => {
  const log = new Log()
  log.replay.start({ living: [logOwner('life', 'gateway2')], forgottenBefore: '' }, 0)
  log.replay.start({ living: [], forgottenBefore: '' }, 0)
  log.page([])
  t.equal(log.asked.length, 2)
  log.page(logged('gateway2', 0, ONE))
  t.same(log.found, ['1 2 a b'])
  t.notOk(log.replay.isUnderWay)
})
