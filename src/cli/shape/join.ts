/** `coterie join`: new nodes, with a progress bar until each owns its share. What was begun goes on if the command is interrupted. */

import { accessCluster } from '../access.js'
import { BulkDisplay } from '../bulk/bulk-progress.js'
import type { JoinCommand } from '../commands.js'
import { duration } from '../terminal/format.js'
import { checkIds } from './new-ids.js'

export async function joinCommand({ cluster: options, join, role, from, json }: JoinCommand): Promise<number> {
  const cluster = await accessCluster(options)
  const display = new BulkDisplay()
  const started = performance.now()
  try {
    if (role === 'member') await checkIds(cluster, join)
    const nodes = await cluster.join({ count: join.count, role, ...(from === undefined ? {} : { from }) }, display.show)
    display.close()
    const tookMs = Math.round(performance.now() - started)
    const line = `${nodes.join(', ')} joined after ${duration(tookMs)}`
    process.stdout.write(`${json ? JSON.stringify({ joined: nodes, role, tookMs }) : line}\n`)
    return 0
  } finally {
    display.close()
    await cluster.close()
  }
}
