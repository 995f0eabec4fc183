/**
 * `coterie export --level DIR`: writes what `CoterieLevel` reads in a cluster into a new LevelDB folder, which any program with
 * `classic-level` opens, and counts it there. Of a cluster that another process runs it is what a scan shows: no snapshot.
 */

import { levelKey } from '../../shared/level-keys.js'
import { NewLevelFolder } from '../../storage/level-folder.js'
import type { Level } from '../../storage/open-level.js'
import type { ClusterAccess } from '../access.js'
import type { ExportCommand } from '../commands.js'
import type { LoadProgress } from '../load/batch-loader.js'
import { ProgressDisplay } from '../load/load-progress.js'
import { whereOf } from '../redis-target.js'
import { StopSignals } from '../stop-signals.js'
import { byteSize, count, duration, plural } from '../terminal/format.js'
import { accessLevel } from './access-level.js'

const INTERRUPTED = 130
const BATCH_BYTES_MAX = 1_048_576

export async function exportCommand(command: ExportCommand): Promise<number> {
  const { dir, cluster } = command
  const target = new NewLevelFolder(dir)
  const stop = new StopSignals()
  try {
    const db = await accessLevel(cluster, { redis: command.redis })
    try {
      return await exportTo(target, db, command, stop.signal)
    } finally {
      await db.close()
    }
  } finally {
    stop.close()
  }
}

async function exportTo(
  target: NewLevelFolder,
  db: ClusterAccess,
  command: ExportCommand,
  signal: AbortSignal,
): Promise<number> {
  const progress: LoadProgress = { records: 0, badLines: 0, retries: 0, bytes: 0 }
  const started = performance.now()
  const display = new ProgressDisplay({ progress, bytesRead: () => progress.bytes, bytesTotal: undefined })
  try {
    const level = await target.create()
    const isDone = await copy(db, level, command, progress, signal).finally(() => level.close())
    const counted = isDone ? await countedIn(target, signal) : undefined
    display.close()
    if (counted === undefined) {
      await target.remove()
      process.stderr.write(`interrupted: there is nothing in ${command.dir}\n`)
      return INTERRUPTED
    }
    if (counted !== progress.records)
      throw new Error(`of ${plural(progress.records, 'record')} ${count(counted)} are there`)
    await target.finish()
    summarize(command, progress, performance.now() - started)
    return 0
  } catch (error) {
    display.close()
    await target.remove()
    process.stderr.write(
      `there is nothing in ${command.dir}: the export failed after ${plural(progress.records, 'record')}\n`,
    )
    throw error
  }
}

/** False if it was interrupted. */
async function copy(
  db: ClusterAccess,
  level: Level,
  { batchSize, r }: ExportCommand,
  progress: LoadProgress,
  signal: AbortSignal,
): Promise<boolean> {
  let batch: { type: 'put'; key: Buffer; value: Buffer }[] = []
  let bytes = 0
  const write = async (): Promise<void> => {
    await level.batch(batch)
    progress.records += batch.length
    progress.bytes += bytes
    batch = []
    bytes = 0
  }
  for await (const [found, foundValue] of db.scan(r === undefined ? {} : { r })) {
    if (signal.aborted) return false
    const [key, value] = [Buffer.from(levelKey(found)), Buffer.from(foundValue)]
    batch.push({ type: 'put', key, value })
    bytes += key.length + value.length
    if (batch.length >= batchSize || bytes >= BATCH_BYTES_MAX) await write()
  }
  await write()
  return !signal.aborted
}

/** Undefined if it was interrupted. */
async function countedIn(target: NewLevelFolder, signal: AbortSignal): Promise<number | undefined> {
  const level = await target.reopen()
  let counted = 0
  try {
    for await (const _ of level.keys({ fillCache: false })) {
      if (signal.aborted) return undefined
      counted += 1
    }
    return counted
  } finally {
    await level.close()
  }
}

function summarize(command: ExportCommand, { records, bytes }: LoadProgress, tookMs: number): void {
  const { dir, json } = command
  const location = whereOf(command)
  const rate = count(records / (tookMs / 1_000))
  const what = `${plural(records, 'record')} (${byteSize(bytes)}) of ${location} written to ${dir} and counted there`
  const line = json
    ? JSON.stringify({ dir, location, records, bytes, tookMs: Math.round(tookMs) })
    : `${what} in ${duration(tookMs)}: ${rate} records/s`
  process.stdout.write(`${line}\n`)
}
