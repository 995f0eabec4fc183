/** A logged batch step by step: what is written when, what its caller is told, and what is done about what fails. */

import { test } from 'tap'
import { isLogKey } from '../../../src/protocol/batch-log/log-keys.js'
import { LoggedBatches, type WriteOptions } from '../../../src/protocol/batch-log/logged-batches.js'
import type { BatchGroup } from '../../../src/protocol/batch-log/split-batch.js'
import type { FailureCode } from '../../../src/protocol/failure.js'
import type { Outcome } from '../../../src/protocol/messages.js'
import { makeStamp, nextStamp, type Stamp } from '../../../src/protocol/versions/stamp.js'

interface Written extends BatchGroup, WriteOptions {
  readonly id: number
  readonly stamp: Stamp
}

const STAMP = makeStamp(1_000n, 4, 'gateway1')
const GROUPS: readonly BatchGroup[] = [
  { partition: 1, keys: ['a'], values: [new Uint8Array([1])] },
  { partition: 2, keys: ['b', 'c'], values: [null, new Uint8Array([2])] },
]
const OPTIONS: WriteOptions = { w: 2, sloppy: false, deadlineMs: 1_000 }

class Host {
  readonly replies: [number, string][] = []
  /** Under way. */
  writes: Written[] = []
  readonly batches = new LoggedBatches(
    'gateway1',
    { life: 'life', partitions: 16 },
    {
      takeId: () => this.#nextId++,
      write: (group, stamp, options) => void this.writes.push({ ...group, ...options, stamp }),
      reply: (caller, outcome) => void this.replies.push([caller, nameOf(outcome)]),
    },
  )
  nowMs = 0
  #nextId = 1

  /** Those under way end: as told, or well. */
  end(...codes: (FailureCode | undefined)[]): Written[] {
    const ended = this.writes
    this.writes = []
    ended.forEach(({ id }, place) => {
      const code = codes[place]
      this.batches.onEnd(
        id,
        code === undefined ? { type: 'written' } : { type: 'failed', failure: { code } },
        this.nowMs,
      )
    })
    return ended
  }

  get keys(): string[] {
    return this.writes.map(({ keys }) => (keys.every(isLogKey) ? 'log' : keys.join(' ')))
  }

  /** To the next attempt; nothing if there is none. */
  wait(): void {
    this.nowMs = this.batches.nextDeadlineMs()
    this.batches.onTimer(this.nowMs)
  }
}

function nameOf(outcome: Outcome): string {
  return outcome.type === 'failed' ? outcome.failure.code : outcome.type
}

