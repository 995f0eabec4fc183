/** `bench/results/bench.md`: every figure, a table for each workload's group, and the plots. Pure. */

import type { Figure } from '../figures.js'
import { ratioOf, spreadOf } from '../figures.js'
import type { Group } from '../groups/group.js'
import { markdownTable, type Row, summarize } from '../harness.js'
import { partOf, sourceOf } from './goals-page.js'
import type { GroupResult, Results } from './results.js'

/** The page; `plots` are the files of each group. */
export function benchPage(groups: readonly Group[], results: Results, plots: ReadonlyMap<string, string>): string {
  const parts = groups.flatMap((group) => {
    const result = results[group.name]
    return result === undefined ? [] : [groupPart(group, result, plots.get(group.name))]
  })
  return `# The bench

Remade by \`npm run bench -- --remake\` (everything) or \`npm run bench -- --remake --only GROUP\`. The goals are judged [here](goals.md); the figures of every round are in \`figures.json\`.

All subjects of a table were open at once, had the same records, and were measured in turn in every round. _median_, _min_ and _max_ are over the rounds;
_±_ is the standard error of the median; _ratio_ is to the first row of the workload, round by round. Who has caches of records has as many bytes of them as Coterie's nodes have together; Redis has everything in memory.
Before workloads are measured every subject reads each record once (of more than a million, a million of them), so that caches hold what they can; the
puts, batches, scans, durability and cluster sizes of commit \`653ecad58\` had only the rounds before that do not count.

${parts.join('\n')}`
}

function groupPart(group: Group, { runs, figures }: GroupResult, plot: string | undefined): string {
  const sources = runs.map((run) => {
    const missing = Object.entries(run.missing).map(([who, why]) => `; **not measured: ${who}** (${why})`)
    return `- measured${partOf(run, runs)}: ${sourceOf(run)}${missing.join('')}`
  })
  return `## ${group.title}

${group.about}

${sources.join('\n')}
${plot === undefined ? '' : `\n![${group.title}](${plot})\n`}
${markdownTable(figures.map((figure) => figureRow(figure, figures)))}
`
}

/** A figure as a row, also for the terminal. */
export function figureRow(figure: Figure, figures: readonly Figure[]): Row {
  const { workload, subject, unit, rounds } = figure
  const { median, min, max } = summarize(rounds)
  const [first, second] = figures.filter((one) => one.workload === workload && one.unit === unit)
  const ratio = first === undefined || second === undefined || unit !== 'ops/s' ? undefined : ratioOf(figure, first)
  return {
    what: workload,
    who: subject,
    median: `${shown(median)} ${unit}`,
    min: shown(min),
    max: shown(max),
    '±': rounds.length < 2 || median === 0 ? '' : `${(spreadOf(rounds) * 100).toFixed(0)} %`,
    ratio: ratio === undefined ? '' : ratio.median.toFixed(2),
  }
}

function shown(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
