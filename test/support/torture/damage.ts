/**
 * Damage at rest to one node of a closed cluster, then an opening: the process never dies, quorum reads and scans serve the
 * newest of everything, the node heals by itself.
 *
 * A small cluster is made once, and copied for each case. The opening runs in another process, so that a native abort is a
 * failure of its case, told with its seed.
 */

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, openCluster } from '../../../src/index.js'
import { Child } from './child.js'
import type { DamageReport, DamageTask } from './damage.child.js'
import { DAMAGE_KINDS, type DamageCase, damage, type Folders } from './damage-plan.js'
import { type Effort, firstOf, type Outcome } from './outcome.js'

const KEYS = 400
const VALUE_BYTES = 400
const CASE_MS_MAX = 60_000

export async function tortureByDamage({ folder, seed, count, nodes }: Effort): Promise<Outcome> {
  const startedMs = performance.now()
  mkdirSync(folder, { recursive: true })
  const whole = join(folder, 'whole')
  const folders: Folders = { location: join(folder, 'case'), older: join(folder, 'older') }
  const task = { location: folders.location, expected: join(folder, 'expected.json') }
  await prepareCluster({ location: whole, nodes }, folders.older, task.expected)
  const examiner = new Examiner()
  const broken: string[] = []
  let [noticed, settledMsMax] = [0, 0]
  for (let index = 0; index < count; index++) {
    rmSync(folders.location, { recursive: true, force: true })
    cpSync(whole, folders.location, { recursive: true })
    const kind = count < DAMAGE_KINDS ? Math.floor((index * DAMAGE_KINDS) / count) : index
    const done = damage(folders, kind, seed * 100_000 + index)
    const report = await examiner.examine(task)
    for (const problem of report.problems) broken.push(`${describe(done)}: ${problem}`)
    noticed += report.noticed ? 1 : 0
    settledMsMax = Math.max(settledMsMax, report.settledMs)
  }
  examiner.end()
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  const healed = `healed within ${Math.round(settledMsMax)} ms`
  const figures = `${count} damaged clusters, ${noticed} times noticed, ${examiner.deaths} deaths, ${healed}, ${seconds} s`
  return { part: 'damage', figures, broken: firstOf(broken) }
}

function describe({ seed, node, what }: DamageCase): string {
  return `seed ${seed}, ${node}, ${what}`
}

/** Tables, a log, deleted keys, and an older copy in which some of that had not happened yet. */
async function prepareCluster(
  { location, nodes }: { location: string; nodes: number },
  older: string,
  expectedFile: string,
): Promise<void> {
  const expected: Record<string, string | null> = {}
  const options = { location, nodes, partitions: 16, writeBufferBytes: 65_536 }
  const first = await openCluster(options)
  await write(first, expected, { from: 0, to: KEYS, round: 1 })
  await first.settled()
  await first.close()
  cpSync(location, older, { recursive: true })
  const second = await openCluster(options)
  await write(second, expected, { from: 0, to: KEYS / 2, round: 2 })
  for (let number = 0; number < KEYS; number += 7) {
    await second.delete(keyOf(number))
    expected[keyOf(number)] = null
  }
  await write(second, expected, { from: KEYS, to: KEYS + 40, round: 3 })
  await second.settled()
  await second.close()
  writeFileSync(expectedFile, JSON.stringify(expected))
}

async function write(
  cluster: Cluster,
  expected: Record<string, string | null>,
  { from, to, round }: { from: number; to: number; round: number },
): Promise<void> {
  for (let number = from; number < to; number++) {
    expected[keyOf(number)] = `value ${number} of round ${round} `.padEnd(VALUE_BYTES, String(number * round))
  }
  for (let number = from; number < to; number += 50) {
    const keys = Array.from({ length: Math.min(50, to - number) }, (_, index) => keyOf(number + index))
    await cluster.batch(keys.map((key) => ({ type: 'put' as const, key, value: expected[key] ?? '' })))
  }
}

function keyOf(number: number): string {
  return `key ${String(number).padStart(4, '0')}`
}

/** The process that opens what was damaged; another one takes its place when it has died. */
class Examiner {
  #child: Child<DamageReport> | undefined
  deaths = 0

  async examine(task: DamageTask): Promise<DamageReport> {
    const child = this.#child ?? new Child<DamageReport>('./damage.child.js', null)
    this.#child = child
    child.send(task)
    const answer = await child.next(CASE_MS_MAX)
    if ('report' in answer) return answer.report
    this.#child = undefined
    this.deaths += 1
    return { problems: [`the process died: ${answer.ended}`], openMs: 0, settledMs: 0, noticed: true }
  }

  end(): void {
    this.#child?.disconnect()
  }
}
