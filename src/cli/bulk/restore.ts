/** `coterie restore DIR --data LOCATION`: makes a cluster of a backup, sees that it opens, and closes it. */

import { restoreCluster } from '../../index.js'
import type { BulkProgress } from '../../shared/backup-shapes.js'
import type { RestoreCommand } from '../commands.js'
import { StopSignals } from '../stop-signals.js'
import { duration, plural } from '../terminal/format.js'
import { BulkDisplay } from './bulk-progress.js'

const INTERRUPTED = 130

export async function restoreCommand({ cluster: options, dir, without, json }: RestoreCommand): Promise<number> {
  const stop = new StopSignals()
  const display = new BulkDisplay()
  const started = performance.now()
  let isFilled = false
  const onProgress = (progress: BulkProgress) => {
    isFilled = progress.share === 1
    display.show(progress)
  }
  // Whoever is filling the stores would be waited for. Once they are filled the rest takes a moment, and is waited for.
  stop.signal.addEventListener('abort', () => {
    if (isFilled) return
    display.close()
    process.stderr.write(
      `interrupted: there is no cluster in ${options.location}; restore into it again, or delete it\n`,
    )
    process.exit(INTERRUPTED)
  })
  try {
    const cluster = await restoreCluster(dir, { ...options, without, onProgress })
    display.close()
    const status = cluster.status()
    await cluster.close()
    const took = duration(performance.now() - started)
    const line = `restored into ${status.location}: ${plural(status.nodes.length, 'node')}, ${status.replication.n} copies, in ${took}`
    process.stdout.write(`${json ? JSON.stringify(status) : line}\n`)
    return 0
  } finally {
    display.close()
    stop.close()
  }
}
