/** A migration that pauses, is aborted, closed or finished while something else happens: with a real file, and a target that is away. */

import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { finish } from '../../src/migration/finish.js'
import { ClusterMigration } from '../../src/migration/migration.js'
import type { MigrationOptions } from '../../src/migration/migration-parts.js'
import { Progress } from '../../src/migration/progress.js'
import { CoterieError } from '../../src/shared/errors.js'
import type { MigrationOrder } from '../../src/shared/migration-order.js'
import type { MigrationStage, MigrationStatus } from '../../src/shared/migration-shapes.js'
import { MigrationFile } from '../../src/storage/migration-file.js'
import { folderForTest, outcomeOf, type TestContext, until } from '../support/cluster.js'

const TO = { engine: 'redis-cluster', seeds: ['redis://127.0.0.1:1'] } as const
const RECORD = { id: 'one', to: TO, startedAt: new Date(0).toISOString() }

test('migration: a pause that the disk refuses is taken again, and ends nothing', async (t) => {
  const { folder, migration, unwritten, told, orders, file } = await away(t, 'backfill')
  await rename(folder, `${folder}.away`)
  t.equal(await outcomeOf(migration.migrate({ pauseAfterMs: 100 })), 'MIGRATION_STOPPED')
  await until(() => unwritten.length > 0)
  t.equal(orders.at(-1)?.mode, 'both', 'not here alone before it is written down')
  await rename(`${folder}.away`, folder)
  await until(() => told.some(({ paused }) => paused))
  t.match(file.record, { isPaused: true, stage: 'backfill' })
  t.equal(orders.at(-1)?.mode, 'local')
})

test('migration: an abort in the middle of a pause comes after it', async (t) => {
  const { migration, told, file, during } = await away(t, 'backfill')
  let aborted: Promise<string> | undefined
  during.local = async () => {
    if (aborted !== undefined) return
    aborted = outcomeOf(migration.abort())
    // Turns enough for one that does not wait to take the record away.
    for (let turn = 0; turn < 20; turn++) await nextTurn()
  }
  t.equal(await outcomeOf(migration.migrate({ pauseAfterMs: 100 })), 'MIGRATION_STOPPED')
  await until(() => aborted !== undefined)
  t.equal(await aborted, 'ok')
  t.same(
    told.map(({ stage, paused }) => `${stage} ${paused}`),
    ['backfill true', 'aborted true'],
  )
  t.equal(file.record, undefined)
})

test('migration: a second target is refused before the first is written down; closing ends what hangs', async (t) => {
  const { migration, during, closed } = await away(t, undefined)
  let go = (): void => undefined
  during.open = () => new Promise((resolve) => (go = resolve))
  const first = outcomeOf(migration.migrate({ to: TO }))
  const other = { ...TO, name: 'other' }
  t.equal(await outcomeOf(migration.migrate({ to: other })), 'MIGRATION_UNDER_WAY')
  during.claim = () => new Promise((_, reject) => (during.close = () => reject(new CoterieError('CLOSED'))))
  delete during.open
  go()
  await until(() => during.close !== undefined)
  closed.now = true
  await migration.close()
  t.equal(await first, 'CLOSED')
})

test('migration: its end is written again until it is written', async (t) => {
  const location = await folderForTest(t)
  const folder = join(location, 'cluster')
  const file = await fileAt(location, 'cutover')
  await rename(folder, `${folder}.away`)
  const orders: Partial<MigrationOrder>[] = []
  const unwritten: Error[] = []
  const done: string[] = []
  await finish({
    file,
    seat: { target: undefined },
    orders: { give: async (order) => orders.push(order) > 0 },
    check: () => undefined,
    onDone: ({ stage }) => done.push(stage),
    onUnwritten: (error) => {
      unwritten.push(error)
      void rename(`${folder}.away`, folder)
    },
  })
  t.equal(unwritten.length, 1)
  t.same(done, ['done'])
  t.same(orders, [{ mode: 'target' }, { holdsWrites: false }])
  t.equal((await MigrationFile.open(location)).record?.stage, 'done')
})

test('migration: its end that was written once is an end, though its spare could not be', async (t) => {
  const orders: Partial<MigrationOrder>[] = []
  const record = { ...RECORD, stage: 'cutover' as MigrationStage }
  const file = {
    record,
    become: async (stage: MigrationStage) => {
      record.stage = stage
      throw new Error('no room for the spare')
    },
  } as unknown as MigrationFile
  const how = { seat: { target: undefined }, check: () => undefined, onDone: () => undefined }
  const unwritten: Error[] = []
  const give = async (order: Partial<MigrationOrder>) => orders.push(order) > 0
  await finish({ ...how, file, orders: { give }, onUnwritten: (error) => unwritten.push(error) })
  t.equal(unwritten.length, 1)
  t.same(orders, [{ mode: 'target' }, { holdsWrites: false }], 'nobody is held for ever')
})

