/**
 * What verification calls `ok`, LevelDB opens with its content whole, or as it was at one earlier moment if the tail is torn. A
 * store called `damaged` is never opened here: LevelDB may abort the process.
 */
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { Prng } from '../../src/protocol/prng.js'
import { logName } from '../../src/storage/leveldb-files/file-names.js'
import { type VerifyReport, verifyStoreFiles } from '../../src/storage/verify-store.js'
import {
  filesOf,
  findMoment,
  makeStore,
  openStore,
  readCopy,
  type Store,
  temporaryFolder,
  withBytes,
  withFlippedBit,
} from './leveldb-stores.js'

const SEED = 20_261_123
const FLIPS_A_FILE_KIND = 200
const TRUNCATIONS_A_FILE_KIND = 25
const KINDS = ['.ldb', '.log', 'MANIFEST-', 'CURRENT'] as const

function makeUsualStore(t: Test, folder = temporaryFolder(t)): Promise<Store> {
  return makeStore(folder, { seed: SEED, tableWrites: 4000, logWrites: 800, valueBytes: 150 })
}

/** Asserts that an `ok` store opens, holding what it held after `report.lastSequence` writes. */
async function assertOpens(t: Test, store: Store, report: VerifyReport, scratch: string): Promise<void> {
  const moment = findMoment(store.writes, await readCopy(store.folder, scratch))
  const whole = store.writes.length
  if (report.logRecords === 0) t.ok(moment >= 0, 'the content is that of some moment')
  else t.equal(moment, report.lastSequence, 'the content is that of the moment that the report names')
  if (!report.tornTail && report.logRecords > 0 && moment !== whole) t.comment(`cut between two records: ${moment}`)
}

test('verify: a healthy store is ok, and every byte of it was read', async (t) => {
  for (const compression of [true, false]) {
    const folder = temporaryFolder(t)
    const shape = { seed: SEED, tableWrites: 3000, logWrites: 500, valueBytes: 200, compression }
    const store = await makeStore(folder, shape)
    const report = verifyStoreFiles(folder)
    t.match(report, { verdict: 'ok', problems: [], tornTail: false, lastSequence: 3500, logRecords: 500 })
    t.ok(report.tables > 0)
    t.ok(report.bytesRead >= report.files.reduce((sum, { bytes }) => sum + bytes, 0))
    await assertOpens(t, store, report, temporaryFolder(t))
  }
})

test('verify: values larger than the window are checked in pieces', async (t) => {
  const folder = temporaryFolder(t)
  const store = await makeStore(folder, { seed: 1, tableWrites: 4, logWrites: 3, valueBytes: 1_500_001 })
  const report = verifyStoreFiles(folder)
  t.match(report, { verdict: 'ok', logRecords: 3, lastSequence: 7 })
  await assertOpens(t, store, report, temporaryFolder(t))
  const [table = ''] = filesOf(folder, '.ldb')
  const middle = Math.floor(statSync(join(folder, table)).size / 2)
  t.match(
    withFlippedBit(join(folder, table), middle * 8, () => verifyStoreFiles(folder)),
    { verdict: 'damaged' },
  )
})

test('verify: a folder that never held a store is absent', async (t) => {
  const folder = temporaryFolder(t)
  t.equal(verifyStoreFiles(join(folder, 'nowhere')).verdict, 'absent')
  t.equal(verifyStoreFiles(folder).verdict, 'absent')
  writeFileSync(join(folder, 'LOCK'), '')
  writeFileSync(join(folder, 'identity.json'), '{}')
  writeFileSync(join(folder, 'MANIFEST-000001'), 'cut short by a crash before the first CURRENT')
  t.equal(verifyStoreFiles(folder).verdict, 'absent')
  writeFileSync(join(folder, 'MANIFEST-000002'), '')
  t.equal(verifyStoreFiles(folder).verdict, 'damaged', 'a second manifest means that a store was open here')
})

test('verify: a new and empty store is ok', async (t) => {
  const folder = temporaryFolder(t)
  await (await openStore(folder)).close()
  t.match(verifyStoreFiles(folder), { verdict: 'ok', lastSequence: 0, tables: 0, logRecords: 0 })
})

