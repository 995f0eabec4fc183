/** Which plot shows a group: bars of rates for calls, curves where something grows. Pure. */

import { summarize } from '../harness.js'
import { renderBars } from './bars.js'
import type { Results } from './results.js'

export interface PlotFile {
  readonly name: string
  readonly svg: string
}

const BARS: Readonly<Record<string, readonly string[]>> = {
  calls: ['get-serial', 'get-64', 'get-many', 'put-64', 'batch', 'scan-50'],
}

/** By the group's name. */
export function plotsOf(results: Results): Map<string, PlotFile> {
  const plots = new Map<string, PlotFile>()
  for (const [group, workloads] of Object.entries(BARS)) {
    const figures = results[group]?.figures.filter(({ workload }) => workloads.includes(workload)) ?? []
    if (figures.length === 0) continue
    const panels = workloads.flatMap((workload) => {
      const own = figures.filter((figure) => figure.workload === workload)
      const bars = own.map(({ subject, rounds }) => ({ name: subject, ...summarize(rounds) }))
      return bars.length === 0 ? [] : [{ title: workload, bars }]
    })
    plots.set(group, { name: `${group}.svg`, svg: renderBars('Operations a second, logarithmic', panels) })
  }
  return plots
}
