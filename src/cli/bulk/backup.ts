/** `coterie backup DIR`: opens the folder of a cluster, backs it up and closes it. */

import { openCluster } from '../../index.js'
import type { BackupSummary } from '../../shared/api.js'
import { CoterieError } from '../../shared/errors.js'
import type { BackupCommand } from '../args.js'
import { isThereCluster } from '../one-shot.js'
import { StopSignals } from '../stop-signals.js'
import { byteSize, duration, plural } from '../terminal/format.js'
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

/** Also for the prompt of `coterie start`. */
export function backupLines({ dir, nodes, leftOut, records, bytes, frozenMs, tookMs, at }: BackupSummary): string[] {
  const what = `${plural(records, 'record')} (${byteSize(bytes)}) of ${plural(nodes.length, 'node')} backed up into ${dir}`
  return [
    `${what} in ${duration(tookMs)}; the cut was at ${at}, writes stopped for ${duration(frozenMs)}`,
    ...leftOut.map(({ node, reason }) => `${node} was left out: ${reason}; the others hold everything`),
  ]
}
