/** The same program twice, on different cores (`taskset`), both there all the time and told in turn what to do. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Measurement } from '../harness.js'
import { PeerMissing } from '../subjects/subject.js'
import type { ProgramOptions, ProgramOrder } from './program.child.js'

/** A program that runs. */
export interface Program {
  measurement(order: Omit<ProgramOrder, 'durationMs'>): Measurement
  close(): Promise<void>
}

/**
 * Resolves once it has its records.
 *
 * Errors: PeerMissing where there is no `taskset`, or not these cores.
 */
export async function startProgram(cores: string, options: ProgramOptions): Promise<Program> {
  const { error, status } = spawnSync('taskset', ['-c', cores, process.execPath, '--version'])
  if (error !== undefined || status !== 0) throw new PeerMissing(`cannot pin a program to the cores ${cores}`)
  const script = fileURLToPath(new URL('./program.child.js', import.meta.url))
  const stdio: ['ignore', 'inherit', 'inherit', 'ipc'] = ['ignore', 'inherit', 'inherit', 'ipc']
  const child = spawn('taskset', ['-c', cores, process.execPath, script, JSON.stringify(options)], { stdio })
  await answer(child)
  const ask = async (order: ProgramOrder | 'close'): Promise<number> => {
    const answered = answer(child)
    child.send(order)
    return answered
  }
  return {
    measurement: (order) => (until) => ask({ ...order, durationMs: until - performance.now() }),
    close: async () => {
      const exit = once(child, 'exit')
      await ask('close')
      await exit
    },
  }
}

async function answer(child: ChildProcess): Promise<number> {
  const answered = new AbortController()
  const { signal } = answered
  const message = once(child, 'message', { signal })
  // Cancelled as soon as there is an answer: listeners of thousands of orders would pile up.
  const ended = once(child, 'exit', { signal }).then(
    () => Promise.reject(new Error('the pinned program ended before it answered')),
    () => [0],
  )
  const [count] = (await Promise.race([message, ended])) as [number]
  answered.abort()
  return count
}