test('migration: what a listener throws rejects its own call, and the migration goes on', async (t) => {
  const { migration } = await away(t, 'backfill')
  let calls = 0
  const failing = migration.migrate({
    onProgress: () => {
      calls += 1
      throw new RangeError('of the listener')
    },
  })
  const stages: string[] = []
  const watching = outcomeOf(migration.migrate({ onProgress: ({ stage }) => stages.push(stage) }))
  await t.rejects(failing, new RangeError('of the listener'))
  t.equal(calls, 1, 'it is told nothing more')
  t.match(migration.status, { stage: 'backfill', paused: false })
  t.equal(await outcomeOf(migration.abort()), 'ok')
  t.equal(await watching, 'MIGRATION_STOPPED', 'it ran until it was stopped')
})

test('migration progress: who watches is told whatever another one throws', async (t) => {
  const progress = new Progress(() => 1)
  const failing = progress.watch(() => {
    throw new Error('of the listener')
  })
  const rejecting = progress.watch((() => Promise.reject(new Error('of its promise'))) as () => void)
  const stages: string[] = []
  const watching = progress.watch(({ stage }) => stages.push(stage))
  progress.begin('verify')
  await t.rejects(failing.failed, /of the listener/)
  await t.rejects(rejecting.failed, /of its promise/)
  progress.begin('cutover')
  watching.end()
  progress.begin('done')
  t.same(stages, ['verify', 'cutover'])
})

test('migration: an abort before anything is written down takes away what the target was given', async (t) => {
  for (const isReached of [true, false]) {
    const { migration, during, cleared } = await away(t, undefined)
    let go = (): void => undefined
    const claimed = new Promise<void>((resolve) => (go = resolve))
    during.claim = () => claimed
    during.clear = async () => {
      if (!isReached) throw new CoterieError('OPEN_FAILED')
    }
    const migrated = outcomeOf(migration.migrate({ to: TO }))
    const aborted = migration.abort()
    go()
    t.equal(await migrated, 'MIGRATION_STOPPED')
    t.same(await aborted, { cleared: isReached })
    t.equal(cleared.times, 1)
    t.equal(migration.status, undefined)
    t.same(await migration.abort(), { cleared: isReached }, 'also when asked again')
  }
})

test('migration: a pause names the trouble that there was', async (t) => {
  for (const trouble of ['away', 'copies', 'refusals'] as const) {
    const { migration, target } = await away(t, 'backfill')
    target.lack = trouble === 'refusals' ? undefined : trouble
    if (trouble === 'refusals') migration.onOwed(1)
    const error = await migration.migrate({ pauseAfterMs: 100 }).catch((reason: unknown) => reason)
    t.match(error, { code: 'MIGRATION_STOPPED', facts: { why: 'paused', trouble } })
  }
})

async function fileAt(location: string, stage: 'backfill' | 'cutover' | undefined): Promise<MigrationFile> {
  await mkdir(join(location, 'cluster'), { recursive: true })
  const file = await MigrationFile.open(location)
  if (stage === undefined) return file
  await file.begin(RECORD)
  await file.become('backfill')
  if (stage === 'backfill') return file
  await file.become('verify')
  await file.become('cutover')
  return file
}

/** What happens at an order. */
interface During {
  local?: () => Promise<void>
  open?: () => Promise<void>
  claim?: () => Promise<void>
  clear?: () => Promise<void>
  close?: () => void
}

/** A migration whose target is never whole, and whose cluster gives nothing to copy. */
async function away(t: TestContext, stage: 'backfill' | undefined) {
  const location = await folderForTest(t)
  const file = await fileAt(location, stage)
  const [told, unwritten, orders]: [MigrationStatus[], Error[], MigrationOrder[]] = [[], [], []]
  const during: During = {}
  const closed = { now: false }
  const cleared = { times: 0 }
  const target = {
    lack: 'away' as 'away' | 'copies' | undefined,
    epoch: 1,
    claim: async () => during.claim?.(),
    clear: async () => {
      cleared.times += 1
      await during.clear?.()
    },
    close: () => during.close?.(),
  }
  const client = {
    records: async () => {
      await nextTurn()
      throw new CoterieError('TIMEOUT')
    },
  }
  const carryOut = async (order: MigrationOrder) => {
    orders.push(order)
    if (order.mode === 'local') await during.local?.()
    await during.open?.()
    return true
  }
  const migration = new ClusterMigration({
    file,
    location,
    clusterId: 'cluster',
    partitions: 16,
    conflict: 'lww',
    r: 2,
    numbers: {},
    seat: { target, sides: { client, target, r: 2 }, carryOut },
    client,
    guests: { order: async () => true, endOrders: () => undefined, owed: 0, doubts: 0 },
    isThrough: () => true,
    calls: () => ({ calls: 0, us: 0 }),
    total: () => 1,
    isOpen: () => !closed.now,
    onChange: (status: MigrationStatus) => told.push(status),
    onUnwritten: (error: Error) => unwritten.push(error),
  } as unknown as MigrationOptions)
  if (stage !== undefined) await migration.resume()
  t.teardown(() => migration.close())
  return {
    folder: join(location, 'cluster'),
    file,
    migration,
    told,
    unwritten,
    orders,
    during,
    closed,
    cleared,
    target,
  }
}