test('verify: a flipped bit is damage, wherever it is', async (t) => {
  const { folder } = await makeUsualStore(t)
  const prng = new Prng(SEED)
  for (const kind of KINDS) {
    const names = filesOf(folder, kind)
    const unseen: string[] = []
    for (let count = 0; count < FLIPS_A_FILE_KIND; count++) {
      const path = join(folder, prng.pick(names) ?? '')
      const bit = prng.below(statSync(path).size * 8)
      const report = withFlippedBit(path, bit, () => verifyStoreFiles(folder))
      if (report.verdict !== 'damaged') unseen.push(`${path} bit ${bit}`)
    }
    t.same(unseen, [], `${FLIPS_A_FILE_KIND} flips in ${kind}`)
  }
  t.equal(verifyStoreFiles(folder).verdict, 'ok', 'with the bits put back')
})

test('verify: every single bit of a small store is covered', async (t) => {
  const folder = temporaryFolder(t)
  await makeStore(folder, { seed: SEED, tableWrites: 12, logWrites: 6, valueBytes: 12 })
  for (const kind of KINDS) {
    for (const name of filesOf(folder, kind)) {
      const path = join(folder, name)
      const unseen: number[] = []
      for (let bit = 0; bit < statSync(path).size * 8; bit++) {
        if (withFlippedBit(path, bit, () => verifyStoreFiles(folder)).verdict !== 'damaged') unseen.push(bit)
      }
      t.same(unseen, [], name)
    }
  }
})

test('verify: a store with a file cut short is damaged, or opens at an earlier moment', async (t) => {
  const store = await makeUsualStore(t)
  const copy = { ...store, folder: join(temporaryFolder(t), 'cut') }
  const scratch = join(temporaryFolder(t), 'scratch')
  const prng = new Prng(SEED)
  const verdicts: Record<string, number> = {}
  for (const kind of KINDS) {
    for (let count = 0; count < TRUNCATIONS_A_FILE_KIND; count++) {
      rmSync(copy.folder, { recursive: true, force: true })
      cpSync(store.folder, copy.folder, { recursive: true })
      const path = join(copy.folder, prng.pick(filesOf(copy.folder, kind)) ?? '')
      truncateSync(path, prng.below(statSync(path).size))
      const report = verifyStoreFiles(copy.folder)
      const outcome = `${kind} ${report.verdict}`
      verdicts[outcome] = (verdicts[outcome] ?? 0) + 1
      if (report.verdict === 'ok') await assertOpens(t, copy, report, scratch)
    }
  }
  t.match(verdicts, {
    '.ldb damaged': TRUNCATIONS_A_FILE_KIND,
    '.log ok': TRUNCATIONS_A_FILE_KIND,
    'CURRENT damaged': TRUNCATIONS_A_FILE_KIND,
  })
})

test('verify: a manifest cut anywhere is damaged, or opens with all its content', async (t) => {
  const store = await makeUsualStore(t)
  const [manifest = ''] = filesOf(store.folder, 'MANIFEST-')
  const path = join(store.folder, manifest)
  const bytes = readFileSync(path)
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length))
    const report = verifyStoreFiles(store.folder)
    if (report.verdict !== 'ok') continue
    t.ok(report.tornTail)
    await assertOpens(t, store, report, join(temporaryFolder(t), 'scratch'))
  }
  writeFileSync(path, Buffer.concat([bytes, bytes.subarray(0, 9)]))
  const report = verifyStoreFiles(store.folder)
  t.match(report, { verdict: 'ok', tornTail: true }, 'an edit that was being appended')
  await assertOpens(t, store, report, join(temporaryFolder(t), 'scratch'))
})

test('verify: a zeroed page is damage; in the log, zeros up to the end are a torn tail', async (t) => {
  const store = await makeUsualStore(t)
  const prng = new Prng(SEED)
  for (const kind of ['.ldb', '.log', 'MANIFEST-'] as const) {
    for (let count = 0; count < 30; count++) {
      const path = join(store.folder, prng.pick(filesOf(store.folder, kind)) ?? '')
      const size = statSync(path).size
      const length = Math.min(4096, size >> 1)
      const offset = prng.below(Math.max(1, Math.floor((size - length) / 512))) * 512
      const zeroed = withBytes(
        path,
        { offset, length },
        () => Buffer.alloc(length),
        () => verifyStoreFiles(store.folder),
      )
      t.equal(zeroed.verdict, 'damaged', `${kind} at ${offset}`)
    }
  }
  const [log = ''] = filesOf(store.folder, '.log')
  const path = join(store.folder, log)
  const whole = readFileSync(path)
  for (let sector = 0; sector * 512 < whole.length; sector += 5) {
    writeFileSync(path, Buffer.concat([whole.subarray(0, sector * 512), Buffer.alloc(whole.length - sector * 512)]))
    const report = verifyStoreFiles(store.folder)
    t.match(report, { verdict: 'ok', tornTail: true }, `zeros from sector ${sector}`)
    if (sector % 25 === 0) await assertOpens(t, store, report, join(temporaryFolder(t), 'scratch'))
  }
})

