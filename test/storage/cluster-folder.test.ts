/** The cluster's own state survives a death at any moment, and damage is never taken for the truth. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import { CheckedFile } from '../../src/storage/checked-file.js'
import {
  CLOCK_SLACK_NS,
  CLUSTER_FORMAT,
  ClusterFolder,
  type ClusterMetadata,
} from '../../src/storage/cluster-folder.js'
import { flipBit } from './arbitraries.js'
import { temporaryFolder } from './leveldb-stores.js'

const metadata: ClusterMetadata = {
  formatVersion: CLUSTER_FORMAT,
  clusterId: 'c1',
  createdAt: '2026-11-23T00:00:00.000Z',
  partitions: 16,
  n: 3,
  conflict: 'lww',
  stage: 'creating',
  nodes: [{ id: 'node1', status: 'member', storeId: '0123456789abcdef' }],
  cleanShutdown: true,
}
const table = (epoch: number): PartitionTable => ({
  epoch,
  n: 3,
  rows: [{ epoch, owners: ['node1', null, 'node2'], pending: [null, null, null], standbys: [], lost: false }],
})

/** A location whose files have all been written twice. */
async function written(t: Test): Promise<string> {
  const location = temporaryFolder(t)
  const { folder } = await ClusterFolder.open(location)
  await Promise.all([
    folder.writeMetadata(metadata),
    folder.writeMetadata({ ...metadata, stage: 'ready' }),
    folder.writeTable(table(1)),
    folder.writeTable(table(2)),
    folder.writeClock(5n),
    folder.writeClock(2n ** 63n),
  ])
  return location
}

const pathOf = (location: string, name: string) => join(location, 'cluster', name)

test('cluster folder: a new one is empty; what was written last is read', async (t) => {
  const location = temporaryFolder(t)
  const { state } = await ClusterFolder.open(location)
  t.same(state, { metadata: undefined, table: undefined, clockCeilingNs: undefined })
  const again = await ClusterFolder.open(await written(t))
  t.same(again.state, {
    metadata: { source: 'newest', value: { ...metadata, stage: 'ready' } },
    table: { source: 'newest', value: table(2) },
    clockCeilingNs: { source: 'newest', value: 2n ** 63n },
  })
})

test('cluster folder: of damaged metadata the spare is taken at its worst', async (t) => {
  const location = await written(t)
  writeFileSync(pathOf(location, 'metadata.json'), '')
  const { state } = await ClusterFolder.open(location)
  t.same(state.metadata, { source: 'previous', value: { ...metadata, stage: 'ready', cleanShutdown: false } })
})

test('cluster folder: of damaged metadata of a restore the spare says that it did not come to its end', async (t) => {
  const location = temporaryFolder(t)
  const { folder } = await ClusterFolder.open(location)
  for (const n of [2, 3]) await folder.writeMetadata({ ...metadata, stage: 'restoring', n })
  writeFileSync(pathOf(location, 'metadata.json'), '')
  const { state } = await ClusterFolder.open(location)
  t.match(state.metadata, { source: 'previous', value: { stage: 'restoring', n: 2 } })
})

test('cluster folder: of a damaged clock the spare is raised; of a damaged table the spare says so', async (t) => {
  const location = await written(t)
  writeFileSync(pathOf(location, 'clock.json'), '{}')
  writeFileSync(pathOf(location, 'table.json'), 'null')
  const { state } = await ClusterFolder.open(location)
  t.same(state.clockCeilingNs, { source: 'previous', value: 5n + CLOCK_SLACK_NS })
  t.same(state.table, { source: 'previous', value: table(1) })
})

test('cluster folder: a table and a clock without metadata are damage, not a new cluster', async (t) => {
  const location = await written(t)
  for (const name of ['metadata.json', 'metadata.json.previous']) rmSync(pathOf(location, name))
  await t.rejects(ClusterFolder.open(location), {
    code: 'LOCATION_DAMAGED',
    facts: { file: pathOf(location, 'metadata.json') },
  })
})

test('cluster folder: both generations damaged is damage, never nothing', async (t) => {
  const location = await written(t)
  for (const name of ['table.json', 'clock.json']) {
    for (const end of ['', '.previous']) writeFileSync(pathOf(location, name + end), '{"format":1}')
  }
  const { state } = await ClusterFolder.open(location)
  t.match(state, { table: 'damaged', clockCeilingNs: 'damaged', metadata: { source: 'newest' } })
  for (const end of ['', '.previous']) writeFileSync(pathOf(location, `metadata.json${end}`), '\u0000')
  await t.rejects(ClusterFolder.open(location), { code: 'LOCATION_DAMAGED' })
})

test('cluster folder: a newer format is refused', async (t) => {
  const location = temporaryFolder(t)
  const { folder } = await ClusterFolder.open(location)
  await folder.writeMetadata({ ...metadata, formatVersion: CLUSTER_FORMAT + 1 })
  await t.rejects(ClusterFolder.open(location), { code: 'LOCATION_MISMATCH' })
})

test('checked file: any flipped bit or lost tail leaves the spare, or changes nothing', async (t) => {
  const path = join(temporaryFolder(t), 'file.json')
  const file = new CheckedFile(path)
  await file.write({ text: 'old', count: 1 })
  await file.write({ text: 'new', count: 2 })
  const whole = readFileSync(path)
  const check = async (bytes: Uint8Array) => {
    writeFileSync(path, bytes)
    const read = await new CheckedFile(path).read()
    const isNewest = read.source === 'newest'
    t.same(read, {
      source: isNewest ? 'newest' : 'previous',
      body: { text: isNewest ? 'new' : 'old', count: isNewest ? 2 : 1 },
    })
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length * 8 - 1), (bit) => check(flipBit(whole, bit))),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), (length) => check(whole.subarray(0, length))),
    { numRuns: 50 },
  )
})

test('checked file: a damaged newest one never pushes the good spare out', async (t) => {
  const path = join(temporaryFolder(t), 'file.json')
  const first = new CheckedFile(path)
  for (const body of ['one', 'two']) await first.write(body)
  writeFileSync(path, 'garbage')
  const second = new CheckedFile(path)
  t.same(await second.read(), { source: 'previous', body: 'one' })
  await second.write('three')
  writeFileSync(path, 'garbage')
  t.same(await new CheckedFile(path).read(), { source: 'previous', body: 'one' })
})

test('checked file: writes are done in the order of the calls, each whole', async (t) => {
  const path = join(temporaryFolder(t), 'file.json')
  const file = new CheckedFile(path)
  const body = { count: 0 }
  const writes: Promise<void>[] = []
  for (body.count = 1; body.count <= 20; body.count++) writes.push(file.write(body))
  await file.settled()
  t.same(await new CheckedFile(path).read(), { source: 'newest', body: { count: 20 } })
  t.match(JSON.parse(readFileSync(`${path}.previous`, 'utf8')), { generation: 19, body: { count: 19 } })
  await Promise.all(writes)
})

test('checked file: a failed write is told, and the next one is done', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'sub', 'file.json')
  const file = new CheckedFile(path)
  await t.rejects(file.write('lost'), { code: 'ENOENT' })
  cpSync(temporaryFolder(t), join(folder, 'sub'), { recursive: true })
  await file.write('kept')
  t.same(await file.read(), { source: 'newest', body: 'kept' })
  t.same(readdirSync(join(folder, 'sub')), ['file.json'], 'no temporary files stay')
  t.equal(existsSync(`${path}.tmp`), false)
})
