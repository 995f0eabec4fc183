/** What abstract-level's suite cannot know of `CoterieLevel`: there is a cluster behind it. */

import { type Test, test } from 'tap'
import { CoterieLevel, type CoterieLevelOptions, openCluster } from '../../src/index.js'
import { folderForTest, outcomeOf } from '../support/cluster.js'

/** In a folder of its own, or `location`; closed when the test ends. */
async function levelFor(
  t: Test,
  options: CoterieLevelOptions<string, string> = {},
  location?: string,
): Promise<CoterieLevel> {
  const db = new CoterieLevel(location ?? (await folderForTest(t)), { nodes: 3, partitions: 16, ...options })
  t.teardown(() => db.close())
  return db
}

/** Why it did not open. */
async function causeOf(opening: Promise<unknown>): Promise<{ code?: string; message?: string }> {
  const { cause } = (await opening.then(
    () => ({}),
    (error: unknown) => error,
  )) as { cause?: { code?: string; message?: string } }
  return cause ?? {}
}

/** Gathers what there is, up to the end (undefined) or a failure (its code). */
async function readOn(
  iterator: { nextv(size: number): Promise<string[]> },
  read: string[],
): Promise<string | undefined> {
  try {
    for (let some = await iterator.nextv(200); some.length > 0; some = await iterator.nextv(200)) read.push(...some)
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

test('what it writes is in the cluster under the same key, and the other way round', async (t) => {
  const db = await levelFor(t, { faults: true })
  t.throws(() => db.cluster, { code: 'LEVEL_DATABASE_NOT_OPEN' })
  await db.open()
  await db.put('k', 'of level')
  t.equal(Buffer.from((await db.cluster.get('k')) ?? '').toString(), 'of level')
  await db.cluster.put('ß', 'of the cluster')
  t.equal(await db.get('ß'), 'of the cluster')
  t.same(await db.keys().all(), ['k', 'ß'])
  await db.cluster.faults.crash('node1')
  t.equal(await db.get('k', { r: 2 }), 'of level')
  t.equal(await outcomeOf(db.get('k', { r: 9 })), 'INVALID_OPTION')
})

test('the empty key and keys that begin with zero bytes keep their places', async (t) => {
  const db = await levelFor(t)
  const keys = ['', '\0', '\0\0', '\0a', '\x01', 'a', 'a\0']
  await db.batch([...keys].reverse().map((key) => ({ type: 'put', key, value: `of ${key}` })))
  t.same(await db.keys().all(), keys)
  t.same(
    await db.values({ reverse: true }).all(),
    [...keys].reverse().map((key) => `of ${key}`),
  )
  t.same(
    await db.getMany(keys),
    keys.map((key) => `of ${key}`),
  )
  for (const [place, key] of keys.entries()) {
    t.same(await db.keys({ gt: key }).all(), keys.slice(place + 1), `gt ${JSON.stringify(key)}`)
    t.same(await db.keys({ lte: key }).all(), keys.slice(0, place + 1), `lte ${JSON.stringify(key)}`)
    const iterator = db.keys()
    iterator.seek(key)
    t.equal(await iterator.next(), key)
    await iterator.close()
  }
  const bytes = db.keys<Buffer>({ keyEncoding: 'buffer' })
  t.same((await bytes.all()).map(String), keys)
  await db.del('')
  t.same(await db.keys({ limit: 2 }).all(), keys.slice(1, 3))
})

test('an iterator sees every key once, also when a node dies in the middle of it', async (t) => {
  const db = await levelFor(t, { faults: true })
  const keys = Array.from({ length: 3_000 }, (_, number) => `key ${String(number).padStart(5, '0')}`)
  await db.batch(keys.map((key) => ({ type: 'put', key, value: key })))
  const seen: string[] = []
  for await (const [key, value] of db.iterator()) {
    if (seen.length === 100 || seen.length === 1_500) await db.cluster.faults.crash('node2')
    t.equal(key, value)
    seen.push(key)
  }
  t.same(seen, keys)
  await db.clear({ gte: 'key 00500', limit: 2_000 })
  t.same(await db.keys().all(), [...keys.slice(0, 500), ...keys.slice(2_500)])
  await db.clear({ reverse: true, limit: 400 })
  t.equal((await db.keys().all()).at(-1), 'key 02599')
})

test('it is opened again with what was written, if it is to exist, and not twice at a time', async (t) => {
  const location = await folderForTest(t)
  t.match((await causeOf((await levelFor(t, { createIfMissing: false }, location)).open())).message, /does not exist/)
  const db = await levelFor(t, {}, location)
  await db.put('k', 'v')
  t.equal((await causeOf((await levelFor(t, {}, location)).open())).code, 'LEVEL_LOCKED')
  await db.close()
  t.match((await causeOf((await levelFor(t, { errorIfExists: true }, location)).open())).message, /exists/)
  await db.open({ createIfMissing: false })
  t.equal(await db.get('k'), 'v')
})

test('what it cannot keep it does not promise', async (t) => {
  const db = await levelFor(t)
  await db.open()
  t.equal(db.supports.implicitSnapshots, false)
  t.equal(db.supports.explicitSnapshots, false)
  t.throws(() => (db as unknown as { getSync(key: string): string }).getSync('k'), { code: 'LEVEL_NOT_SUPPORTED' })
  await t.rejects(db.put('k', 'v', { sync: true }), { code: 'LEVEL_NOT_SUPPORTED' })
  t.equal(await db.get('k'), undefined)
  const durable = await levelFor(t, { durability: 'disk' })
  await durable.put('k', 'v', { sync: true })
  t.equal(await durable.get('k'), 'v')
  const { code } = await causeOf((await levelFor(t, { conflict: 'siblings' })).open())
  t.equal(code, 'INVALID_OPTION')
})

test('a folder with siblings is not opened', async (t) => {
  const location = await folderForTest(t)
  await (await openCluster({ location, nodes: 3, partitions: 16, conflict: 'siblings' })).close()
  const db = new CoterieLevel(location)
  t.equal((await causeOf(db.open())).code, 'LOCATION_MISMATCH')
})

test('a clear that is under way when the database is closed comes to its end', async (t) => {
  const location = await folderForTest(t)
  const db = await levelFor(t, {}, location)
  await db.batch(Array.from({ length: 5_000 }, (_, index) => ({ type: 'put', key: `key ${index}`, value: 'x' })))
  const cleared = db.clear()
  await db.close()
  t.equal(await outcomeOf(cleared), 'ok')
  const again = await levelFor(t, {}, location)
  t.same(await again.keys().all(), [])
})

test('a seek to what cannot be a key leaves the iterator where it is', async (t) => {
  const db = await levelFor(t)
  await db.batch(['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: key })))
  const iterator = db.keys()
  t.equal(await iterator.next(), 'a')
  t.throws(() => iterator.seek('x'.repeat(70_000)), { code: 'INVALID_KEY' })
  t.equal(await iterator.next(), 'b')
  await iterator.close()
})

test('the names that classic-level has for caches and buffers are known; what is no cluster’s option is not given to it', async (t) => {
  const known = await levelFor(t, {
    cacheSize: 8_388_608,
    writeBufferSize: 2_097_152,
    maxOpenFiles: 100,
    blockSize: 8_192,
  } as object)
  await known.open()
  const wrong = await levelFor(t, { writeBufferSize: 1 })
  t.match(await causeOf(wrong.open()), { code: 'INVALID_OPTION', message: /writeBufferBytes/ })
  const few = await levelFor(t, { maxOpenFiles: 1 })
  t.match(await causeOf(few.open()), { code: 'INVALID_OPTION', message: /openFilesMax/ })
})

test('an iterator that is aborted in the middle of a page says so at once, and can be closed', async (t) => {
  const db = await levelFor(t, { faults: true })
  await db.put('k', 'v')
  const controller = new AbortController()
  const iterator = db.iterator({ signal: controller.signal })
  for (const node of ['node1', 'node2', 'node3']) await db.cluster.faults.pause(node, 300)
  const reading = iterator.next()
  controller.abort()
  await t.rejects(reading, { code: 'LEVEL_ABORTED', name: 'AbortError' })
  await iterator.close()
})

test('an iterator that could not read a page says so again, and never that this was the end', async (t) => {
  const db = await levelFor(t, { faults: true, hungAfterMs: 10_000 })
  const keys = Array.from({ length: 500 }, (_, number) => `key ${String(number).padStart(3, '0')}`)
  await db.batch(keys.map((key) => ({ type: 'put', key, value: key })))
  const iterator = db.keys({ timeoutMs: 1_000 })
  const read = await iterator.nextv(10)
  for (const node of ['node1', 'node2', 'node3']) await db.cluster.faults.pause(node, 4_500)
  // The rest of the page that has been read, then the one that could not be.
  const failed = await readOn(iterator, read)
  t.equal(failed, 'TIMEOUT')
  t.same(read, keys.slice(0, read.length))
  t.ok(read.length < keys.length)
  await t.rejects(iterator.next(), { code: 'TIMEOUT' })
  await t.rejects(iterator.next(), { code: 'TIMEOUT' })
  for (let tries = 0, code: string | undefined = failed; code === 'TIMEOUT' && tries < 50; tries++) {
    iterator.seek(keys[read.length] as string)
    code = await readOn(iterator, read)
  }
  t.same(read, keys)
  await iterator.close()
  await db.clear({ sloppy: true, limit: 1 })
  t.equal(await db.get(keys[0] as string), undefined)
})
