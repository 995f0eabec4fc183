/**
 * Do reads scale over nodes? Full copies on one to five nodes (`n: 'all'`, r=1), read by one thread and by two.
 *
 * --quick  --records N  --rounds N  --round-ms N
 *
 * Every cluster size is opened alone: idle nodes of another would take part in the measurement. So sizes are not interleaved,
 * and the whole series is gone through twice, up and down, to see what the machine did meanwhile.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from '../src/index.js'
import {
  argument,
  flag,
  type Measurement,
  machineLine,
  makeChance,
  measureInterleaved,
  printTable,
  runCalls,
  summarize,
} from './harness.js'
import { type ReaderReply, startReaders } from './reader-threads.js'
import { coterieSubject } from './subjects/coterie.js'
import { type Data, makeData, type Subject } from './subjects/subject.js'

const quick = flag('quick')
const records = Number(argument('records') ?? (quick ? 10_000 : 100_000))
const rounds = Number(argument('rounds') ?? (quick ? 2 : 5))
const roundMs = Number(argument('round-ms') ?? (quick ? 200 : 1_000))
const NODES_MAX = 5
const READER_THREADS = 2

const data = makeData(records, 100)
const found = new Map<string, number[]>()
console.log(
  `${machineLine()}\n${records} records of 100 bytes, n: 'all', r=1, ${rounds} rounds of ${roundMs} ms, twice\n`,
)
const up = Array.from({ length: NODES_MAX }, (_, index) => index + 1)
for (const nodes of [...up, ...up.toReversed()]) await measureNodes(nodes)
report()

async function measureNodes(nodes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coterie-scaling-'))
  const cluster = await openCluster({ location: folder, nodes, replication: { n: 'all' } })
  const subject = coterieSubject(cluster, data, { name: `${nodes}`, r: 1, w: 1 })
  await subject.load(data)
  const readers = await startReaders(cluster.ticket(), data.keys.length, READER_THREADS)
  const measurements = measurementsOf(subject, data, readers.run)
  for (const [name, { rounds: rates }] of await measureInterleaved(measurements, { rounds, roundMs })) {
    const key = `${name}|${nodes}`
    found.set(key, [...(found.get(key) ?? []), ...rates])
  }
  await readers.close()
  await cluster.close()
  await rm(folder, { recursive: true })
}

function measurementsOf(subject: Subject, { keys }: Data, runReaders: (until: number) => Promise<ReaderReply[]>) {
  const chance = makeChance(7)
  const key = () => keys[Math.floor(chance() * keys.length)] ?? ''
  const many = () => Array.from({ length: 100 }, key)
  return new Map<string, Measurement>([
    ['get, 64 in flight', (until) => runCalls(until, 64, () => subject.get(key()))],
    ['getMany(100), 4 in flight', (until) => runCalls(until, 4, () => subject.getMany(many()))],
    [
      `get, 64 in flight in each of ${READER_THREADS} threads`,
      async (until) => (await runReaders(until)).reduce((sum, { operations }) => sum + operations, 0),
    ],
  ])
}

function report(): void {
  const rows = [...found].map(([key, rates]) => {
    const [what = '', nodes = ''] = key.split('|')
    const { median, min, max } = summarize(rates)
    const alone = summarize(found.get(`${what}|1`) ?? []).median
    return { what, nodes, 'ops/s': median, min, max, 'to one node': `${(median / alone).toFixed(2)} ×` }
  })
  rows.sort((a, b) => a.what.localeCompare(b.what) || a.nodes.localeCompare(b.nodes))
  printTable(rows)
  console.log(`\nNodes beyond the ${availableParallelism()} cores of this machine can only share them.`)
}
