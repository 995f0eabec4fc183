/** What is dropped of partitions that have moved away, in which order, and what is noted of it; driven by hand. */

import { test } from 'tap'
import { lostPartitions, Purge, type PurgeOutput, uncleanAtBoot } from '../../../src/protocol/handoff/purge.js'
import type { PartitionTable, Row } from '../../../src/protocol/ring/table.js'
import type { StoreScan, StoreWrite } from '../../../src/protocol/store-contract.js'
import type { VersionRecord } from '../../../src/protocol/versions/record.js'

const VALUE: VersionRecord = { kind: 'lww', stamp: '1', value: new Uint8Array(1) }
const TOMBSTONE: VersionRecord = { kind: 'lww', stamp: '2', value: null }

class Driven {
  nowMs = 0
  #token = 0
  readonly purge: Purge
  constructor(unclean: readonly number[] = []) {
    this.purge = new Purge({ unclean, take: () => ++this.#token })
  }

  /** What it asks for next; time passes until it asks for something. */
  next(): readonly PurgeOutput[] {
    this.purge.advance(this.nowMs)
    const output = this.purge.takeOutput()
    if (output.length > 0) return output
    this.nowMs = Math.max(this.nowMs, Math.min(this.purge.nextDeadlineMs(), this.nowMs + 1_000))
    this.purge.advance(this.nowMs)
    return this.purge.takeOutput()
  }

  write(): StoreWrite {
    const [token, write] = this.#writeOf(this.next())
    this.purge.onWritten(token, this.nowMs)
    return write
  }

  scan(): { readonly token: number; readonly scan: StoreScan } {
    const scan = this.next().find((output) => output.type === 'store/scan')
    if (scan?.type !== 'store/scan') throw new Error('no scan')
    return scan
  }

  /** The page is there. Returns the write that drops it. */
  page(page: Parameters<Purge['onScanned']>[1]): StoreWrite {
    this.purge.onScanned(this.scan().token, page, this.nowMs)
    const [token, write] = this.#writeOf(this.purge.takeOutput())
    this.purge.onWritten(token, this.nowMs)
    return write
  }

  #writeOf(outputs: readonly PurgeOutput[]): [number, StoreWrite] {
    const write = outputs.find((output) => output.type === 'store/write')
    if (write?.type !== 'store/write') throw new Error('no write')
    return [write.token, write.write]
  }
}

test('purge: looks once all that was given to the store before is there, and drops page by page', async (t) => {
  const driven = new Driven([3, 7])
  t.ok(driven.purge.isUnclean(7))
  t.same(driven.write(), { keys: [], records: [], liveKeysDelta: 0, meta: { unclean: '[3,7]' } })
  const first = driven.page({ keys: ['a', 'b'], records: [VALUE, TOMBSTONE], next: 'b' })
  t.same(first, { keys: [], records: [], keysDropped: ['a', 'b'], liveKeysDelta: -1 })
  t.ok(driven.purge.isUnclean(3), 'not before the last page')
  const { token, scan } = driven.scan()
  t.match(scan, { partitions: [3, 7], range: { from: 'b', fromExclusive: true } })
  driven.purge.onScanned(token, { keys: ['c'], records: ['damaged'] }, driven.nowMs)
  const last = driven.purge.takeOutput().find((output) => output.type === 'store/write')
  t.match(last, { write: { keysDropped: ['c'], liveKeysDelta: -1, meta: { unclean: '[]' } } })
  t.ok(driven.purge.isUnclean(3), 'not before the store has accepted it')
  driven.purge.onWritten(last?.type === 'store/write' ? last.token : 0, driven.nowMs)
  t.equal(driven.purge.remaining, 0)
  t.equal(driven.purge.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('purge: rests between two pages, four times as long as the last one took', async (t) => {
  const driven = new Driven([3])
  driven.write()
  const { token } = driven.scan()
  const beganMs = driven.nowMs
  driven.nowMs += 10
  driven.purge.onScanned(token, { keys: ['a'], records: [VALUE], next: 'b' }, driven.nowMs)
  const write = driven.purge.takeOutput().find((output) => output.type === 'store/write')
  driven.nowMs += 5
  driven.purge.onWritten(write?.type === 'store/write' ? write.token : 0, driven.nowMs)
  t.equal(driven.purge.nextDeadlineMs() - beganMs, 15 + 4 * 15)
})

test('purge: what is lost in the middle of a pass has a pass of its own', async (t) => {
  const driven = new Driven([3])
  driven.write()
  driven.purge.onLost([9])
  t.same(driven.page({ keys: [], records: [] }).meta, { unclean: '[9]' })
  t.same([driven.purge.isUnclean(3), driven.purge.isUnclean(9)], [false, true])
  driven.write()
  t.same(driven.scan().scan.partitions, [9])
})

test('purge: a store that refuses is asked for nothing more', async (t) => {
  const driven = new Driven([3])
  const [output] = driven.next()
  t.ok(driven.purge.onFailed(output?.type === 'store/write' ? output.token : 0))
  t.equal(driven.purge.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  t.ok(driven.purge.isUnclean(3))
})

function tableOf(...rows: readonly Partial<Row>[]): PartitionTable {
  const empty = { epoch: 1, owners: [], pending: [], standbys: [], lost: false }
  return { epoch: 1, n: 2, rows: rows.map((row) => ({ ...empty, ...row })) }
}

test('lost: what a node was something to and is nothing to; and what it is filled with anew', async (t) => {
  const before = tableOf(
    { owners: ['a', 'b'] },
    { owners: ['b', 'c'], pending: ['a', null] },
    { owners: ['a', 'b'] },
    {},
  )
  const after = tableOf(
    { owners: ['b', 'c'] },
    { owners: ['b', 'c'] },
    { owners: ['b', 'c'], pending: ['a', null] },
    { owners: ['a', 'b'] },
  )
  t.same(lostPartitions(before, after, 'a'), [0, 1, 2])
  const meta = { table: JSON.stringify(before), unclean: '[5]' }
  t.same(uncleanAtBoot(meta, after, 'a'), [5, 0, 1, 2])
  t.same(uncleanAtBoot({}, after, 'a'), [], 'a store that has never had a table holds nothing')
})

test('purge: what was noted behind its last drop is noted anew: the next life must not drop what has come back since', async (t) => {
  const purge = new Purge({ unclean: [3], take: () => 1 })
  const write = () => purge.takeOutput().find((output) => output.type === 'store/write')
  purge.advance(0)
  t.same(write()?.write.meta, { unclean: '[3]' })
  purge.onWritten(1, 0)
  purge.advance(10)
  purge.takeOutput()
  purge.onScanned(1, { keys: ['k'], records: [VALUE] }, 10)
  t.same(write()?.write.meta, { unclean: '[]' }, 'on its way')
  t.equal(purge.noteBeside([7]), '[3,7]', 'a table goes into the store behind it')
  purge.onLost([7])
  purge.onWritten(1, 10)
  t.same(write()?.write.meta, { unclean: '[7]' })
})

test('purge: the last drop of a pass keeps what a table has noted that went into the store before it', async (t) => {
  const driven = new Driven([3])
  driven.write()
  t.equal(driven.purge.noteBeside([7]), '[3,7]')
  t.same(driven.page({ keys: ['k'], records: [VALUE] }).meta, { unclean: '[7]' }, 'a crash must not forget it')
  driven.purge.onLost([7])
  t.ok(driven.purge.isUnclean(7))
})

test('purge: a table that replaces another before it was acted on takes its note back', async (t) => {
  const { purge } = new Driven()
  t.equal(purge.noteBeside([]), undefined, 'nothing is to be noted')
  t.equal(purge.noteBeside([5]), '[5]')
  t.equal(purge.noteBeside([]), '[]', 'it is ours again: the next life must not drop it')
  purge.onLost([])
  t.notOk(purge.isUnclean(5))
})
