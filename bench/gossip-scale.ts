/**
 * `npm run bench:gossip-scale`: does gossip reach everybody in O(log n) rounds, what does it cost, and is silence found?
 * The real membership machines of 10 to 1,000 members on a virtual clock; writes a page with tables and a plot.
 *
 * --quick       small clusters, few seeds; prints, and writes only where --out says
 * --out FOLDER  (default bench/results)
 * --json FILE   writes what was measured
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measureSize, type SizeResult, watchQuiet } from './gossip/measure-size.js'
import { type Findings, panelsOf, renderReport } from './gossip/report.js'
import { argument, flag, machineLine } from './harness.js'
import { renderPlot } from './report/line-plot.js'

const quick = flag('quick')
const out = argument('out') ?? (quick ? undefined : 'bench/results')
/** Work grows with n²; so many members, so many seeds. */
const seedsOf = quick
  ? new Map([
      [10, 5],
      [30, 5],
      [100, 2],
    ])
  : new Map([
      [10, 40],
      [30, 40],
      [64, 40],
      [100, 20],
      [300, 5],
      [1_000, 2],
    ])
const restMs = quick ? 2_000 : 5_000
/** Members and virtual minutes in which nothing happens. */
const quietRuns = quick
  ? new Map([[10, 1]])
  : new Map([
      [64, 10],
      [100, 60],
    ])

// First, while the heap is small: what a thousand members leave behind would blur what these keep.
const quiet = [...quietRuns].map(([members, minutes]) => watchQuiet(members, 1, minutes * 60_000))
const sizes: SizeResult[] = []
for (const [members, seeds] of seedsOf) {
  const result = measureSize(
    members,
    Array.from({ length: seeds }, (_, index) => index + 1),
    restMs,
  )
  console.error(`${members} members, ${seeds} seeds: ${(result.wallMs / 1_000).toFixed(0)} s`)
  sizes.push(result)
}
await report({ machine: machineLine(), sizes, quiet })

async function report(findings: Findings): Promise<void> {
  const page = renderReport(findings)
  console.log(page)
  const file = argument('json')
  if (file !== undefined) await writeFile(file, `${JSON.stringify(findings, null, 2)}\n`)
  if (out === undefined) return
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'gossip-scale.md'), page)
  await writeFile(
    join(out, 'gossip-scale.svg'),
    renderPlot('Gossip of real membership machines in virtual time', panelsOf(findings)),
  )
}