test('verify: a missing file is damage', async (t) => {
  const { folder } = await makeUsualStore(t)
  for (const kind of KINDS) {
    for (const name of filesOf(folder, kind)) {
      const path = join(folder, name)
      const bytes = readFileSync(path)
      rmSync(path)
      const report = verifyStoreFiles(folder)
      t.equal(report.verdict, 'damaged', name)
      t.match(report.problems[0], { file: name, kind: 'missing' })
      mkdirSync(path)
      t.match(
        verifyStoreFiles(folder),
        { verdict: 'damaged', problems: [{ kind: 'unreadable' }] },
        `${name} is a folder`,
      )
      rmSync(path, { recursive: true })
      writeFileSync(path, bytes)
    }
  }
})

test('verify: an older log may lack nothing, not even at its end', async (t) => {
  const folder = temporaryFolder(t)
  const store = await makeStore(folder, { seed: 5, tableWrites: 10, logWrites: 40, valueBytes: 20 })
  const [log = ''] = filesOf(folder, '.log')
  const whole = readFileSync(join(folder, log))
  // All records of so short a log are FULL, and such a record may stand anywhere in a block.
  const edges = [0]
  for (let at = 0; at < whole.length; at += 7 + whole.readUInt16LE(at + 4)) edges.push(at)
  const [split = 0, before = 0] = [edges[20], edges[19]]
  const newer = join(folder, logName(Number.parseInt(log, 10) + 5))
  writeFileSync(newer, whole.subarray(split))

  writeFileSync(join(folder, log), whole.subarray(0, split))
  const report = verifyStoreFiles(folder)
  t.match(report, { verdict: 'ok', tornTail: false, logRecords: 40, lastSequence: 50 })
  await assertOpens(t, store, report, join(temporaryFolder(t), 'scratch'))
  for (const length of [before, before + 3, before + 10, split - 1, 0]) {
    writeFileSync(join(folder, log), whole.subarray(0, length))
    t.equal(verifyStoreFiles(folder).verdict, 'damaged', `${length} of ${split} bytes left`)
  }
  writeFileSync(newer, '')
  writeFileSync(join(folder, log), whole.subarray(0, split - 1))
  t.match(verifyStoreFiles(folder), { verdict: 'ok', tornTail: true }, 'a crash while LevelDB recovered the torn log')
})

test('verify: garbage after the last record is damage, whatever it claims to be', async (t) => {
  const { folder } = await makeUsualStore(t)
  const [log = ''] = filesOf(folder, '.log')
  const path = join(folder, log)
  const size = statSync(path).size
  // As a header: any checksum, a length of 1 or 8302 or 65535 bytes, a type that there is not.
  for (const length of [1, 8302, 65_535]) {
    appendFileSync(path, Buffer.from([1, 2, 3, 4, length & 255, length >> 8, 98, ...Buffer.from('garbage')]))
    t.equal(verifyStoreFiles(folder).verdict, 'damaged', `length ${length}`)
    truncateSync(path, size)
  }
})

test('verify: known tables are skipped until they change', async (t) => {
  const { folder } = await makeUsualStore(t)
  const first = verifyStoreFiles(folder)
  t.match(first, { verdict: 'ok', tablesSkipped: 0 })
  const again = verifyStoreFiles(folder, { knownFiles: first.files })
  t.match(again, { verdict: 'ok', tablesSkipped: first.tables, files: first.files })
  t.ok(again.bytesRead < first.bytesRead)
  const [table = ''] = filesOf(folder, '.ldb')
  const damaged = withFlippedBit(join(folder, table), 800, () => verifyStoreFiles(folder, { knownFiles: first.files }))
  t.match(damaged, { verdict: 'damaged', problems: [{ file: table }] })
  t.notOk(
    damaged.files.some(({ name }) => name === table),
    'a damaged file is never a known one',
  )
})
