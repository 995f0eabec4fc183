/** Which writes share a batch, when they are acknowledged, and what a failure does, against a LevelDB that obeys the test. */

import { test } from 'tap'
import type { StoreWrite } from '../../src/protocol/store-contract.js'
import { decodeIdentity } from '../../src/storage/entry-codec.js'
import { GroupCommit } from '../../src/storage/group-commit.js'
import { IDENTITY_KEY } from '../../src/storage/keyspace.js'
import type { Level } from '../../src/storage/open-level.js'
import { hashOf, RecordCache } from '../../src/storage/record-cache.js'
import type { WitnessFile } from '../../src/storage/witness.js'
import { NodeMarks, WriteMarks } from '../../src/storage/write-marks.js'
import { recordOf, writeOf } from '../contract/store-contract.js'

interface Held {
  done(): void
  fail(): void
}

/** A LevelDB and a witness whose every step the test ends. */
class ObedientDisk {
  readonly batches: { keys: string[]; sync: boolean; sequence: number }[] = []
  readonly witnessed: number[] = []
  readonly writes: Held[] = []
  readonly syncs: Held[] = []
  witnessIsBroken = false
  isFilled = false

  readonly level = { batch: () => this.#batch() } as unknown as Level
  readonly witness = {
    write: ({ sequence }: { sequence: number }) => {
      if (this.witnessIsBroken) throw new Error('no witness')
      this.witnessed.push(sequence)
    },
    sync: () => held(this.syncs),
  } as unknown as WitnessFile

  #batch() {
    const keys: string[] = []
    let sequence = 0
    return {
      put: (key: Buffer, value: Buffer) => {
        if (key.equals(IDENTITY_KEY)) sequence = (decodeIdentity(value) as { sequence: number }).sequence
        else keys.push(key.toString('latin1').slice(1))
      },
      del: () => undefined,
      close: async () => undefined,
      write: ({ sync }: { sync: boolean }) => {
        this.batches.push({ keys, sync, sequence })
        return held(this.writes)
      },
    }
  }
}

function held(list: Held[]): Promise<void> {
  return new Promise((resolve, reject) => list.push({ done: resolve, fail: () => reject(new Error('no space left')) }))
}

function commitOn(disk: ObedientDisk, durability: 'process' | 'disk', marks?: NodeMarks): GroupCommit {
  const identity = { storeId: '00', previousStoreId: '', sequence: 10, liveKeys: 0 }
  const { level, witness } = disk
  return new GroupCommit({
    level,
    identity,
    witness,
    durability,
    cache: new RecordCache(0),
    isFilled: () => disk.isFilled,
    marks,
  })
}

const put = (key: string, more: Partial<StoreWrite> = {}) =>
  writeOf({ [key]: recordOf(key) }, { liveKeysDelta: 1, ...more })

/** Lets everything happen that can. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Notes in `log` how each write ends. */
function follow(commit: GroupCommit, log: string[], name: string, more: Partial<StoreWrite> = {}): void {
  commit.add(put(name, more)).then(
    () => log.push(name),
    (error: { code: string; kept: string }) => log.push(`${name} ${error.code} ${error.kept}`),
  )
}

test('group commit: writes of one turn share a batch; what arrives meanwhile shares the next', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'process')
  const log: string[] = []
  for (const name of ['a', 'b']) follow(commit, log, name)
  await turn()
  for (const name of ['c', 'd', 'e']) follow(commit, log, name)
  await turn()
  t.same(disk.batches, [{ keys: ['a', 'b'], sync: false, sequence: 11 }])
  t.same([log, disk.witnessed], [[], []], 'nothing is acknowledged or witnessed while LevelDB is busy')
  disk.writes[0]?.done()
  await turn()
  t.same([log, disk.witnessed], [['a', 'b'], [11]])
  t.same(disk.batches[1], { keys: ['c', 'd', 'e'], sync: false, sequence: 12 })
  disk.writes[1]?.done()
  await commit.drain()
  t.same([log.length, commit.identity.liveKeys, commit.identity.sequence], [5, 5, 12])
})

test('group commit: under disk the ack waits for the synced witness, and LevelDB does not', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'disk')
  const log: string[] = []
  for (const name of ['a', 'b', 'c']) {
    follow(commit, log, name)
    await turn()
  }
  disk.writes[0]?.done()
  await turn()
  t.same(
    disk.batches.map(({ keys, sync }) => [keys, sync]),
    [
      [['a'], true],
      [['b', 'c'], true],
    ],
  )
  t.same(log, [])
  disk.writes[1]?.done()
  await turn()
  t.equal(disk.syncs.length, 1, 'one sync of the witness at a time')
  disk.syncs[0]?.done()
  await turn()
  t.same(log, ['a'])
  disk.syncs[1]?.done()
  await turn()
  t.same(log, ['a', 'b', 'c'])
})

