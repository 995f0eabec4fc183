/** From a folder of classic-level into a cluster, and back, from the command line. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { test } from 'tap'
import { CoterieLevel } from '../../src/index.js'
import { folderForTest, until } from '../support/cluster.js'
import { finished, type Result, run, running, start } from '../support/run-command.js'

type Entry = [Buffer, Buffer]
interface Store {
  iterator(options: object): { all(): Promise<unknown[]> }
}

const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const SMALL = ['--nodes', '3', '--partitions', '16']
const ATTEMPTS_MAX = 10

/** Keys in order, with everything that might be lost on the way. */
const ODD: Entry[] = [
  [Buffer.from([]), Buffer.from('of the empty key')],
  [Buffer.from([0]), Buffer.from([0])],
  [Buffer.from([0, 0]), Buffer.from([])],
  [Buffer.from([0, 97]), Buffer.from([255, 254, 0])],
  [Buffer.from([0, 255]), Buffer.from('\0')],
  [Buffer.from([1]), Buffer.from([])],
  [Buffer.from('a'), Buffer.from('ß')],
  [Buffer.from('a\0'), Buffer.alloc(3_000_000, 'large ')],
  [Buffer.alloc(65_535, 'k'), Buffer.from('of a long key')],
  [Buffer.from([255, 0, 128]), Buffer.from([128])],
]

test('import and export: keys and values are the same on both sides, and in a folder of classic-level again', async (t) => {
  const folder = await folderForTest(t)
  const entries = [...manyEntries(3_000), ...ODD].sort(([a], [b]) => a.compare(b))
  await makeLevel(join(folder, 'old'), entries)
  t.match(await run(folder, ['import', '--level', 'old', ...SMALL]), {
    code: 0,
    stdout: /^3,010 records \(\d.*MB\) of old put into \.\/data in .*records\/s\n$/,
  })
  t.same(different(await entriesIn(new CoterieLevel(join(folder, 'data'), BYTES)), entries), [])
  // An empty folder is as good as none.
  mkdirSync(join(folder, 'new'))
  const exported = await run(folder, ['export', '--level', 'new', '--json'])
  t.equal(exported.code, 0)
  t.match(JSON.parse(exported.stdout), { dir: 'new', location: './data', records: 3_010, bytes: bytesOf(entries) })
  t.same(different(await entriesIn(new ClassicLevel(join(folder, 'new'), BYTES)), entries), [])
  t.same(different(await entriesIn(new ClassicLevel(join(folder, 'old'), BYTES)), entries), [])
  t.notOk(existsSync(join(folder, 'new.partial')))
})

test('import and export: of a cluster that another process runs', async (t) => {
  const folder = await folderForTest(t)
  await makeLevel(join(folder, 'old'), ODD)
  const cluster = await running(t, folder)
  t.match(await run(folder, ['import', '--level', 'old']), { code: 0, stdout: /^10 records/ })
  t.match(await run(folder, ['export', '--level', 'new']), { code: 0, stdout: /^10 records .*and counted there/ })
  t.match(await cluster.stop(), { code: 0 })
  t.same(different(await entriesIn(new ClassicLevel(join(folder, 'new'), BYTES)), ODD), [])
})

test('import: again and into a cluster that has records, it puts them again and takes nothing away', async (t) => {
  const folder = await folderForTest(t)
  await makeLevel(join(folder, 'old'), manyEntries(700))
  t.match(await run(folder, ['put', 'own', 'kept', ...SMALL]), { code: 0 })
  for (let time = 0; time < 2; time++) {
    const { code, stdout } = await run(folder, ['import', '--level', 'old', '--json', '--batch', '33'])
    t.equal(code, 0)
    t.match(JSON.parse(stdout), { dir: 'old', end: 'done', records: 700, skipped: 0, bytes: bytesOf(manyEntries(700)) })
  }
  t.equal((await entriesIn(new CoterieLevel(join(folder, 'data'), BYTES))).length, 701)
})

