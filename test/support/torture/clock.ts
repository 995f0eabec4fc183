/** The wall clock jumps by hours, forth and back, under a running process: nothing is lost, and no timer takes note of it. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Prng } from '../../../src/protocol/prng.js'
import { Child } from './child.js'
import type { ClockReport, ClockTask } from './clock.child.js'
import { type Effort, firstOf, type Outcome } from './outcome.js'

const KEYS = 64
const HOURS_MAX = 2
const CASE_MS_MAX = 300_000
/** Debian's package `faketime`. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (machine) => `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`,
)

export async function tortureClock({ folder, seed, count, nodes }: Effort): Promise<Outcome> {
  const part = 'clock'
  const library = LIBRARIES.find((path) => existsSync(path))
  if (library === undefined)
    return { part, figures: '', broken: [], notRun: 'there is no libfaketime (apt-get install faketime)' }
  mkdirSync(folder, { recursive: true })
  const clockFile = join(folder, 'clock')
  writeFileSync(clockFile, '+0s')
  const prng = new Prng(seed)
  // An hour at least from one to the next, so that each is seen.
  const jumps = Array.from(
    { length: count },
    (_, jump) => (jump % 2 === 0 ? 1 : -1) * (1_800 + prng.below(HOURS_MAX * 3_600 - 1_800)),
  )
  const task: ClockTask = { location: join(folder, 'data'), nodes, keys: KEYS, jumps }
  const environment = {
    ...process.env,
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  const faked = await run({ ...task, clockFile }, environment)
  const broken = [...faked.problems]
  const unseen = faked.moved.filter((seconds) => Math.abs(seconds) < 1_800).length
  if (unseen > 0 || faked.moved.length < count)
    broken.push(`of ${count} jumps the process saw only ${faked.moved.length - unseen}`)
  const after = await run(task, process.env)
  broken.push(...after.problems.map((problem) => `under the real clock again: ${problem}`))
  const hours = faked.moved.map((seconds) => (seconds / 3_600).toFixed(1))
  return {
    part,
    figures: `${count} jumps (hours: ${hours.slice(0, 8).join(', ')}${count > 8 ? ', …' : ''}), ${KEYS} keys`,
    broken: firstOf(broken),
  }
}

async function run(task: ClockTask, environment: NodeJS.ProcessEnv): Promise<ClockReport> {
  const child = new Child<ClockReport>('./clock.child.js', task, { environment })
  const answer = await child.next(CASE_MS_MAX)
  await child.ended
  return 'report' in answer ? answer.report : { moved: [], problems: [`the process ended: ${answer.ended}`] }
}