test('group commit: a write that asks for a sync gets one under process, and acks stay in order', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'process')
  const log: string[] = []
  follow(commit, log, 'a', { sync: true })
  await turn()
  follow(commit, log, 'b')
  disk.writes[0]?.done()
  await turn()
  disk.writes[1]?.done()
  await turn()
  t.same(
    disk.batches.map(({ sync }) => sync),
    [true, false],
  )
  t.same(log, [], 'b does not overtake a')
  disk.syncs[0]?.done()
  await turn()
  disk.syncs[1]?.done()
  await turn()
  t.same(log, ['a', 'b'])
})

test('group commit: a failed batch refuses all of its writes, all that wait, and all to come', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'process')
  const log: string[] = []
  for (const name of ['a', 'b']) follow(commit, log, name)
  await turn()
  follow(commit, log, 'c')
  disk.writes[0]?.fail()
  await turn()
  follow(commit, log, 'd')
  await commit.drain()
  t.same(
    log,
    ['a', 'b'].map((name) => `${name} STORE_FAILED unknown`).concat('c STORE_FAILED nothing', 'd STORE_FAILED nothing'),
  )
  t.equal(disk.batches.length, 1, 'LevelDB saw nothing after the failure')
  t.match(commit.failure, { code: 'STORE_FAILED', cause: { message: 'no space left' } })
  t.equal(commit.identity.sequence, 10)
})

test('group commit: without a witness there is no ack, though LevelDB has the batch', async (t) => {
  for (const durability of ['process', 'disk'] as const) {
    const disk = new ObedientDisk()
    const commit = commitOn(disk, durability)
    const log: string[] = []
    follow(commit, log, 'a')
    await turn()
    disk.witnessIsBroken = durability === 'process'
    disk.writes[0]?.done()
    await turn()
    disk.syncs[0]?.fail()
    await commit.drain()
    t.same(log, ['a STORE_FAILED unknown'], durability)
  }
})

test('group commit: after a failed sync of the witness nothing is acknowledged, whatever LevelDB says', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'disk')
  const log: string[] = []
  follow(commit, log, 'a')
  await turn()
  disk.writes[0]?.done()
  await turn()
  follow(commit, log, 'b')
  await turn()
  disk.syncs[0]?.fail()
  await turn()
  disk.writes[1]?.done()
  await turn()
  disk.syncs[1]?.done()
  await commit.drain()
  t.same(log, ['a STORE_FAILED unknown', 'b STORE_FAILED unknown'])
})

test('group commit: a batch that has grown large takes no more', async (t) => {
  const disk = new ObedientDisk()
  const commit = commitOn(disk, 'process')
  const log: string[] = []
  for (const name of ['a', 'b', 'c', 'd']) {
    commit.add(writeOf({ [name]: recordOf('x'.repeat(3 * 1024 * 1024)) })).then(() => log.push(name), t.fail)
  }
  for (let round = 0; round < 2; round++) {
    await turn()
    disk.writes[round]?.done()
  }
  await commit.drain()
  t.same(
    disk.batches.map(({ keys }) => keys),
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  )
  t.same(log, ['a', 'b', 'c', 'd'])
})

test('group commit: a write is marked before LevelDB has it, until LevelDB has accepted it, and before anybody is told', async (t) => {
  const disk = new ObedientDisk()
  const marks = new WriteMarks()
  const commit = commitOn(disk, 'disk', new NodeMarks(marks.shared, NodeMarks.newCounts()))
  const log: string[] = []
  const atRest = (key: string) => marks.countAtRest(hashOf(key)) >= 0
  follow(commit, log, 'a')
  t.notOk(atRest('a'), 'while it gathers')
  await turn()
  t.notOk(atRest('a'), 'while LevelDB writes it: it may be read already')
  t.ok(atRest('b'))
  disk.writes[0]?.done()
  await turn()
  t.same([atRest('a'), log], [true, []], 'accepted, and not yet acknowledged')
  disk.syncs[0]?.done()
  await turn()
  t.same(log, ['a'])
  follow(commit, log, 'b')
  await turn()
  follow(commit, log, 'c')
  disk.writes[1]?.fail()
  await commit.drain()
  t.notOk(atRest('b'), 'of what failed nobody knows whether it is there')
  t.ok(atRest('c'), 'what waited behind it is not')
})
