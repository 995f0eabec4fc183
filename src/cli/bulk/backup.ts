/** `coterie backup DIR`: of the cluster, wherever it is open. */

import { CoterieError } from '../../shared/errors.js'
import { accessCluster } from '../access.js'
import type { BackupCommand } from '../commands.js'
import { StopSignals } from '../stop-signals.js'
import { backupLines } from './backup-lines.js'
import { BulkDisplay } from './bulk-progress.js'

const INTERRUPTED = 130

export async function backupCommand({ cluster: options, dir, json }: BackupCommand): Promise<number> {
  const stop = new StopSignals()
  const cluster = await accessCluster(options)
  // Its own cluster's backup then fails, and takes away what it wrote; another process goes on with it.
  stop.signal.addEventListener('abort', () => {
    if (!cluster.isRemote) void cluster.close()
    else {
      display.close()
      process.stderr.write(`interrupted: the cluster goes on with the backup into ${dir}\n`)
      process.exit(INTERRUPTED)
    }
  })
  const display = new BulkDisplay()
  try {
    const summary = await cluster.backup(dir, { onProgress: display.show })
    display.close()
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${backupLines(summary).join('\n')}\n`)
    return 0
  } catch (error) {
    display.close()
    if (!stop.isRequested || !(error instanceof CoterieError) || error.code !== 'CLOSED') throw error
    process.stderr.write('interrupted: there is no backup\n')
    return INTERRUPTED
  } finally {
    await cluster.close()
    stop.close()
  }
}
