/** `cluster.migrate` into six real Redis processes: nothing is lost, whoever dies, and nobody who calls is failed for it. */

import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import root, { test } from 'tap'
import { MigrationTarget } from '../../src/engines/redis-cluster/migration-target.js'
import { type Cluster, openCluster } from '../../src/index.js'
import {
  eventOf,
  folderForTest,
  loadRecords,
  openForTest,
  outcomeOf,
  type TestContext,
  textOf,
  until,
  wrongRecords,
} from '../support/cluster.js'
import { NEEDS_REDIS, RedisServers } from '../support/redis-servers.js'
import { run, running } from '../support/run-command.js'
import { Acknowledged, call } from './callers.js'
import type { CallingThread, FromCalling } from './calling.worker.js'
import type { FromMigrating, MigratingTask } from './migrating.child.js'
import { targetTests } from './target.js'

const servers = NEEDS_REDIS.skip === undefined ? await RedisServers.start((end) => root.teardown(end)) : undefined
const redis = servers as RedisServers
const SMALL = { nodes: 3, partitions: 16 } as const

targetTests(servers)

test('migrate: everything comes along, nobody is failed, and the program goes on', NEEDS_REDIS, async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...SMALL })
  const records = await loadRecords(cluster, 2_000)
  await cluster.put('deleted before', 'x')
  await cluster.delete('deleted before')
  const load = await callOn(t, cluster)
  const scanned = scanSlowly(cluster)
  const stages: string[] = []
  cluster.on('migration', ({ stage }) => stages.push(stage))
  const summary = await cluster.migrate({ to: urlOf('whole'), onProgress: () => scanned.step() })
  const migratedAt = load.acknowledged.count
  await until(() => load.acknowledged.count > migratedAt + 200)
  await load.end()
  t.same(load.failed, [], 'no call was failed')
  t.same(stages, ['dual-write', 'backfill', 'verify', 'cutover', 'done'])
  t.match(summary, { copied: Number, mended: Number, heldMs: Number, to: urlOf('whole') })
  t.ok(summary.verified >= 2_000)
  t.same(await scanned.missing(records), [], 'a scan that began before goes on after')
  t.match(cluster.status(), { location: /^redis-cluster/, migration: { stage: 'done' } })
  const moved = await openTarget(t, 'whole')
  t.same(await wrongRecords(moved, records), [])
  t.same(await load.acknowledged.wrongIn(moved), [])
  t.equal(await moved.get('deleted before'), undefined)
  t.same(await strangersOf('whole'), [], 'only what the engine itself would have there')
  await cluster.put('after', 'here')
  t.equal(textOf(await moved.get('after')), 'here')
  t.equal(await outcomeOf(cluster.migrate()), 'MIGRATED')
  t.equal(await outcomeOf(cluster.abortMigration()), 'MIGRATED')
  for (const call of [cluster.join(), cluster.versions('after'), cluster.acceptLoss()])
    t.equal(await outcomeOf(call), 'NOT_SUPPORTED')
  t.same(cluster.views(), [])
  await cluster.close()
  const refused = await openCluster({ location }).catch((error: unknown) => error)
  t.match(refused, { code: 'MIGRATED', message: /engine: 'redis-cluster'.*name: 'whole'/, facts: { name: 'whole' } })
})

test('migrate: killed in every stage under load, it goes on and loses nothing', NEEDS_REDIS, async (t) => {
  const location = await folderForTest(t)
  const prepared = await openForTest(t, { location, ...SMALL })
  const records = await loadRecords(prepared, 3_000)
  await prepared.close()
  const acknowledged = new Acknowledged()
  const stages: string[] = []
  for (const dieAt of [
    { stage: 'dual-write' },
    { stage: 'backfill', share: 0.4 },
    { stage: 'verify', share: 0.5 },
    { stage: 'cutover' },
  ]) {
    const to = stages.length === 0 ? urlOf('killed') : undefined
    const life = await liveAndDie({ location, to, from: acknowledged.next(), dieAt }, acknowledged)
    t.equal(life.signal, 'SIGKILL', `in ${dieAt.stage}`)
    t.same(life.failed, [])
    stages.push(life.stages[0] ?? '')
    if (dieAt.stage === 'verify')
      t.same(await onlyHere(t, location, acknowledged), [], 'what was acknowledged is there')
  }
  t.same(
    stages,
    ['none', 'dual-write', 'backfill', 'verify'].map((stage) => `opened in ${stage}`),
  )
  t.equal(await outcomeOf(openTarget(t, 'killed')), 'MIGRATION_UNDER_WAY', 'nobody takes it for whole')
  t.equal(await outcomeOf(openCluster({ location })), 'MIGRATED', 'opening the folder makes it so')
  const moved = await openTarget(t, 'killed')
  t.ok(acknowledged.count > 200)
  t.same(await wrongRecords(moved, records), [])
  t.same(await acknowledged.wrongIn(moved, 'untold'), [])
  t.same(await strangersOf('killed'), [])
})

