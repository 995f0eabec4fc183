/** `coterie load FILE`: reads records and puts them, shows progress, says at the end what happened. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { NUMBER_OPTIONS } from '../../shared/number-options.js'
import { accessCluster } from '../access.js'
import type { LoadCommand } from '../commands.js'
import { whereOf } from '../redis-target.js'
import { StopSignals } from '../stop-signals.js'
import { byteSize, count, duration, plural } from '../terminal/format.js'
import { stylerFor } from '../terminal/style.js'
import { type LoadEnd, type LoadProgress, loadRecords } from './batch-loader.js'
import { ProgressDisplay } from './load-progress.js'
import { readRecords } from './record-reader.js'
import type { BadLine } from './source-record.js'

const EXIT: Record<LoadEnd, number> = { done: 0, 'too many bad lines': 1, interrupted: 130 }
const READ_BYTES = 262_144
/** Of the bad lines this many are printed; all are counted. */
const BAD_LINES_SHOWN = 20

interface Input {
  readonly stream: Readable
  readonly bytesRead: () => number
  readonly bytesTotal: number | undefined
}

export async function loadCommand(command: LoadCommand): Promise<number> {
  // The file first: a misspelt name must not leave a new cluster behind.
  const input = await openInput(command.file)
  const stop = new StopSignals()
  const progress: LoadProgress = { records: 0, badLines: 0, retries: 0, bytes: 0 }
  const cluster = await accessCluster(command.cluster, { mayCreate: true, redis: command.redis })
  const started = performance.now()
  const display = new ProgressDisplay({ progress, bytesRead: input.bytesRead, bytesTotal: input.bytesTotal })
  // A read of a pipe that gives nothing would never see the signal by itself.
  stop.signal.addEventListener('abort', () => input.stream.destroy())
  try {
    const end = await loadRecords(
      cluster,
      readRecords(input.stream, command),
      {
        ...command,
        valueBytesMax: command.cluster.valueBytesMax ?? NUMBER_OPTIONS.valueBytesMax.byDefault,
        signal: stop.signal,
        onBadLine: (line) => showBadLine(line, command, progress, display),
      },
      progress,
    ).catch((error: unknown) => {
      if (stop.isRequested) return 'interrupted' as const
      throw error
    })
    display.close()
    summarize(end, command, progress, performance.now() - started)
    return EXIT[end]
  } catch (error) {
    display.close()
    process.stderr.write(`${count(progress.records)} records are in; ${command.file} was not loaded to its end\n`)
    throw error
  } finally {
    await cluster.close()
    stop.close()
  }
}

async function openInput(file: string): Promise<Input> {
  if (file === '-') {
    let read = 0
    process.stdin.on('data', (chunk: Buffer) => {
      read += chunk.length
    })
    process.stdin.pause()
    return { stream: process.stdin, bytesRead: () => read, bytesTotal: undefined }
  }
  const { size } = await stat(file)
  const stream = createReadStream(file, { highWaterMark: READ_BYTES })
  const counted = { bytesRead: () => stream.bytesRead, bytesTotal: size }
  if (!file.endsWith('.gz')) return { stream, ...counted }
  // An error of either side reaches whoever reads the unpacked side.
  return { stream: pipeline(stream, createGunzip(), () => undefined), ...counted }
}

function showBadLine(
  bad: BadLine,
  { file, badLinesMax }: LoadCommand,
  progress: LoadProgress,
  display: ProgressDisplay,
): void {
  const style = stylerFor(process.stderr)
  if (progress.badLines <= BAD_LINES_SHOWN) display.print(`${style('yellow', `${file}:${bad.line}`)} ${bad.problem}`)
  else if (progress.badLines === BAD_LINES_SHOWN + 1)
    display.print(`more bad lines are counted, not shown (at most ${badLinesMax})`)
}

function summarize(end: LoadEnd, command: LoadCommand, progress: LoadProgress, elapsedMs: number): void {
  const { records, badLines, retries, bytes } = progress
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ end, ...progress, tookMs: Math.round(elapsedMs) })}\n`)
    return
  }
  const rate = count(records / (elapsedMs / 1_000))
  const put = `${plural(records, 'record')} (${byteSize(bytes)}) put into ${whereOf(command)}`
  const lines = [
    `${put} in ${duration(elapsedMs)}: ${rate} records/s`,
    ...(badLines === 0 ? [] : [`${plural(badLines, 'bad line')} skipped`]),
    ...(retries === 0 ? [] : [`${plural(retries, 'batch', 'batches')} sent again`]),
    ...(end === 'interrupted' ? ['interrupted: the records before are in'] : []),
    ...(end === 'too many bad lines' ? [tooMany(command)] : []),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function tooMany({ badLinesMax }: LoadCommand): string {
  const limit = badLinesMax === 0 ? 'the first bad line' : `more than ${plural(badLinesMax, 'bad line')}`
  return `stopped at ${limit}; the records before it are in. --max-errors COUNT skips bad lines`
}
