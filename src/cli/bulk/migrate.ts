/** `coterie migrate --to URL`: of the cluster, wherever it is open. */

import { CoterieError } from '../../shared/errors.js'
import type { MigrationProgress, MigrationSummary } from '../../shared/migration-shapes.js'
import { accessCluster, type ClusterAccess, checkIsThere } from '../access.js'
import type { MigrateCommand } from '../commands.js'
import { ControlClient } from '../control/control-client.js'
import { defined } from '../given.js'
import { readRedisTarget } from '../redis-target.js'
import { StopSignals } from '../stop-signals.js'
import { count, duration, plural } from '../terminal/format.js'
import { BulkDisplay } from './bulk-progress.js'

const INTERRUPTED = 130

export async function migrateCommand(command: MigrateCommand): Promise<number> {
  if (command.isAbort) return abort(command)
  const { cluster: options, to, rate, json } = command
  const stop = new StopSignals()
  const cluster = await accessCluster(options)
  const display = new BulkDisplay()
  stop.signal.addEventListener('abort', () => {
    if (!cluster.isRemote) return void cluster.close()
    display.close()
    process.stderr.write('interrupted: the cluster goes on with the migration\n')
    process.exit(INTERRUPTED)
  })
  try {
    const onProgress = (progress: MigrationProgress) => display.show(shownOf(progress))
    const target = to && (await readRedisTarget(to))
    const summary = await cluster.migrate(defined({ to: target, recordsPerSecond: rate, onProgress }))
    display.close()
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${linesOf(summary).join('\n')}\n`)
    return 0
  } catch (error) {
    display.close()
    if (!stop.isRequested || !(error instanceof CoterieError) || error.code !== 'CLOSED') throw error
    process.stderr.write('interrupted: `coterie migrate` goes on with it\n')
    return INTERRUPTED
  } finally {
    await cluster.close()
    stop.close()
  }
}

/** Also of a folder that cannot be opened because the target is away. */
async function abort({ cluster: { location }, json }: MigrateCommand): Promise<number> {
  const running: ClusterAccess | undefined = await ControlClient.connect(location)
  if (running === undefined) await checkIsThere(location)
  const { abortMigrationOf } = await import('../../migration/moved.js')
  const { cleared } = await (running === undefined ? abortMigrationOf(location) : running.abortMigration())
  await running?.close()
  const rest = cleared ? '' : '; the target could not be reached, and keeps what it was given'
  process.stdout.write(json ? `${JSON.stringify({ aborted: true, cleared })}\n` : `no migration is under way${rest}\n`)
  return 0
}

function shownOf(progress: MigrationProgress): MigrationProgress {
  const { phase, perSecond } = progress
  return { ...progress, phase: perSecond === 0 ? phase : `${phase}, ${count(perSecond)}/s` }
}

function linesOf({ to, copied, verified, passes, mended, heldMs, tookMs, perSecond }: MigrationSummary): string[] {
  return [
    `moved to ${to} in ${duration(tookMs)}`,
    `${plural(copied, 'record')} copied, ${count(perSecond.backfill)} a second`,
    `${plural(verified, 'record')} verified, ${count(perSecond.verify)} a second; pass ${passes} found no difference${mended === 0 ? '' : ` (${count(mended)} put right before)`}`,
    `writes waited for ${duration(heldMs)} at the cutover`,
  ]
}
