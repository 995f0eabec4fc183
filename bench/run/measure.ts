/** Measures workloads one after the other, every subject in every round of each. */

import type { Figure } from '../figures.js'
import { measureInterleaved } from '../harness.js'
import { readAll } from '../subjects/read-all.js'
import type { Data, Subject } from '../subjects/subject.js'
import type { Workload } from '../workloads.js'
import type { Context } from './context.js'
import { type HostPlan, onStage } from './stage.js'

/** What is measured beside each other under which name. */
export interface Stage {
  readonly group: string
  readonly data: Data
  readonly plans: readonly HostPlan[]
  readonly workloads: readonly Workload[]
}

interface Subjects {
  readonly subjects: readonly Subject[]
}

/** The figures, in the order of workloads and subjects. Nothing is opened if `--only` wants none of it. */
export async function measureStage(context: Context, { group, data, plans, ...stage }: Stage): Promise<Figure[]> {
  const workloads = stage.workloads.filter(({ name }) => isWanted(context, name))
  if (workloads.length === 0) return []
  return onStage(context, { data, plans }, (subjects) =>
    measureWorkloads(context, { group, workloads, subjects, data }),
  )
}

async function measureWorkloads(context: Context, input: Omit<Stage, 'plans'> & Subjects): Promise<Figure[]> {
  const { group, workloads, subjects, data } = input
  if (!context.quick) await warmUp(input)
  const figures: Figure[] = []
  for (const workload of workloads) {
    const able = subjects.filter((subject) => isAble(subject, workload))
    const measurements = new Map(able.map((subject) => [subject.name, workload.measurement(subject, data)] as const))
    const rates = await measureInterleaved(measurements, roundsOf(context, workload))
    for (const [subject, { rounds }] of rates)
      figures.push({ group, workload: workload.name, subject, unit: 'ops/s', rounds })
    context.say(
      `  ${workload.title}: ${[...rates].map(([name, rate]) => `${name} ${shortly(rate.median)}`).join(' · ')}`,
    )
  }
  return figures
}

async function warmUp({ workloads, subjects, data }: Omit<Stage, 'plans' | 'group'> & Subjects): Promise<void> {
  for (const subject of subjects) await readAll(subject, data)
  for (const subject of subjects.filter(({ warmUpMs }) => warmUpMs > 0))
    for (const workload of workloads.filter((one) => isAble(subject, one)))
      await workload.measurement(subject, data)(performance.now() + subject.warmUpMs)
}

/** By `--only GROUP/WORKLOAD`. */
export function isWanted({ workloadPrefixes }: Context, workload: string): boolean {
  return workloadPrefixes.length === 0 || workloadPrefixes.some((prefix) => workload.startsWith(prefix))
}

function roundsOf({ rounds, quick }: Context, { roundMsMin = 0, roundMsMax = Number.POSITIVE_INFINITY }: Workload) {
  const roundMs = Math.min(rounds.roundMs, roundMsMax)
  return { ...rounds, roundMs: quick ? roundMs : Math.max(roundMs, roundMsMin) }
}

function isAble(subject: Subject, { needsScans = false, needsAtomicBatches = false, kind }: Workload): boolean {
  const hasAll = (subject.scans || !needsScans) && (subject.hasAtomicBatches || !needsAtomicBatches)
  return hasAll && !(kind === 'write' && subject.isTwinInWrites)
}

function shortly(rate: number): string {
  return rate >= 10_000 ? `${Math.round(rate / 1_000)}k` : `${Math.round(rate)}`
}
