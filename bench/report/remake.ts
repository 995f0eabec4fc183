/** Keeps what was measured now beside what was kept of other groups, and remakes every page and plot of it. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GOALS, judgeGoals } from '../goals.js'
import { GROUPS } from '../groups.js'
import { benchPage } from './bench-page.js'
import { goalsPage } from './goals-page.js'
import { plotsOf } from './plots.js'
import { ratiosOf, writeRatios } from './ratios.js'
import { mergeResult, RESULTS_FOLDER, type Results, readResults, writeResults } from './results.js'

/** Results, ratios, tables, goals, plots. */
export async function remakePages(measured: Results): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true })
  const results = mergeResults(await readResults(), measured)
  await writeResults(results)
  const figures = Object.values(results).flatMap((result) => result.figures)
  await writeRatios(ratiosOf(figures))
  const plots = new Map<string, string>()
  for (const [group, { name, svg }] of plotsOf(results)) {
    await writeFile(join(RESULTS_FOLDER, name), svg)
    plots.set(group, name)
  }
  await writeFile(join(RESULTS_FOLDER, 'bench.md'), benchPage(GROUPS, results, plots))
  await writeFile(join(RESULTS_FOLDER, 'goals.md'), goalsPage(judgeGoals(GOALS, figures), results))
}

/** In the order of the groups. */
function mergeResults(kept: Results, measured: Results): Results {
  const merged = GROUPS.flatMap(({ name }) => {
    const [before, now] = [kept[name], measured[name]]
    const result = now === undefined ? before : mergeResult(before, now)
    return result === undefined ? [] : [[name, result] as const]
  })
  return Object.fromEntries(merged)
}
