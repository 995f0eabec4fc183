/**
 * Too few descriptors: opening either works or is refused with OPEN_FAILED and a cause that names the shortage; nothing
 * crashes, nothing is lost, and with more it works again.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.js'
import type { DescriptorsReport, DescriptorsTask } from './descriptors.child.js'
import { type Effort, firstOf, type Outcome } from './outcome.js'

const RECORDS = 300
const ENOUGH = 1_024
const FEWEST = 40
const MOST = 200
const CASE_MS_MAX = 60_000
/** What the message of a refusal must name. */
const SHORTAGE = /EMFILE|too many open files/i

export async function tortureDescriptors({ folder, count }: Effort): Promise<Outcome> {
  const part = 'descriptors'
  if (process.platform === 'win32') return { part, figures: '', broken: [], notRun: 'Windows has no ulimit' }
  mkdirSync(folder, { recursive: true })
  const task = { location: join(folder, 'data'), records: RECORDS, exhausts: false }
  const broken: string[] = []
  const found: { limit: number; outcome: string }[] = []
  const limits = [ENOUGH, ...spread(count), ENOUGH]
  for (const limit of limits) {
    const isLast = found.length === limits.length - 1
    const answer = await run({ ...task, exhausts: isLast }, limit)
    found.push({ limit, outcome: 'report' in answer ? answer.report.outcome : 'not loaded' })
    broken.push(...wrongOf(answer, limit).map((problem) => `${limit} descriptors: ${problem}`))
  }
  const at = (wanted: string) =>
    found
      .filter(({ outcome }) => outcome === wanted)
      .map(({ limit }) => limit)
      .join(', ')
  const figures = `open at ${at('open')}; OPEN_FAILED at ${at('refused') || 'none'}; not loaded at ${at('not loaded') || 'none'}`
  return { part, figures, broken: firstOf(broken) }
}

async function run(task: DescriptorsTask, descriptorsMax: number) {
  const child = new Child<DescriptorsReport>('./descriptors.child.js', task, { descriptorsMax })
  const answer = await child.next(CASE_MS_MAX)
  await child.ended
  return answer
}

function wrongOf(answer: Awaited<ReturnType<typeof run>>, limit: number): string[] {
  // With very few Node.js cannot even load the program's modules, and says so.
  if ('ended' in answer) return isUnloaded(answer.ended) ? [] : [`the process died: ${answer.ended}`]
  const { outcome, code, message, problems } = answer.report
  if (outcome === 'open') return [...problems]
  if (limit === ENOUGH) return [`it did not open: ${message}`]
  if (code !== 'OPEN_FAILED') return [`it failed with ${code}: ${message}`]
  return SHORTAGE.test(message ?? '') ? [] : [`the error does not name the shortage: ${message}`]
}

function isUnloaded(ended: string): boolean {
  return ended.startsWith('code 1: ') && SHORTAGE.test(ended)
}

/** Ascending; one alone is where opening is refused. */
function spread(count: number): number[] {
  const share = (index: number) => (count === 1 ? 0.14 : index / (count - 1))
  return Array.from({ length: count }, (_, index) => Math.round(FEWEST + (MOST - FEWEST) * share(index)))
}
