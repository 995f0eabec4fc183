/**
 * What the dashboard costs: the cluster's throughput with a page open and without, the processor time that it takes of a cluster
 * that does nothing else, the size of the page, and the time until it shows the cluster. `npm run bench:dashboard`; needs Debian's chromium.
 *
 * --rounds N (default 24)  --nodes N (default 5)  --partitions N (default 128)  --out FILE (a Markdown page)
 */

import { writeFile } from 'node:fs/promises'
import { firstPaints } from './dashboard/first-paint.js'
import { idleCost } from './dashboard/idle-cost.js'
import { renderPage } from './dashboard/render-page.js'
import { pageSizes, Stand } from './dashboard/stand.js'
import { throughputs } from './dashboard/throughput.js'
import { argument, machineLine } from './harness.js'

const rounds = Number(argument('rounds') ?? 24)
const nodes = Number(argument('nodes') ?? 5)
const partitions = Number(argument('partitions') ?? 128)
const out = argument('out')

const stand = await Stand.open({ nodes, partitions })
try {
  const paints = await firstPaints(stand)
  const idle = await idleCost(stand)
  const throughput = await throughputs(stand, rounds)
  const page = renderPage({
    machine: machineLine(),
    nodes,
    partitions,
    sizes: await pageSizes(),
    paints,
    idle,
    throughput,
  })
  console.log(page)
  if (out !== undefined) await writeFile(out, page)
} finally {
  await stand.close()
}
