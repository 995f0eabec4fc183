/** A process that has a cluster of so many nodes, or none, and does nothing: says what that takes. See `../groups/idle.ts`. */

import { setTimeout as delay } from 'node:timers/promises'

/** What it says. */
export interface IdleReport {
  readonly rssMb: number
  /** Of one core, over the time watched. */
  readonly processorPercent: number
}

const [location = '', nodes = '0', watchedMs = '0'] = process.argv.slice(2)
// An orphan must not live on.
const orphaned = (): never => process.exit(1)
process.once('disconnect', orphaned)

const cluster = nodes === '0' ? undefined : await open(Number(nodes))
// Gossip slows down once nothing has changed for a while, and what opening took is given back.
await delay(Number(watchedMs) * 1.5)
const before = process.cpuUsage()
const from = performance.now()
await delay(Number(watchedMs))
const { user, system } = process.cpuUsage(before)
const report: IdleReport = {
  rssMb: process.memoryUsage.rss() / 1e6,
  processorPercent: (user + system) / 10 / (performance.now() - from),
}
await cluster?.close()
process.off('disconnect', orphaned)
process.send?.(report, () => process.disconnect())

async function open(count: number) {
  const { openCluster } = await import('../../src/index.js')
  const opened = await openCluster({ location, nodes: count })
  await opened.settled()
  return opened
}
