/**
 * `coterie sim`: runs seeds of the simulator, spread over threads, and says what broke. A seed that fails is run again here,
 * made smaller, and printed with the command that replays it.
 */

import { availableParallelism } from 'node:os'
import { createTaskThreads } from '../../actors/pool.js'
import type { Message } from '../protocol/messages.js'
import { describeInjected, type Plan, planOf, type RunReport, runPlan, shrink, Trace } from '../sim/index.js'
import type { SimTask } from '../sim/sim.task.js'
import type { SimCommand } from './commands.js'
import { stylerFor } from './terminal/style.js'

/** Seeds in one task: enough that threads are not waited for, few enough that progress is seen. */
const SEEDS_A_TASK = 10
/** Runs that fail and are looked into; the others are only named. */
const EXPLAINED_MAX = 3
/** Lines of a failing run's trace that are shown. */
const TRACE_LINES = 60

const EXIT_FAILED = 1

export async function simCommand(command: SimCommand): Promise<number> {
  if (command.seeds.length === 1) return oneSeed(command)
  const startedAt = performance.now()
  const reports = await runAll(command)
  const failed = reports.filter(({ violations }) => violations.length > 0)
  const seconds = (performance.now() - startedAt) / 1_000
  if (command.json) for (const report of reports) say(JSON.stringify(report))
  else for (const line of summary(reports, seconds)) say(line)
  for (const { seed } of failed.slice(0, EXPLAINED_MAX)) explain(planOf(seed, command.options), command)
  if (failed.length > EXPLAINED_MAX)
    say(
      `Also: seeds ${failed
        .slice(EXPLAINED_MAX)
        .map(({ seed }) => seed)
        .join(' ')}`,
    )
  return failed.length === 0 ? 0 : EXIT_FAILED
}

function oneSeed(command: SimCommand): number {
  const plan = planAsked(command)
  if (command.trace) {
    const { report, lines } = traced(plan, command.gossip)
    for (const line of lines) say(line)
    for (const line of violationLines(report)) say(line)
    return report.violations.length === 0 ? 0 : EXIT_FAILED
  }
  const report = runPlan(plan)
  if (command.json) say(JSON.stringify(report))
  else {
    say(
      `seed ${report.seed}: ${plan.nodes} nodes, ${report.operations} calls, ${report.virtualMs.toFixed(0)} ms of virtual time`,
    )
    say(`  faults: ${describeInjected(report.faults)}`)
    say(
      `  calls: ${Object.entries(report.ends)
        .map(([end, count]) => `${end} ${count}`)
        .join(', ')}`,
    )
  }
  if (report.violations.length === 0) {
    if (!command.json) say('  nothing is broken')
    return 0
  }
  explain(plan, command)
  return EXIT_FAILED
}

function planAsked({ seeds, options, only, clients, gateways }: SimCommand): Plan {
  const plan = planOf(seeds[0] ?? 0, options)
  const faults = only === undefined ? plan.faults : plan.faults.filter(({ number }) => only.includes(number))
  return { ...plan, faults, clients: clients ?? plan.clients, gateways: gateways ?? plan.gateways }
}

async function runAll({ seeds, options, threads, json }: SimCommand): Promise<RunReport[]> {
  const pool = createTaskThreads<SimTask, RunReport[]>({
    taskUrl: new URL('../sim/sim.task.js', import.meta.url),
    name: 'runSeeds',
    maxThreads: threads ?? availableParallelism(),
  })
  const tasks: SimTask[] = []
  for (let from = 0; from < seeds.length; from += SEEDS_A_TASK)
    tasks.push({ seeds: seeds.slice(from, from + SEEDS_A_TASK), options })
  const isShown = process.stderr.isTTY && !json
  let done = 0
  try {
    const reports = await Promise.all(
      tasks.map(async (task) => {
        const some = await pool.run(task)
        done += some.length
        if (isShown) process.stderr.write(`\r${done} of ${seeds.length} seeds `)
        return some
      }),
    )
    return reports.flat()
  } finally {
    if (isShown) process.stderr.write('\r\u001B[K')
    await pool.close()
  }
}

