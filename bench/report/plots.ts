/** Which plot shows a group: bars of rates for calls, curves where something grows. Pure. */

import { summarize } from '../harness.js'
import { renderBars } from './bars.js'
import { type CurvePlan, renderCurves } from './curves.js'
import type { GroupResult, Results } from './results.js'

export interface PlotFile {
  readonly name: string
  readonly svg: string
}

const RATES = 'operations a second'
const NODES = 'nodes'

/** Workloads whose rates are shown as bars. */
const BARS: Readonly<Record<string, readonly string[]>> = {
  calls: ['get-serial', 'get-64', 'get-many', 'put-64', 'batch', 'scan-50'],
  ycsb: ['A-zipfian', 'B-zipfian', 'C-zipfian', 'E-zipfian', 'F-zipfian'],
  durability: ['put-serial', 'put-64', 'batch'],
}

const CURVES: Readonly<Record<string, CurvePlan>> = {
  scaling: {
    title: 'Reads with r=1 against nodes',
    pattern: /^(?<panel>shared|replicas|slow stores), (?<x>\d+) nodes?$/,
    xLabel: NODES,
    yLabel: RATES,
  },
  latency: {
    title: 'Latency of gets that are due whatever happens',
    pattern: /^at-(?<x>\d+)-(?<panel>p50|p99|p99\.9)$/,
    xLabel: "% of each store's own peak rate",
    yLabel: 'ms',
  },
  nodes: {
    title: 'Calls against nodes',
    pattern: /^(?<panel>.+), (?<x>\d+) nodes$/,
    xLabel: NODES,
    yLabel: RATES,
  },
  size: {
    title: 'Calls against records, caches as they are',
    pattern: /^(?<panel>.+), (?<x>[\d,]+)$/,
    xLabel: 'records',
    yLabel: RATES,
  },
}

/** By the group's name. */
export function plotsOf(results: Results): Map<string, PlotFile> {
  const plots = Object.entries(results).flatMap(([group, result]) => {
    const svg = plotOf(group, result)
    return svg === undefined ? [] : [[group, { name: `${group}.svg`, svg }] as const]
  })
  return new Map(plots)
}

function plotOf(group: string, { figures }: GroupResult): string | undefined {
  const curves = CURVES[group]
  if (curves !== undefined) return renderCurves(curves, figures)
  const panels = (BARS[group] ?? []).flatMap((title) => {
    const own = figures.filter(({ workload }) => workload === title)
    const bars = own.map(({ subject, rounds }) => ({ name: subject, ...summarize(rounds) }))
    return bars.length === 0 ? [] : [{ title, bars }]
  })
  return panels.length === 0 ? undefined : renderBars('Operations a second, logarithmic', panels)
}