test('first the log, then all parts with one stamp, then the answer, then the log is cleared', async (t) => {
  const host = new Host()
  host.batches.begin(7, STAMP, GROUPS, OPTIONS)
  t.same(host.keys, ['log'])
  t.match(host.writes, [{ stamp: STAMP, w: 0, sloppy: false }], 'to a majority, whatever w of the batch is')
  host.end()
  t.same(host.keys, ['a', 'b c'])
  t.match(host.writes, [
    { stamp: STAMP, ...OPTIONS },
    { stamp: STAMP, ...OPTIONS },
  ])
  host.end(undefined)
  t.same(host.replies, [[7, 'written']])
  t.equal(host.batches.waiting, 0)
  t.same(host.keys, ['log'])
  t.match(host.writes, [{ stamp: nextStamp(STAMP), values: [null] }], 'no other stamp lies between')
  t.equal(host.batches.lingering, 1)
  host.end()
  t.equal(host.batches.lingering, 0)
  t.equal(host.batches.bytes, 0)
  t.equal(host.batches.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('a log that is nowhere: the batch has failed, for certain, and what is there of its log is cleared', async (t) => {
  const host = new Host()
  const long = [{ partition: 1, keys: ['a'], values: [new Uint8Array(1_500_000)] }, ...GROUPS.slice(1)]
  host.batches.begin(7, STAMP, long, OPTIONS)
  t.same(host.keys, ['log', 'log'])
  host.end('QUORUM_UNAVAILABLE', undefined)
  t.same(host.replies, [[7, 'QUORUM_UNAVAILABLE']])
  t.match(host.writes, [{ values: [null] }, { values: [null] }])
  host.end()
  t.equal(host.batches.lingering, 0)
})

test('a log that may be there: nobody knows the outcome, and it is cleared until it is', async (t) => {
  const host = new Host()
  host.batches.begin(7, STAMP, GROUPS, OPTIONS)
  host.end('OUTCOME_UNKNOWN')
  t.same(host.replies, [[7, 'OUTCOME_UNKNOWN']])
  for (let attempt = 0; attempt < 5; attempt++) {
    t.same(host.keys, ['log'], 'nothing of the batch is written')
    host.end('TIMEOUT')
    host.wait()
  }
  host.end()
  t.equal(host.batches.lingering, 0)
})

test('a part that fails: its caller hears that nobody knows, and the part is written for as long as it takes', async (t) => {
  const host = new Host()
  host.batches.begin(7, STAMP, GROUPS, OPTIONS)
  host.end()
  host.end(undefined, 'TIMEOUT')
  t.same(host.replies, [[7, 'OUTCOME_UNKNOWN']])
  const waits: number[] = []
  for (let attempt = 0; attempt < 10; attempt++) {
    const beforeMs = host.nowMs
    host.wait()
    waits.push(host.nowMs - beforeMs)
    t.same(host.keys, ['b c'], 'what is written is not written again')
    t.match(host.writes, [{ stamp: STAMP, w: 2 }])
    host.end('QUORUM_UNAVAILABLE')
  }
  t.same(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
  t.ok(host.batches.isLate(host.nowMs), 'no delete may be forgotten meanwhile')
  t.equal(host.batches.lingering, 0, 'where owners are down for good, `settled` waits for nobody')
  host.batches.onChange(host.nowMs)
  t.same(host.keys, ['b c'], 'somebody has come: at once')
  host.end()
  host.end()
  t.notOk(host.batches.isLate(Number.POSITIVE_INFINITY))
  t.same(host.replies.length, 1)
})

test('slots are used again once their log is cleared, and not before', async (t) => {
  const host = new Host()
  const slotOf = () => host.writes.at(-1)?.keys[0]
  host.batches.begin(1, STAMP, GROUPS, OPTIONS)
  const first = slotOf()
  host.batches.begin(2, nextStamp(nextStamp(STAMP)), GROUPS, OPTIONS)
  t.not(slotOf(), first)
  for (let step = 0; step < 3; step++) host.end()
  host.batches.begin(3, makeStamp(2_000n, 0, 'gateway1'), GROUPS, OPTIONS)
  host.batches.begin(4, makeStamp(2_000n, 2, 'gateway1'), GROUPS, OPTIONS)
  t.ok(host.writes.some(({ keys }) => keys[0] === first))
})

test('a batch of another gateway: taken over once, written under its own stamp, and cleared', async (t) => {
  const host = new Host()
  const logKeys = ['\xff\xff\xff\xffcoterie/batch/life.gateway9/00000000/00000000']
  host.batches.adopt(STAMP, logKeys, GROUPS, 2, 0)
  host.batches.adopt(STAMP, logKeys, GROUPS, 2, 0)
  t.same(host.keys, ['a', 'b c'])
  t.ok(host.batches.isLate(0))
  host.end()
  t.match(host.writes, [{ keys: logKeys, stamp: nextStamp(STAMP) }])
  host.end()
  t.same(host.replies, [])
  host.batches.adopt(STAMP, logKeys, [], 2, 0)
  t.same(host.keys, ['log'], 'one that never was is only cleared')
})

test('closing: nothing is tried again, and the log stays', async (t) => {
  const host = new Host()
  host.batches.begin(7, STAMP, GROUPS, OPTIONS)
  host.end()
  host.batches.close()
  host.end('CLOSED', 'CLOSED')
  t.same(host.replies, [[7, 'OUTCOME_UNKNOWN']])
  t.same(host.keys, [])
  t.equal(host.batches.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})
