/**
 * `npm run bench`: Coterie through its public door, classic-level beside it in the same run, and the ratios of the two.
 *
 * --quick      a tenth of the records, short rounds: shows that it works, measures little
 * --records N  --rounds N  --round-ms N  --warm-up-rounds N
 * --only NAME  groups whose name begins like this
 * --json FILE  writes the figures
 *
 * The exit code says whether the targets held (not with --quick).
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from '../src/index.js'
import { argument, flag, machineLine, measureInterleaved, printTable, summarize, versionOf } from './harness.js'
import { type Group, groupsOf, SETUPS } from './scenarios.js'
import { openClassicLevel } from './subjects/classic-level.js'
import { coterieSubject } from './subjects/coterie.js'
import { makeData } from './subjects/subject.js'

const quick = flag('quick')
const records = Number(argument('records') ?? (quick ? 20_000 : 200_000))
const rounds = Number(argument('rounds') ?? (quick ? 3 : 7))
const roundMs = Number(argument('round-ms') ?? (quick ? 200 : 1_000))
const warmUpRounds = Number(argument('warm-up-rounds') ?? (quick ? 1 : 20))
/** Only groups whose name begins like this. */
const only = argument('only') ?? ''
const VALUE_BYTES = 100

/** A line of the result. */
interface Figure {
  readonly group: string
  readonly subject: string
  readonly operationsPerSecond: number
  readonly min: number
  readonly max: number
  readonly ratio: number
  readonly target: number | undefined
}

const folder = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
try {
  await run()
} finally {
  await rm(folder, { recursive: true })
}

async function run(): Promise<void> {
  const data = makeData(records, VALUE_BYTES)
  const machine = machineLine({ 'classic-level': await versionOf('classic-level') })
  console.log(
    `${machine}\n${records} records of ${VALUE_BYTES} bytes, median of ${rounds} rounds of ${roundMs} ms after ${warmUpRounds} to warm up\n`,
  )
  const level = await openClassicLevel(join(folder, 'classic-level'))
  await level.load(data)
  const figures: Figure[] = []
  for (const [number, setup] of SETUPS.entries()) {
    const { nodes, coordination } = setup
    const location = join(folder, `cluster${number}`)
    const cluster = await openCluster({ location, nodes, coordination, replication: { n: 3, r: 2, w: 2 } })
    const subjects = {
      level,
      r1: coterieSubject(cluster, data, { name: 'Coterie r=1', r: 1, w: 2 }),
      r2: coterieSubject(cluster, data, { name: 'Coterie r=2', r: 2, w: 2 }),
    }
    await subjects.r2.load(data)
    for (const group of groupsOf(subjects, data, setup))
      if (group.name.startsWith(only)) figures.push(...(await measureGroup(group)))
    await cluster.close()
  }
  await level.close()
  report(figures, machine)
  const file = argument('json')
  if (file !== undefined)
    await writeFile(file, `${JSON.stringify({ machine, records, rounds, roundMs, warmUpRounds, figures }, null, 2)}\n`)
}

async function measureGroup({ name, measurements, targets }: Group): Promise<Figure[]> {
  const rates = await measureInterleaved(measurements, { rounds, roundMs, warmUpRounds })
  const [base] = rates.values()
  return [...rates].map(([subject, { median, min, max, rounds: own }]) => ({
    group: name,
    subject,
    operationsPerSecond: median,
    min,
    max,
    // Of each round with the one beside it: what the machine does meanwhile falls on both.
    ratio: summarize(own.map((rate, round) => rate / (base?.rounds[round] ?? Number.NaN))).median,
    target: targets[subject],
  }))
}

function report(figures: readonly Figure[], machine: string): void {
  printTable(
    figures.map((figure) => ({
      what: figure.group,
      who: figure.subject,
      'ops/s': figure.operationsPerSecond,
      min: figure.min,
      max: figure.max,
      ratio: `${figure.ratio.toFixed(2)} ×`,
      target: figure.target === undefined ? '' : `≥ ${figure.target.toFixed(2)} ${isMet(figure) ? 'met' : 'MISSED'}`,
    })),
  )
  console.log(`\nratio: to classic-level in the same round, median of all rounds · ${machine}`)
  const missed = figures.filter((figure) => !isMet(figure))
  if (missed.length > 0 && !quick) process.exitCode = 1
}

function isMet({ ratio, target }: Figure): boolean {
  return target === undefined || ratio >= target
}
