/** `coterie leave node2,node5`: one after the other, with a progress bar until each is no member. */

import { accessCluster } from '../access.js'
import { BulkDisplay } from '../bulk/bulk-progress.js'
import type { LeaveCommand } from '../commands.js'
import { duration } from '../terminal/format.js'

export async function leaveCommand({ cluster: options, nodes, json }: LeaveCommand): Promise<number> {
  const cluster = await accessCluster(options)
  try {
    // All of them at once must be possible before the first goes.
    await cluster.plan({ leave: nodes })
    for (const node of nodes) {
      const display = new BulkDisplay()
      const started = performance.now()
      try {
        await cluster.leave(node, display.show)
      } finally {
        display.close()
      }
      const tookMs = Math.round(performance.now() - started)
      process.stdout.write(
        `${json ? JSON.stringify({ left: node, tookMs }) : `${node} left after ${duration(tookMs)}`}\n`,
      )
    }
    return 0
  } finally {
    await cluster.close()
  }
}
