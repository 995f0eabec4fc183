/** `coterie restore DIR --data LOCATION`: makes a cluster of a backup, sees that it opens, and closes it. */

import { restoreCluster } from '../../index.js'
import type { RestoreCommand } from '../args.js'
import { duration, plural } from '../terminal/format.js'
import { BulkDisplay } from './bulk-progress.js'

export async function restoreCommand({ cluster: options, dir, without, json }: RestoreCommand): Promise<number> {
  const display = new BulkDisplay()
  const started = performance.now()
  try {
    const cluster = await restoreCluster(dir, { ...options, without, onProgress: display.show })
    display.close()
    const status = cluster.status()
    await cluster.close()
    const took = duration(performance.now() - started)
    const line = `restored into ${status.location}: ${plural(status.nodes.length, 'node')}, ${status.replication.n} copies, in ${took}`
    process.stdout.write(`${json ? JSON.stringify(status) : line}\n`)
    return 0
  } finally {
    display.close()
  }
}
