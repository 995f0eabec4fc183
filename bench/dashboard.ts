/**
 * What the dashboard costs: the cluster's throughput with a page open and without, the processor time that it takes of a cluster
 * that does nothing else, the size of the page, and the time until it shows the cluster. `npm run bench:dashboard`; needs Debian's chromium.
 *
 * Writes `dashboard.md`, with other than five nodes `dashboard-64-nodes.md`.
 *
 * --rounds N (default 15)  --nodes N (default 5)  --partitions N (default 128)  --out FOLDER (default bench/results)
 */

import { firstPaints } from './dashboard/first-paint.js'
import { idleCost } from './dashboard/idle-cost.js'
import { renderPage } from './dashboard/render-page.js'
import { pageSizes, Stand } from './dashboard/stand.js'
import { throughputs } from './dashboard/throughput.js'
import { argument, provenance, writePage } from './harness.js'

const NODES = 5
const rounds = Number(argument('rounds') ?? 15)
const nodes = Number(argument('nodes') ?? NODES)
const partitions = Number(argument('partitions') ?? 128)
const from = await provenance('npm run bench:dashboard')

const stand = await Stand.open({ nodes, partitions })
try {
  const paints = await firstPaints(stand)
  const idle = await idleCost(stand)
  const throughput = await throughputs(stand, rounds)
  const page = renderPage({
    from,
    nodes,
    partitions,
    sizes: await pageSizes(),
    paints,
    idle,
    throughput,
  })
  console.log(page)
  await writePage(
    argument('out') ?? 'bench/results',
    nodes === NODES ? 'dashboard.md' : `dashboard-${nodes}-nodes.md`,
    page,
  )
} finally {
  await stand.close()
}