function summary(reports: readonly RunReport[], seconds: number): string[] {
  const failed = reports.filter(({ violations }) => violations.length > 0)
  const total = (of: (report: RunReport) => number): number => reports.reduce((sum, report) => sum + of(report), 0)
  const faultsOf = ({ faults }: RunReport): number => Object.values(faults).reduce((sum, count) => sum + count, 0)
  const fewest = Math.min(...reports.map(faultsOf))
  const kinds = Math.min(...reports.map(({ faults }) => Object.keys(faults).length))
  const settled = [...reports].sort((a, b) => a.settledAfterMs - b.settledAfterMs)
  const [median, last] = [settled[settled.length >> 1], settled.at(-1)]
  return [
    `${reports.length} seeds, ${failed.length} broken, in ${seconds.toFixed(1)} s (${((reports.length * 60) / seconds).toFixed(0)} a minute)`,
    `  ${total(({ operations }) => operations)} calls, ${total(faultsOf)} faults (each run ${fewest} or more, of ${kinds} kinds or more), ${(total(({ virtualMs }) => virtualMs) / 1_000).toFixed(0)} s of virtual time`,
    `  settled after the faults: median ${median?.settledAfterMs.toFixed(0)} ms, at most ${last?.settledAfterMs.toFixed(0)} ms (seed ${last?.seed})`,
  ]
}

/** What broke, how to see it, and the smallest run that still breaks. */
function explain(plan: Plan, command: SimCommand): void {
  const report = runPlan(plan)
  for (const line of violationLines(report)) say(line)
  say(`  replay: ${replayOf(plan, command)} --trace`)
  const [violation] = report.violations
  if (violation === undefined || !command.shrink) return
  const { plan: small, runs } = shrink(plan, violation.checker)
  const { report: smallReport, lines } = traced(small, command.gossip)
  say(`  smaller (${runs} runs): ${small.nodes} nodes, ${small.operations} calls, ${small.faults.length} faults`)
  say(`  replay: ${replayOf(small, command)} --trace`)
  const atMs = smallReport.violations[0]?.atMs ?? Number.POSITIVE_INFINITY
  const until = lines.filter((line) => Number.parseFloat(line) <= atMs)
  say(`  the last ${Math.min(TRACE_LINES, until.length)} lines of its trace before that:`)
  for (const line of until.slice(-TRACE_LINES)) say(`    ${line}`)
}

function replayOf(plan: Plan, { options }: SimCommand): string {
  const whole = planOf(plan.seed, options)
  const parts = [`coterie sim --seed ${plan.seed}`]
  if (options.operations !== undefined || plan.operations !== whole.operations)
    parts.push(`--operations ${plan.operations}`)
  if (options.nodes !== undefined || plan.nodes !== whole.nodes) parts.push(`--nodes ${plan.nodes}`)
  if (plan.clients !== whole.clients) parts.push(`--clients ${plan.clients}`)
  if (plan.gateways !== whole.gateways) parts.push(`--gateways ${plan.gateways}`)
  if (plan.faults.length < whole.faults.length) {
    const numbers = plan.faults.map(({ number }) => number).join(',')
    parts.push(`--only ${numbers === '' ? 'none' : numbers}`)
  }
  return parts.join(' ')
}

function traced(plan: Plan, gossip: boolean): { readonly report: RunReport; readonly lines: readonly string[] } {
  const isShown = ({ type }: Message): boolean =>
    gossip || !(type.startsWith('gossip/') || type === 'membership/heartbeat')
  const trace = new Trace({ isShown })
  const report = runPlan(plan, [trace])
  return { report, lines: trace.lines }
}

function violationLines({ seed, violations }: RunReport): string[] {
  const style = stylerFor(process.stdout)
  return violations.map(
    ({ checker, rule, detail, atMs }) =>
      `${style('red', 'BROKEN')} seed ${seed} at ${atMs.toFixed(3)} ms, ${checker} (${rule}): ${detail}`,
  )
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