test('import: what is no LevelDB, in use or damaged is refused, and no cluster is made', async (t) => {
  const folder = await folderForTest(t)
  const refused = async (dir: string, stderr: RegExp): Promise<void> => {
    t.match(await run(folder, ['import', '--level', dir, ...SMALL]), { code: 1, stdout: '', stderr }, dir)
    t.notOk(existsSync(join(folder, 'data')))
  }
  await refused('nowhere', /LEVEL_FOLDER_MISSING: there is no LevelDB in nowhere/)
  t.notOk(existsSync(join(folder, 'nowhere')))
  mkdirSync(join(folder, 'empty'))
  await refused('empty', /LEVEL_FOLDER_MISSING/)
  t.same(readdirSync(join(folder, 'empty')), [])
  const level = await makeLevel(join(folder, 'old'), manyEntries(2_000))
  await level.open()
  await refused('old', /LEVEL_FOLDER_IN_USE: another process has old open/)
  await level.compactRange('', '~')
  await level.close()
  const table = readdirSync(join(folder, 'old')).find((file) => file.endsWith('.ldb')) ?? ''
  flipByte(join(folder, 'old', table))
  const before = contentsOf(join(folder, 'old'))
  await refused('old', /LEVEL_FOLDER_DAMAGED: old is damaged.*\.ldb: a block does not match its checksum/)
  t.same(contentsOf(join(folder, 'old')), before)
  t.match(await run(folder, ['put', 'k', 'v', '-d', 'cluster', ...SMALL]), { code: 0 })
  await refused('cluster', /cluster is the folder of a cluster/)
  await refused('cluster/node1/store', /is the store of a node/)
  t.match(await run(folder, ['import']), { code: 2, stderr: /--level DIR is missing/ })
})

test('import: a record that does not fit ends it, or is skipped and counted', async (t) => {
  const folder = await folderForTest(t)
  const tooLong = Buffer.alloc(65_535, 'k')
  tooLong[0] = 0
  await makeLevel(join(folder, 'old'), [
    [tooLong, Buffer.from('a zero byte in front makes it one byte longer')],
    [Buffer.from('large'), Buffer.alloc(2_000)],
    [Buffer.from('small'), Buffer.alloc(1_000)],
  ])
  const args = ['import', '--level', 'old', '--set', 'valueBytesMax=1000', ...SMALL]
  t.match(await run(folder, args), {
    code: 1,
    stdout: /^0 records[\s\S]*stopped at the first record that does not fit/,
    stderr: /record 1 of old has a key of 65536 bytes; at most 65535/,
  })
  t.match(await run(folder, [...args, '--max-errors', '2']), {
    code: 0,
    stdout: /^1 record [\s\S]*2 records skipped/,
    stderr: /record 2 of old has a value of 2000 bytes; at most 1000/,
  })
})

test('import: after Ctrl-C what was read is in, and importing again puts the rest', async (t) => {
  const folder = await folderForTest(t)
  const entries = manyEntries(30_000)
  await makeLevel(join(folder, 'old'), entries)
  const data = join(folder, 'data')
  const isUnderWay = (): boolean => bytesWrittenTo(join(data, 'node3', 'store')) > 100_000
  const interrupted = await interruptedOnce(folder, ['import', '--level', 'old', ...SMALL], data, isUnderWay)
  t.match(interrupted, { code: 130, stdout: /interrupted: the records before are in; import again for the rest/ })
  const records = Number(/^([\d,]+) record/.exec(interrupted.stdout)?.[1]?.replaceAll(',', ''))
  t.ok(records > 0 && records < entries.length, `${records}`)
  t.equal((await entriesIn(new CoterieLevel(data, BYTES))).length, records)
  t.match(await run(folder, ['import', '--level', 'old']), { code: 0, stdout: /^30,000 records/ })
  t.same(different(await entriesIn(new CoterieLevel(join(folder, 'data'), BYTES)), entries), [])
})

