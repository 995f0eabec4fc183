/** `coterie backup DIR`: opens the folder of a cluster, backs it up and closes it. */

import { openCluster } from '../../index.js'
import { CoterieError } from '../../shared/errors.js'
import type { BackupCommand } from '../args.js'
import { isThereCluster } from '../one-shot.js'
import { StopSignals } from '../stop-signals.js'
import { backupLines } from './backup-lines.js'
import { BulkDisplay } from './bulk-progress.js'

const INTERRUPTED = 130

export async function backupCommand({ cluster: options, dir, json }: BackupCommand): Promise<number> {
  if (!(await isThereCluster(options.location))) return 1
  const stop = new StopSignals()
  const cluster = await openCluster(options)
  // The backup then fails, and takes away what it wrote.
  stop.signal.addEventListener('abort', () => void cluster.close())
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
