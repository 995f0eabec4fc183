/**
 * `coterie top`: a running cluster, looked at again and again. On a terminal redrawn in place until q or Ctrl-C; elsewhere, or with
 * --json, a line of JSON for each interval. It only looks: the cluster counts for itself, whoever watches.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterMetrics } from '../../shared/cluster-reports.js'
import { runningCluster } from '../access.js'
import type { TopCommand } from '../commands.js'
import type { ControlClient } from '../control/control-client.js'
import { StopSignals } from '../stop-signals.js'
import { stylerFor } from '../terminal/style.js'
import { sampleOf } from './sample.js'
import { type TopView, topLines } from './top-lines.js'

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_DOWN = '\x1b[J'

/** q, Ctrl-C, Ctrl-D. */
const END_KEYS: ReadonlySet<string> = new Set(['q', 'Q', '\u0003', '\u0004'])

interface View {
  show(view: TopView): void
  close(): void
}

export async function topCommand({ cluster: { location }, intervalMs, count, json }: TopCommand): Promise<number> {
  const cluster = await runningCluster(location)
  const stop = new StopSignals()
  process.stdout.on('error', () => stop.request('closed output'))
  const isDrawn = process.stdout.isTTY === true && process.stdout.columns > 0 && !json
  const view: View = isDrawn ? new DrawnView(stop) : jsonView
  try {
    await look(cluster, { view, intervalMs, count, signal: stop.signal })
    return 0
  } catch (error) {
    if (!stop.isRequested) throw error
    return 0
  } finally {
    view.close()
    stop.close()
    await cluster.close()
  }
}

async function look(
  cluster: ControlClient,
  options: { view: View; intervalMs: number; count: number | undefined; signal: AbortSignal },
): Promise<void> {
  const { view, intervalMs, count, signal } = options
  let before: ClusterMetrics | undefined
  for (let samples = 0; !signal.aborted; ) {
    const [status, now] = await Promise.all([cluster.status(), cluster.metrics()])
    view.show({ status, sample: before === undefined ? undefined : sampleOf(before, now) })
    if (before !== undefined) samples += 1
    if (samples === count) return
    before = now
    // Aborted: the loop ends.
    await delay(intervalMs, undefined, { signal })
  }
}

const jsonView: View = {
  show: ({ status, sample }) => {
    if (sample === undefined) return
    const { epoch, converged, partitionsMoving, partitionsLost, nodes } = status
    const at = new Date().toISOString()
    const line = { at, ...sample, epoch, converged, partitionsMoving, partitionsLost, nodes }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  },
  close: () => undefined,
}

/** On the terminal's other screen, so that what was there comes back. */
class DrawnView implements View {
  readonly #stop: StopSignals
  readonly #style = stylerFor(process.stdout)
  #last: TopView | undefined

  constructor(stop: StopSignals) {
    this.#stop = stop
    process.stdout.write(ENTER)
    process.stdout.on('resize', this.#onResize)
    if (!process.stdin.isTTY) return
    process.stdin.setRawMode(true)
    process.stdin.on('data', this.#onKey)
  }

  show(view: TopView): void {
    this.#last = view
    const { columns, rows } = process.stdout
    const lines = topLines(view, { columns, rows, style: this.#style })
    process.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_DOWN}`)
  }

  close(): void {
    process.stdout.off('resize', this.#onResize)
    process.stdout.write(LEAVE)
    if (!process.stdin.isTTY) return
    process.stdin.off('data', this.#onKey)
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }

  readonly #onResize = () => {
    if (this.#last !== undefined) this.show(this.#last)
  }

  /** In raw mode Ctrl-C is a byte, not a signal. */
  readonly #onKey = (keys: Buffer) => {
    if ([...keys.toString('latin1')].some((key) => END_KEYS.has(key))) this.#stop.request('q')
  }
}