test('migrate: aborted, the cluster stays where it is, and the target is empty', NEEDS_REDIS, async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...SMALL })
  const records = await loadRecords(cluster, 2_000)
  const load = await callOn(t, cluster)
  const early = outcomeOf(cluster.migrate({ to: urlOf('aborted') }))
  t.same(await cluster.abortMigration(), { cleared: true })
  t.equal(await early, 'MIGRATION_STOPPED')
  t.same(await keysOf('aborted'), [], 'in the first moments, too')
  const backfill = eventOf(cluster, 'migration', ({ stage }) => stage === 'backfill')
  const migrated = outcomeOf(cluster.migrate({ to: urlOf('aborted'), recordsPerSecond: 1_000 }))
  await backfill
  t.equal(await outcomeOf(cluster.migrate({ to: urlOf('elsewhere') })), 'MIGRATION_UNDER_WAY')
  t.equal(await outcomeOf(openTarget(t, 'aborted')), 'MIGRATION_UNDER_WAY')
  t.same(await cluster.abortMigration(), { cleared: true })
  t.equal(await migrated, 'MIGRATION_STOPPED')
  await load.end()
  t.same(load.failed, [])
  t.same(await keysOf('aborted'), [])
  t.same(await wrongRecords(cluster, records), [])
  t.same(await load.acknowledged.wrongIn(cluster), [])
  t.equal(cluster.status().migration, undefined)
  await cluster.migrate({ to: urlOf('aborted') })
  t.same(await load.acknowledged.wrongIn(await openTarget(t, 'aborted')), [], 'and may go there later')
})

test('migrate: what it cannot do is refused before anything is begun', NEEDS_REDIS, async (t) => {
  const cluster = await openForTest(t, SMALL)
  const taken = await openTarget(t, 'taken')
  await taken.put('of', 'others')
  t.equal(await outcomeOf(cluster.migrate({ to: urlOf('taken') })), 'MIGRATION_TARGET_NOT_EMPTY')
  t.equal(await outcomeOf(cluster.migrate()), 'INVALID_OPTION')
  for (const to of ['redis://127.0.0.1', 'redis-cluster://', 'redis-cluster://a?b=c', { engine: 'other' }])
    t.equal(await outcomeOf(cluster.migrate({ to: to as string })), 'INVALID_OPTION', JSON.stringify(to))
  t.equal(await outcomeOf(taken.migrate({ to: urlOf('on') })), 'NOT_SUPPORTED')
  t.same(await cluster.abortMigration(), { cleared: true })
  await cluster.put('key', 'value')
  const siblings = await openForTest(t, { ...SMALL, conflict: 'siblings' })
  t.equal(await outcomeOf(siblings.migrate({ to: urlOf('siblings') })), 'INVALID_OPTION')
})

