/** `bench/results/goals.md`: every goal with what was measured. Pure. */

import type { Goal, Judgement } from '../goals.js'
import { markdownTable, type Row, SHARED_LOAD } from '../harness.js'
import type { Results, Run } from './results.js'
import { SHORTFALLS } from './shortfalls.js'

/** The page. */
export function goalsPage(judgements: readonly Judgement[], results: Results): string {
  const groups = new Set(judgements.map(({ goal }) => goal.group))
  const sources = Object.entries(results)
    .filter(([name]) => groups.has(name))
    .flatMap(([name, { runs }]) => runs.map((run) => `- \`${name}\`${partOf(run, runs)}: ${sourceOf(run)}`))
  const met = judgements.filter(({ verdict }) => verdict === 'met').length
  return `# The goals, and what was measured

${met} of ${judgements.length} met. Remade by \`npm run bench -- --remake\`; every figure behind it is in \`figures.json\`, and as tables [here](bench.md).

A ratio is the median, over the rounds of one run, of Coterie's rate to the peer's in the same round. Three copies of each record on
five nodes, as \`openCluster\` makes them; the column beside it is the same on three nodes, each of which has every record, and the next is with \`nearCacheBytes: 0\`, so that every read asks nodes. Where a goal names Redis without saying how ioredis is set, the faster way counts:
each call by itself, or auto-pipelined. Of what is to be small (stalls, lag, memory) the worst round counts.

${markdownTable(judgements.map(goalRow))}

${shortfallsOf(judgements)}

## Where the figures come from

${sources.join('\n')}
`
}

/** What is known of those that were missed: profiles, and what it would take. */
function shortfallsOf(judgements: readonly Judgement[]): string {
  const missed = judgements.filter(({ verdict }) => verdict === 'MISSED')
  const places = new Set(missed.map(({ goal }) => `${goal.group}/${goal.workload}`))
  const lines = [...places].map((place) => {
    const titles = missed.filter(({ goal }) => `${goal.group}/${goal.workload}` === place).map(({ goal }) => goal.title)
    return `- _${[...new Set(titles)].join('; ')}_: ${SHORTFALLS[place] ?? 'no profile yet.'}`
  })
  return lines.length === 0
    ? 'None was missed.'
    : `## Missed: why, and what it would take\n\nProfiles are of \`perf\`, of days and hours when others used the machine too: shares and processor time, not rates.\n\n${lines.join('\n')}`
}

/** A goal as a row, also for the terminal. */
export function goalRow({ goal, verdict, measured, beside, rates, onThreeNodes, noNearCache }: Judgement): Row {
  return {
    goal: goal.title,
    aim: aimOf(goal, beside),
    measured: measured === undefined ? '—' : shownOf(goal, measured),
    'on 3 nodes': onThreeNodes === undefined ? '' : shownOf(goal, onThreeNodes),
    'no near cache': noNearCache === undefined ? '' : shownOf(goal, noNearCache),
    'Coterie /s': rates === undefined ? '' : Math.round(rates[0]).toLocaleString('en'),
    'peer /s': rates === undefined ? '' : Math.round(rates[1]).toLocaleString('en'),
    verdict,
  }
}

/** Commit, day, machine, load, rounds of a run; of what, where it was not everything. */
export function sourceOf({ at, commit, machine, load, records, rounds }: Run): string {
  const { rounds: count, roundMs, warmUpRounds = 0 } = rounds
  const busy =
    load < SHARED_LOAD ? '' : `; the machine was shared with other work (load ${load.toFixed(1)} at the start)`
  return `commit \`${commit}\`, ${at.slice(0, 10)}, ${machine}; ${records.toLocaleString('en')} records, ${count} rounds of ${roundMs} ms after ${warmUpRounds}${busy}`
}

/** Which workloads a run was of, where there were several. */
export function partOf({ workloads }: Run, runs: readonly Run[]): string {
  return runs.length === 1 ? '' : ` (${workloads.join('; ')})`
}

function aimOf({ aim }: Goal, beside: string | undefined): string {
  if ('beside' in aim) return `≥ ${aim.least} × ${beside ?? aim.beside.join(' or ')}`
  if ('least' in aim) return `≥ ${aim.least} ×`
  return aim.unit === 'count' ? 'none' : `< ${aim.most} ${aim.unit}`
}

function shownOf({ aim }: Goal, value: number): string {
  if ('beside' in aim || aim.unit === 'x') return `${value.toFixed(2)} ×`
  return aim.unit === 'count' ? value.toFixed(0) : `${value.toFixed(1)} ${aim.unit}`
}
