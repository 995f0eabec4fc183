/**
 * `coterie import --level DIR`: puts every record of a LevelDB folder into a cluster, where `CoterieLevel` finds it under the
 * same key.
 */

import { clusterKey } from '../../shared/level-keys.js'
import { NUMBER_OPTIONS } from '../../shared/number-options.js'
import { openLevelFolder } from '../../storage/level-folder.js'
import type { Level } from '../../storage/open-level.js'
import type { ClusterAccess } from '../access.js'
import type { ImportCommand } from '../commands.js'
import { type LoadEnd, type LoaderOptions, type LoadProgress, loadRecords } from '../load/batch-loader.js'
import { ProgressDisplay } from '../load/load-progress.js'
import type { SourceRecord } from '../load/source-record.js'
import { whereOf } from '../redis-target.js'
import { StopSignals } from '../stop-signals.js'
import { byteSize, count, duration, plural } from '../terminal/format.js'
import { accessLevel } from './access-level.js'

const EXIT: Record<LoadEnd, number> = { done: 0, 'too many bad lines': 1, interrupted: 130 }
const JSON_END: Record<LoadEnd, string> = { done: 'done', 'too many bad lines': 'refused', interrupted: 'interrupted' }
/** Entries that are read at a time. */
const PAGE_ENTRIES = 1_000
const PAGE_BYTES = 1_048_576
/** Of the records that are skipped so many are told one by one; all are counted. */
const SKIPPED_SHOWN = 20

/** Of the folder's files, as LevelDB estimates them. */
interface Read {
  bytes: number
  readonly bytesTotal: number
}

export async function importCommand(command: ImportCommand): Promise<number> {
  const { dir } = command
  process.stderr.write(`reading all files of ${dir} to see that they are whole\n`)
  // The folder first: a misspelt name must not leave a new cluster behind.
  const source = await openLevelFolder(dir)
  const stop = new StopSignals()
  try {
    const db = await accessLevel(command.cluster, { mayCreate: true, redis: command.redis })
    try {
      return await importInto(db, source, command, stop.signal)
    } finally {
      await db.close()
    }
  } finally {
    await source.close()
    stop.close()
  }
}

async function importInto(
  db: ClusterAccess,
  source: Level,
  command: ImportCommand,
  signal: AbortSignal,
): Promise<number> {
  const progress: LoadProgress = { records: 0, badLines: 0, retries: 0, bytes: 0 }
  const read: Read = { bytes: 0, bytesTotal: await bytesUpTo(source) }
  const started = performance.now()
  const display = new ProgressDisplay({ progress, bytesRead: () => read.bytes, bytesTotal: read.bytesTotal })
  const options: LoaderOptions = {
    ...command,
    valueBytesMax: command.cluster.valueBytesMax ?? NUMBER_OPTIONS.valueBytesMax.byDefault,
    signal,
    onBadLine: ({ line, problem }) => {
      if (progress.badLines <= SKIPPED_SHOWN) display.print(`record ${count(line)} of ${command.dir} ${problem}`)
    },
  }
  try {
    const end = await loadRecords(db, recordsOf(source, read), options, progress)
    display.close()
    summarize(end, command, progress, performance.now() - started)
    return EXIT[end]
  } catch (error) {
    display.close()
    process.stderr.write(`${plural(progress.records, 'record')} put; ${command.dir} was not imported to its end\n`)
    throw error
  }
}

/** In the order of their keys. The iterator has a snapshot of its own. */
async function* recordsOf(source: Level, read: Read): AsyncGenerator<SourceRecord> {
  const iterator = source.iterator({ fillCache: false, highWaterMarkBytes: PAGE_BYTES })
  let line = 0
  try {
    for (let page = await iterator.nextv(PAGE_ENTRIES); page.length > 0; page = await iterator.nextv(PAGE_ENTRIES)) {
      for (const [key, value] of page) yield { line: ++line, key: clusterKey(key), value }
      read.bytes = await bytesUpTo(source, page.at(-1)?.[0])
    }
  } finally {
    await iterator.close()
  }
}

/** Bytes of files from the first key to this one, or to the last. */
async function bytesUpTo(source: Level, key?: Buffer): Promise<number> {
  const [last] = key === undefined ? await source.keys({ reverse: true, limit: 1 }).all() : [key]
  // What is behind the last key of a file is not counted to it.
  return last === undefined ? 0 : source.approximateSize(Buffer.alloc(0), Buffer.concat([last, Buffer.from([0])]))
}

function summarize(end: LoadEnd, command: ImportCommand, progress: LoadProgress, tookMs: number): void {
  const { dir, json, badLinesMax } = command
  const { records, badLines: skipped, retries, bytes } = progress
  const location = whereOf(command)
  if (json) {
    const summary = { dir, location, end: JSON_END[end], records, bytes, skipped, retries, tookMs: Math.round(tookMs) }
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const rate = count(records / (tookMs / 1_000))
  const put = `${plural(records, 'record')} (${byteSize(bytes)}) of ${dir} put into ${location}`
  const stopped = badLinesMax === 0 ? 'the first record' : `more than ${plural(badLinesMax, 'record')}`
  const lines = [
    `${put} in ${duration(tookMs)}: ${rate} records/s`,
    ...(skipped === 0 ? [] : [`${plural(skipped, 'record')} skipped`]),
    ...(retries === 0 ? [] : [`${plural(retries, 'batch', 'batches')} sent again`]),
    ...(end === 'interrupted' ? ['interrupted: the records before are in; import again for the rest'] : []),
    ...(end === 'too many bad lines'
      ? [
          `stopped at ${stopped} that does not fit; those before are in. --max-errors COUNT skips, --set valueBytesMax=BYTES takes longer values`,
        ]
      : []),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