test('migrate: a target that takes no writes pauses it; then it goes on, deletes included', NEEDS_REDIS, async (t) => {
  const location = await folderForTest(t)
  const options = { ...SMALL, writeTimeoutMs: 300 }
  const cluster = await openForTest(t, { location, ...options })
  const records = await loadRecords(cluster, 2_000)
  const load = await callOn(t, cluster)
  const backfill = eventOf(cluster, 'migration', ({ stage }) => stage === 'backfill')
  const migrated = outcomeOf(cluster.migrate({ to: urlOf('away'), recordsPerSecond: 1_000, pauseAfterMs: 500 }))
  await backfill
  const paused = eventOf(cluster, 'migration', (status) => status.paused)
  await setMemoryMax(1)
  t.teardown(() => setMemoryMax(0))
  t.equal(textOf(await cluster.get('record:000000')), records.get('record:000000'), 'reads do not notice')
  await paused
  t.equal(await migrated, 'MIGRATION_STOPPED')
  const pausedAt = load.acknowledged.count
  await until(() => load.acknowledged.count > pausedAt + 200)
  await load.end()
  t.same(
    load.failed.filter((outcome) => outcome !== 'OUTCOME_UNKNOWN' && outcome !== 'TIMEOUT'),
    [],
  )
  const gone = [...records.keys()].slice(0, 50)
  await Promise.all(gone.map((key) => cluster.delete(key, { timeoutMs: 20_000 })))
  const left = new Map([...records].filter(([key]) => !gone.includes(key)))
  await cluster.close()
  const again = await openForTest(t, { location, ...options })
  t.equal(await outcomeOf(again.put('while it is paused', 'x', { timeoutMs: 20_000 })), 'ok')
  await setMemoryMax(0)
  const begun = eventOf(again, 'migration', ({ stage, paused: isPaused }) => stage === 'backfill' && !isPaused)
  const interrupted = outcomeOf(again.migrate({ recordsPerSecond: 1_000 }))
  await begun
  await again.close()
  t.equal(await interrupted, 'CLOSED')
  const asking = await targetOf('asked', { openTimeoutMs: 500 })
  t.teardown(() => asking.close())
  await asking.clear()
  t.teardown(continueAll)
  stopAll()
  t.equal(await outcomeOf(asking.clear()), 'OPEN_FAILED', 'a master that stands still is not waited for')
  const alone = outcomeOf(openCluster({ location, ...options, openTimeoutMs: 3_000 }))
  t.equal(await alone, 'MIGRATION_TARGET_UNREACHABLE', 'not here alone')
  continueAll()
  await redis.whole()
  t.match(await run(location, ['migrate', '-d', '.', '--json']), { code: 0, stdout: /"to":"redis-cluster:/ })
  const moved = await openTarget(t, 'away')
  t.same(await wrongRecords(moved, left), [])
  t.same(await load.acknowledged.wrongIn(moved, 'untold'), [])
  t.same(
    (await moved.getMany(gone)).filter((value) => value !== undefined),
    [],
    'what was deleted meanwhile stays deleted',
  )
  t.same(await strangersOf('away'), [])
})

test('migrate: the command, of a cluster that another process runs, and of a folder', NEEDS_REDIS, async (t) => {
  const folder = await folderForTest(t)
  const cluster = await running(t, folder)
  t.match(await run(folder, ['put', 'a', '1']), { code: 0 })
  t.match(await run(folder, ['migrate']), { code: 2, stderr: /no migration is under way/ })
  t.match(await run(folder, ['migrate', '--abort']), { code: 0, stdout: /no migration is under way/ })
  const migrated = await run(folder, ['migrate', '--to', urlOf('command')])
  t.match(migrated, {
    code: 0,
    stdout: /moved to redis-cluster:.*name=command.*\n1 record.*copied.*\n1 record.*verified/,
  })
  t.match(await run(folder, ['put', 'b', '2']), { code: 0 })
  t.match(await run(folder, ['scan']), { stdout: 'a\t1\nb\t2\n' })
  t.match(await run(folder, ['status']), { code: 0, stdout: /redis-cluster/ })
  t.match(await cluster.stop(), { code: 0, stdout: /migration to redis-cluster:.*: done/ })
  t.match(await run(folder, ['get', 'a']), { code: 1, stderr: /MIGRATED: .*name: 'command'/ })
  t.match(await run(folder, ['migrate', '--abort']), { code: 1, stderr: /MIGRATED/ })
  t.match(await run(await folderForTest(t), ['migrate', '--abort']), { code: 4, stderr: /there is no cluster/ })
})

test('migrate: masters of the target fail over in the middle of it, and nothing is lost', NEEDS_REDIS, async (t) => {
  const cluster = await openForTest(t, SMALL)
  const records = await loadRecords(cluster, 1_000)
  const watching = await targetOf('lacking', {})
  t.teardown(() => watching.close())
  const load = await callOn(t, cluster)
  const stageOf = (name: string) => eventOf(cluster, 'migration', ({ stage }) => stage === name)
  const [backfill, verify] = [stageOf('backfill'), stageOf('verify')]
  const migrated = cluster.migrate({ to: urlOf('failover'), recordsPerSecond: 2_000, pauseAfterMs: 60_000 })
  await backfill
  await redis.kill(0)
  await until(() => watching.lack === 'copies')
  t.pass('its replica is a master now, which has none: it is not whole while writes wait for one')
  await redis.launch(0)
  await until(() => watching.lack === undefined)
  await verify
  t.equal(await redis.ask(0, 'CLUSTER', 'FAILOVER', 'TAKEOVER'), 'OK')
  const { passes } = await migrated
  t.ok(passes > 1, 'what a failover may have undone is verified again')
  await load.end()
  t.same(
    load.failed.filter((outcome) => outcome !== 'OUTCOME_UNKNOWN' && outcome !== 'TIMEOUT'),
    [],
  )
  const moved = await openTarget(t, 'failover')
  t.same(await wrongRecords(moved, records), [])
  t.same(await load.acknowledged.wrongIn(moved, 'untold'), [])
})

function targetOf(name: string, options: { readonly openTimeoutMs?: number }): Promise<MigrationTarget> {
  const claim = { id: name, clusterId: 'cluster', partitions: SMALL.partitions }
  return MigrationTarget.open({ engine: 'redis-cluster', seeds: redis.seeds, name, ...options }, claim)
}

function urlOf(name: string): string {
  return `redis-cluster://${redis.ports.map((port) => `127.0.0.1:${port}`).join(',')}?name=${name}`
}

async function openTarget(t: TestContext, name: string): Promise<Cluster> {
  const store = await openCluster({ engine: 'redis-cluster', seeds: redis.seeds, name })
  t.teardown(() => store.close())
  return store
}

/** With one byte every write is refused; with 0 there is no limit. */
async function setMemoryMax(bytes: number): Promise<void> {
  await Promise.all(redis.ports.map((_, index) => redis.ask(index, 'CONFIG', 'SET', 'maxmemory', bytes)))
}

function stopAll(): void {
  for (const index of redis.ports.keys()) redis.stop(index)
}

function continueAll(): void {
  for (const index of redis.ports.keys()) redis.continue(index)
}

/** Callers of this thread and of one that has connected. */
async function callOn(t: TestContext, cluster: Cluster) {
  const acknowledged = new Acknowledged()
  const failed: string[] = []
  let isOver = false
  const own = Array.from({ length: 4 }, (_, caller) =>
    call(cluster, {
      caller: `own ${caller}`,
      isOver: () => isOver,
      onDone: (who, number) => acknowledged.add(who, number),
      onFailed: (outcome) => failed.push(outcome),
    }),
  )
  const workerData: CallingThread = { ticket: cluster.ticket(), callers: ['other 0', 'other 1'] }
  const worker = new Worker(new URL('./calling.worker.js', import.meta.url), { workerData })
  t.teardown(async () => {
    await worker.terminate()
  })
  const over = new Promise<void>((resolve) => {
    worker.on('message', (message: FromCalling) => {
      if (message.type === 'done') acknowledged.add(message.caller, message.number)
      else if (message.type === 'failed') failed.push(message.outcome)
      else resolve()
    })
  })
  await until(() => acknowledged.has('own 0') && acknowledged.has('other 0'))
  const end = async (): Promise<void> => {
    isOver = true
    worker.postMessage('over')
    await Promise.all([...own, over])
  }
  return { acknowledged, failed, end }
}

/** A row at each step. */
function scanSlowly(cluster: Cluster) {
  const rows = cluster.scan({ gte: 'record:', lt: 'record;' })
  const found = new Set<string>()
  let last = Promise.resolve()
  const read = async (): Promise<boolean> => {
    const { value, done } = await rows.next()
    if (done !== true) found.add(textOf(value[0]) ?? '')
    return done !== true
  }
  const step = (): void => {
    last = last.then(() => void read())
  }
  const missing = async (records: ReadonlyMap<string, string>): Promise<string[]> => {
    await last
    while (await read());
    return [...records.keys()].filter((key) => !found.has(key))
  }
  return { step, missing }
}

async function liveAndDie(task: MigratingTask, acknowledged: Acknowledged) {
  const child = fork(new URL('./migrating.child.js', import.meta.url), [JSON.stringify(task)])
  const failed: string[] = []
  const stages: string[] = []
  child.on('message', (message: FromMigrating) => {
    if (message.type === 'done') acknowledged.add(message.caller, message.number)
    else if (message.type === 'failed') failed.push(message.outcome)
    else stages.push(message.stage)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { signal, failed, stages }
}

/** Acknowledged writes that the target of a migration which was killed has not got. */
async function onlyHere(t: TestContext, location: string, acknowledged: Acknowledged): Promise<string[]> {
  const bodyOf = async (name: string) => JSON.parse(await readFile(join(location, 'cluster', name), 'utf8')).body
  const [{ id }, { clusterId, partitions }] = await Promise.all([bodyOf('migration.json'), bodyOf('metadata.json')])
  const options = { engine: 'redis-cluster', seeds: redis.seeds, name: 'killed' } as const
  const target = await MigrationTarget.open(options, { id, clusterId, partitions })
  t.teardown(async () => target.close())
  const seen = await target.look(acknowledged.keys, performance.now() + 5_000)
  const digestOf = (text: string | null) => (text === null ? undefined : createHash('sha1').update(text).digest('hex'))
  return acknowledged.wrongAmong(
    seen.map(({ digest }) => digest),
    'untold',
    digestOf,
  )
}

/** Everything that is there of a store. */
async function keysOf(name: string): Promise<string[]> {
  const masters = redis.ports.slice(0, redis.ports.length / 2)
  const all = await Promise.all(masters.map((_, index) => redis.ask(index, 'KEYS', `${name}{*`)))
  return all.flat().map(String)
}

/** What is neither a value nor an index, nor of a logged batch. */
async function strangersOf(name: string): Promise<string[]> {
  const meta = await Promise.all(
    redis.ports.slice(0, 3).map((_, index) => redis.ask(index, 'HKEYS', `${name}{coterie}meta`)),
  )
  const fields = meta.flatMap((found) => (Array.isArray(found) ? found : [])).sort()
  const strangers = (await keysOf(name)).filter((key) => !/\}(v:.*|i|b|d:.*|meta)$/s.test(key))
  return [...strangers, ...fields.filter((field) => field !== 'format' && field !== 'partitions')]
}
