/** Shows how far a load is, on standard error: a bar on a terminal, a line every two seconds elsewhere. */

import { Presets, SingleBar } from 'cli-progress'
import { byteSize, count, duration } from '../terminal/format.js'
import { stylerFor } from '../terminal/style.js'
import type { LoadProgress } from './batch-loader.js'

export interface ProgressSource {
  readonly progress: LoadProgress
  /** Bytes of the input read so far. */
  readonly bytesRead: () => number
  /** Undefined for standard input. */
  readonly bytesTotal: number | undefined
}

const BAR_MS = 100
const LINE_MS = 2_000
/** The rate is that of the last seconds: the average of all hides a stall. */
const RATE_WINDOW_MS = 3_000

export class ProgressDisplay {
  readonly #source: ProgressSource
  readonly #rate = new RecentRate()
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout
  readonly #terminal = process.stderr.isTTY === true

  constructor(source: ProgressSource) {
    this.#source = source
    if (this.#terminal && source.bytesTotal !== undefined && source.bytesTotal > 0) {
      this.#bar = new SingleBar(
        {
          format: `${stylerFor(process.stderr)('cyan', '{bar}')} {percentage}%  {size}  {records}  {rate}  {left}`,
          hideCursor: true,
          barsize: 30,
          // The display draws by itself; the library's own timer would draw twice.
          noTTYOutput: false,
        },
        Presets.shades_classic,
      )
      this.#bar.start(source.bytesTotal, 0, this.#payload(0))
    }
    this.#timer = setInterval(() => this.#show(), this.#terminal ? BAR_MS : LINE_MS)
  }

  /** A message above the bar. */
  print(line: string): void {
    if (this.#terminal) process.stderr.write(`\r\x1b[2K${line}\n`)
    else process.stderr.write(`${line}\n`)
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#terminal) this.#show()
    this.#bar?.stop()
    if (this.#terminal && this.#bar === undefined) process.stderr.write('\n')
  }

  #show(): void {
    const read = this.#source.bytesRead()
    const payload = this.#payload(read)
    if (this.#bar !== undefined) this.#bar.update(read, payload)
    else {
      const line = [payload.size, payload.records, payload.rate, payload.left].filter((part) => part !== '').join('  ')
      process.stderr.write(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`)
    }
  }

  #payload(read: number) {
    const { progress, bytesTotal } = this.#source
    const rate = this.#rate.perSecond(progress.records)
    const speed = this.#rate.elapsedMs === 0 ? 0 : read / this.#rate.elapsedMs
    const leftMs = bytesTotal === undefined || speed === 0 ? undefined : (bytesTotal - read) / speed
    return {
      size: bytesTotal === undefined ? byteSize(read) : `${byteSize(read)} of ${byteSize(bytesTotal)}`,
      records: `${count(progress.records)} records`,
      rate: `${count(rate)}/s`,
      left: leftMs === undefined || leftMs < 1_000 ? '' : `${duration(leftMs).replace(/\.\d+ s/, ' s')} left`,
    }
  }
}

class RecentRate {
  readonly #started = performance.now()
  #samples: { readonly at: number; readonly total: number }[] = [{ at: this.#started, total: 0 }]

  get elapsedMs(): number {
    return performance.now() - this.#started
  }

  perSecond(total: number): number {
    const at = performance.now()
    this.#samples = [...this.#samples.filter((sample) => sample.at > at - RATE_WINDOW_MS), { at, total }]
    const [first] = this.#samples
    return first === undefined || first.at === at ? 0 : ((total - first.total) / (at - first.at)) * 1_000
  }
}