test('export: no folder that has something in it, no cluster, no cluster of siblings', async (t) => {
  const folder = await folderForTest(t)
  t.match(await run(folder, ['export', '--level', 'new']), { code: 4, stderr: /there is no cluster in \.\/data/ })
  t.match(await run(folder, ['put', 'k', 'v', ...SMALL, '--conflict', 'siblings']), { code: 0 })
  t.match(await run(folder, ['export', '--level', 'new']), { code: 1, stderr: /LOCATION_MISMATCH/ })
  mkdirSync(join(folder, 'full'))
  writeFileSync(join(folder, 'full', 'notes.txt'), 'mine')
  t.match(await run(folder, ['export', '--level', 'full']), { code: 1, stderr: /LEVEL_FOLDER_NOT_EMPTY/ })
  t.same(readdirSync(join(folder, 'full')), ['notes.txt'])
  t.same(readdirSync(folder).sort(), ['data', 'full'])
})

test('export: after Ctrl-C it says that there is nothing, and nothing is there; what a kill left is taken away', async (t) => {
  const folder = await folderForTest(t)
  const entries = manyEntries(30_000)
  await makeLevel(join(folder, 'old'), entries)
  t.match(await run(folder, ['import', '--level', 'old', ...SMALL]), { code: 0 })
  const partial = join(folder, 'new.partial')
  const isUnderWay = (): boolean => existsSync(join(partial, 'CURRENT'))
  const interrupted = await interruptedOnce(folder, ['export', '--level', 'new'], join(folder, 'new'), isUnderWay)
  t.match(interrupted, { code: 130, stdout: '', stderr: /interrupted: there is nothing in new/ })
  t.same(readdirSync(folder).sort(), ['data', 'old'])
  mkdirSync(partial)
  writeFileSync(join(partial, 'CURRENT'), 'of another life')
  t.match(await run(folder, ['export', '--level', 'new']), { code: 0, stdout: /^30,000 records .*and counted there/ })
  t.notOk(existsSync(partial))
  t.same(different(await entriesIn(new ClassicLevel(join(folder, 'new'), BYTES)), entries), [])
})

/** SIGINT once it is under way. One that was done before it heard of it is done again, without what it made. */
async function interruptedOnce(
  folder: string,
  args: readonly string[],
  made: string,
  isUnderWay: () => boolean,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const child = start(folder, args)
    const result = finished(child)
    await until(() => isUnderWay() || child.exitCode !== null)
    child.kill('SIGINT')
    const { code, ...output } = await result
    if (code !== 0 || attempt === ATTEMPTS_MAX) return { code, ...output }
    rmSync(made, { recursive: true })
  }
}

function bytesWrittenTo(store: string): number {
  if (!existsSync(store)) return 0
  const logs = readdirSync(store).filter((file) => file.endsWith('.log'))
  return logs.reduce((sum, log) => sum + (statSync(join(store, log), { throwIfNoEntry: false })?.size ?? 0), 0)
}

function manyEntries(count: number): Entry[] {
  return Array.from({ length: count }, (_, number) => {
    const key = Buffer.from(`key ${String(number).padStart(6, '0')}`)
    return [key, Buffer.from(`value ${number} `.repeat(1 + (number % 20)))]
  })
}

async function makeLevel(location: string, entries: readonly Entry[]): Promise<ClassicLevel> {
  const level = new ClassicLevel(location)
  await level.batch(
    entries.map(([key, value]) => ({ type: 'put', key, value })),
    BYTES as object,
  )
  await level.close()
  return level
}

async function entriesIn(store: Store & { close(): Promise<void> }): Promise<Entry[]> {
  const entries = await store.iterator(BYTES).all()
  await store.close()
  return entries as Entry[]
}

/** Places at which they differ: what is unequal is too long to print. */
function different(found: readonly Entry[], wanted: readonly Entry[]): number[] {
  const places = [...Array(Math.max(found.length, wanted.length)).keys()]
  return places.filter((place) => {
    const [a, b] = [found[place], wanted[place]]
    return a === undefined || b === undefined || !a[0].equals(b[0]) || !a[1].equals(b[1])
  })
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
}

function contentsOf(folder: string): [string, string][] {
  return readdirSync(folder)
    .sort()
    .map((file) => [file, readFileSync(join(folder, file)).toString('base64')])
}

function flipByte(file: string): void {
  const bytes = readFileSync(file)
  bytes[100] = (bytes[100] ?? 0) ^ 1
  writeFileSync(file, bytes)
}
