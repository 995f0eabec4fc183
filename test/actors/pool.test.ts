import { join } from 'node:path'
import { test } from 'tap'
import { CALLS_MAX, createPool, PoolError } from '../../actors/pool.js'
import { makeStore, temporaryFolder } from '../storage/leveldb-stores.js'

function codeOf(error: unknown): string {
  return error instanceof PoolError ? error.code : 'not a PoolError'
}

test('pool: verifies in a thread what the caller would have verified', async (t) => {
  const folder = temporaryFolder(t)
  await makeStore(folder, { seed: 3, tableWrites: 500, logWrites: 50, valueBytes: 100 })
  const pool = createPool({ maxThreads: 2 })
  t.teardown(() => pool.close())
  const report = await pool.verifyStore(folder)
  t.match(report, { verdict: 'ok', logRecords: 50, tablesSkipped: 0 })
  t.match(await pool.verifyStore(folder, { knownFiles: report.files }), { verdict: 'ok', tablesSkipped: report.tables })
  t.equal((await pool.verifyStore(join(folder, 'nowhere'))).verdict, 'absent')
})

test('pool: a shortage of means rejects with the code of the system', async (t) => {
  const folder = temporaryFolder(t)
  await makeStore(folder, { seed: 3, tableWrites: 5, logWrites: 5, valueBytes: 10 })
  const pool = createPool({ maxThreads: 1 })
  t.teardown(() => pool.close())
  await t.rejects(pool.verifyStore(join(folder, 'CURRENT')), { code: 'POOL_SYSTEM', systemCode: 'ENOTDIR' })
})

test('pool: a task that cannot be loaded rejects every call, and the pool stays usable', async (t) => {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: new URL('./no-such.task.js', import.meta.url) })
  t.teardown(() => pool.close())
  const calls = await Promise.allSettled([1, 2, 3].map(() => pool.verifyStore('anywhere')))
  for (const call of calls) t.equal(call.status === 'rejected' && codeOf(call.reason), 'POOL_TASK_FAILED')
})

test('pool: a thread that dies takes its own call along, not the waiting ones', async (t) => {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: new URL('./fixtures/dying.task.js', import.meta.url) })
  t.teardown(() => pool.close())
  const calls = await Promise.allSettled(['exit', 'throw', 'live'].map((folder) => pool.verifyStore(folder)))
  t.same(
    calls.map((call) => (call.status === 'rejected' ? codeOf(call.reason) : call.value.verdict)),
    ['POOL_TASK_FAILED', 'POOL_TASK_FAILED', 'absent'],
  )
})

test('pool: close settles every call, running and waiting, and is idempotent', async (t) => {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: new URL('./fixtures/dying.task.js', import.meta.url) })
  const calls = Promise.allSettled(['hang', 'hang', 'live'].map((folder) => pool.verifyStore(folder)))
  await Promise.all([pool.close(), pool.close()])
  for (const call of await calls) t.equal(call.status === 'rejected' && codeOf(call.reason), 'POOL_CLOSED')
  await t.rejects(pool.verifyStore('anywhere'), { code: 'POOL_CLOSED' })
})

test('pool: the queue is bounded', async (t) => {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: new URL('./fixtures/dying.task.js', import.meta.url) })
  const calls = Promise.allSettled(Array.from({ length: CALLS_MAX }, () => pool.verifyStore('hang')))
  await t.rejects(pool.verifyStore('hang'), { code: 'POOL_FULL' })
  await pool.close()
  t.equal((await calls).length, CALLS_MAX)
})

test('pool: maxThreads is checked', async (t) => {
  t.throws(() => createPool({ maxThreads: 0 }), RangeError)
})
