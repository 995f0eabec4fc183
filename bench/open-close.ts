/**
 * How long do opening and closing take? Each sample is a process of its own, as a user's program is: nothing is warm.
 *
 * --quick  --samples N  --records N (default 1,000)
 *
 * The exit code says whether the medians of the three ways to open are below 500 ms (not with --quick).
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argument, flag, machineLine, printTable, summarize } from './harness.js'
import type { OpenReport } from './open-close.child.js'

const quick = flag('quick')
const samples = Number(argument('samples') ?? (quick ? 2 : 10))
const records = Number(argument('records') ?? 1_000)
const OPEN_MS_MAX = 500

const timesMs = new Map<string, number[]>()
console.log(
  `${machineLine()}\nfive nodes, ${records} records of 100 bytes, ${samples} samples, each in a new process\n`,
)
for (let sample = 0; sample < samples; sample++) {
  const folder = await mkdtemp(join(tmpdir(), 'coterie-open-'))
  await openIn(folder, 'cold open', 'close')
  await openIn(folder, 'reopen after a clean close', 'kill')
  await openIn(folder, 'reopen after SIGKILL', 'close')
  await rm(folder, { recursive: true })
}
report()

async function openIn(folder: string, name: string, end: 'close' | 'kill'): Promise<void> {
  const child = fork(new URL('./open-close.child.js', import.meta.url), [folder, String(records)])
  const [opened] = (await once(child, 'message')) as [OpenReport]
  note(name, opened.openMs)
  note('import of the package', opened.importMs)
  const exit = once(child, 'exit')
  if (end === 'kill') child.kill('SIGKILL')
  else {
    child.send('close')
    const [closed] = (await once(child, 'message')) as [{ closeMs: number }]
    note('close', closed.closeMs)
  }
  await exit
}

function note(name: string, ms: number): void {
  timesMs.set(name, [...(timesMs.get(name) ?? []), ms])
}

function report(): void {
  const rows = [...timesMs].map(([what, times]) => {
    const { median, min, max } = summarize(times)
    const isJudged = what.includes('open')
    const target = isJudged ? `< ${OPEN_MS_MAX} ms ${median < OPEN_MS_MAX ? 'met' : 'MISSED'}` : ''
    if (isJudged && median >= OPEN_MS_MAX && !quick) process.exitCode = 1
    return { what, 'median ms': median, 'min ms': min, 'max ms': max, target }
  })
  printTable(rows)
}
