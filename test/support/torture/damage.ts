/**
 * Damage at rest to one file or folder of a cluster, then an opening: the process never dies, quorum reads and scans serve the newest
 * of everything, the node heals by itself. `count` places in every kind of file.
 *
 * What opens runs in other processes, so that a native abort is a failure of its case, told with its seed.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.js'
import type { ClosedTask } from './damage-closed.child.js'
import type { DamageReport } from './damage-judge.js'
import { CLUSTER_FILES, type FileKind, isClusterFile, NODE_FILES } from './damage-kinds.js'
import { type DamageCase, describeCase, planDamages } from './damage-plan.js'
import { prepareWhole, type Whole } from './damage-prepare.js'
import type { RunningTask } from './damage-running.child.js'
import { type Effort, firstOf, type Outcome } from './outcome.js'

const CASE_MS_MAX = 120_000
/** The cluster's own files know nothing of how many nodes there are. */
const NODES_MIN = 3
/** Processes that open what was closed; one more runs. */
const CLOSED_LANES = 2

export async function tortureByDamage(effort: Effort & { readonly sample?: number }): Promise<Outcome> {
  const { folder, seed, count, nodes, sample = Number.POSITIVE_INFINITY } = effort
  const startedMs = performance.now()
  mkdirSync(folder, { recursive: true })
  const cases = planDamages(count, seed).slice(0, sample)
  const [big, small] = [wholeIn(folder, 'big'), wholeIn(folder, 'small')]
  await prepareWhole(big, nodes)
  await prepareWhole(small, NODES_MIN)
  const isOfCluster = ({ damage: { kind } }: DamageCase) => kind !== 'folder' && isClusterFile(kind)
  const closed = cases.filter(({ when }) => when === 'closed')
  const running = cases.filter(({ when }) => when === 'running')
  const tally = new Tally()
  const lanes = Array.from({ length: CLOSED_LANES }, (_, lane) =>
    examineAll(closed, tally, './damage-closed.child.js', (damage): ClosedTask => {
      return { damage, whole: isOfCluster(damage) ? small : big, location: join(folder, `closed-${lane}`) }
    }),
  )
  const location = join(folder, 'running')
  lanes.push(
    examineAll(
      running,
      tally,
      './damage-running.child.js',
      (damage, isLast): RunningTask => ({ damage, nodes, location, isLast }),
    ),
  )
  await Promise.all(lanes)
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  return { part: 'damage', figures: `${tally.figures()}, ${seconds} s`, broken: firstOf(tally.broken) }
}

function wholeIn(folder: string, name: string): Whole {
  const inIt = (what: string) => join(folder, `${name}-${what}`)
  return { location: inIt('whole'), older: inIt('older'), expected: inIt('expected.json') }
}

/** Takes cases off the list, one after the other, to a process that takes them; another one takes its place when it has died. */
async function examineAll(
  cases: DamageCase[],
  tally: Tally,
  entry: string,
  taskOf: (damage: DamageCase, isLast: boolean) => ClosedTask | RunningTask,
): Promise<void> {
  let child: Child<DamageReport> | undefined
  for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
    child ??= new Child<DamageReport>(entry, null)
    child.send(taskOf(next, cases.length === 0))
    const answer = await child.next(CASE_MS_MAX)
    tally.count(next, answer)
    if ('ended' in answer) child = undefined
  }
  child?.disconnect()
}

class Tally {
  readonly broken: string[] = []
  readonly #places = new Map<FileKind | 'folder', number>()
  readonly #fates = { noticed: 0, refused: 0, unnoticed: 0 }
  #running = 0
  #deaths = 0
  #healedMsMax = 0

  count(damage: DamageCase, answer: { readonly report: DamageReport } | { readonly ended: string }): void {
    const { kind } = damage.damage
    this.#places.set(kind, (this.#places.get(kind) ?? 0) + 1)
    this.#running += damage.when === 'running' ? 1 : 0
    if ('ended' in answer) {
      this.#deaths += 1
      this.broken.push(`${describeCase(damage)}: the process died: ${answer.ended}`)
      return
    }
    const { what, problems, healedMs, fate } = answer.report
    this.#fates[fate] += 1
    this.#healedMsMax = Math.max(this.#healedMsMax, healedMs)
    for (const problem of problems) this.broken.push(`${describeCase(damage)} (${what}): ${problem}`)
  }

  figures(): string {
    const kinds = [...NODE_FILES, ...CLUSTER_FILES].map((kind) => `${kind} ${this.#places.get(kind) ?? 0}`)
    const files = [...this.#places].reduce((sum, [kind, count]) => sum + (kind === 'folder' ? 0 : count), 0)
    const { noticed, refused, unnoticed } = this.#fates
    return [
      `${files} damaged files (${kinds.join(', ')}) and ${this.#places.get('folder') ?? 0} folders`,
      `${this.#running} of them while the cluster ran`,
      `${noticed} noticed, ${refused} refused, ${unnoticed} made no difference`,
      `${this.#deaths} deaths`,
      `healed within ${Math.round(this.#healedMsMax)} ms`,
    ].join(', ')
  }
}
