/**
 * Too few descriptors: opening either works or is refused with OPEN_FAILED and a cause that names the shortage; nothing
 * crashes, nothing is lost, and with more it works again.
 *
 * The process uses up all but a few by itself, once its modules are loaded: how many Node.js has open while it loads them is chance.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.js'
import type { DescriptorsReport, DescriptorsTask } from './descriptors.child.js'
import { type Effort, firstOf, type Outcome } from './outcome.js'

const RECORDS = 300
/** Of the process. */
const DESCRIPTORS = 1_024
const FEWEST = 1
const MOST = 100
const CASE_MS_MAX = 60_000
/** What the message of a refusal must name. */
const SHORTAGE = /EMFILE|too many open files/i

export async function tortureDescriptors({ folder, count }: Effort): Promise<Outcome> {
  const part = 'descriptors'
  if (process.platform === 'win32') return { part, figures: '', broken: [], notRun: 'Windows has no ulimit' }
  mkdirSync(folder, { recursive: true })
  const task = { location: join(folder, 'data'), records: RECORDS, exhausts: false }
  const broken: string[] = []
  const found: { left: string; outcome: string }[] = []
  const all = [undefined, ...spread(count), undefined]
  for (const left of all) {
    const isLast = found.length === all.length - 1
    const answer = await run({ ...task, ...(left === undefined ? {} : { left }), exhausts: isLast })
    const name = left === undefined ? 'all' : String(left)
    found.push({ left: name, outcome: 'report' in answer ? answer.report.outcome : 'died' })
    broken.push(...wrongOf(answer, left).map((problem) => `${name} descriptors: ${problem}`))
  }
  const at = (wanted: string) =>
    found
      .filter(({ outcome }) => outcome === wanted)
      .map(({ left }) => left)
      .join(', ')
  return { part, figures: `open at ${at('open')}; OPEN_FAILED at ${at('refused') || 'none'}`, broken: firstOf(broken) }
}

async function run(task: DescriptorsTask) {
  const child = new Child<DescriptorsReport>('./descriptors.child.js', task, { descriptorsMax: DESCRIPTORS })
  const answer = await child.next(CASE_MS_MAX)
  await child.ended
  return answer
}

function wrongOf(answer: Awaited<ReturnType<typeof run>>, left: number | undefined): string[] {
  if ('ended' in answer) return [`the process died: ${answer.ended}`]
  const { outcome, code, message, problems } = answer.report
  if (outcome === 'open') return [...problems]
  if (left === undefined) return [`it did not open: ${message}`]
  if (code !== 'OPEN_FAILED') return [`it failed with ${code}: ${message}`]
  return SHORTAGE.test(message ?? '') ? [] : [`the error does not name the shortage: ${message}`]
}

/** Ascending; one alone is where opening is refused. */
function spread(count: number): number[] {
  const share = (index: number) => (count === 1 ? 0.2 : index / (count - 1))
  return Array.from({ length: count }, (_, index) => Math.round(FEWEST + (MOST - FEWEST) * share(index)))
}
