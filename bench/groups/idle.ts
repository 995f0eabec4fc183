/** What eight nodes take that nobody calls: memory and processor, over a process that has none. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Figure } from '../figures.js'
import type { IdleReport } from '../idle/idle.child.js'
import type { Context } from '../run/context.js'
import type { Group } from './group.js'

const name = 'idle'
const NODES = 8
const WATCHED_MS = 6_000
const WATCHED_MS_QUICK = 500
const ROUNDS = 3

export const IDLE_GROUP: Group = {
  name,
  title: 'Eight idle nodes',
  about: `An empty cluster of ${NODES} nodes in a process of its own, beside a process of Node.js that does nothing: the difference of their resident memory, and of the processor time that they take in ${WATCHED_MS / 1_000} s, half as long again after the opening.`,
  run: async (context) => {
    const memory: number[] = []
    const processor: number[] = []
    const bare = await watch(context, 0)
    for (let round = 0; round < (context.quick ? 1 : ROUNDS); round++) {
      const idle = await watch(context, NODES)
      memory.push(idle.rssMb - bare.rssMb)
      processor.push(Math.max(0, idle.processorPercent - bare.processorPercent))
    }
    const subject = 'Coterie'
    return [
      { group: name, workload: 'memory', subject, unit: 'MB', rounds: memory },
      { group: name, workload: 'processor', subject, unit: '%', rounds: processor },
    ] satisfies Figure[]
  },
}

async function watch(context: Context, nodes: number): Promise<IdleReport> {
  const script = new URL('../idle/idle.child.js', import.meta.url)
  const watchedMs = context.quick ? WATCHED_MS_QUICK : WATCHED_MS
  const child = fork(script, [await context.folder(), String(nodes), String(watchedMs)])
  const exit = once(child, 'exit')
  const [report] = (await Promise.race([once(child, 'message'), exit.then(failed)])) as [IdleReport]
  await exit
  return report
}

function failed(): never {
  throw new Error('the idle process ended before it said anything')
}
