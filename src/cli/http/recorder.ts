/**
 * Looks at the cluster twice a second, and whenever something happens that would be over by the next look (a node that dies is back
 * after some 80 ms), and hands what it saw to the recording and to whoever watches: one look for all of them.
 *
 * It asks nobody: status, metrics and views are read from shared counters. The partitions are looked at when their table is another
 * one, the views while the nodes do not agree, or did not at the last look; they are told when they are others than before.
 */

import type { Entry } from '../../dashboard/frames.js'
import type { Cluster } from '../../shared/api.js'
import type { ClusterEvents } from '../../shared/cluster-events.js'
import type { ClusterMetrics, ClusterStatus } from '../../shared/cluster-reports.js'
import { EventLog } from '../terminal/log-lines.js'
import { sampleOf } from '../top/sample.js'
import { eventEntry, frameOf, ringEntry, viewsEntry } from './entries.js'
import { Recording } from './recording.js'

const LOOK_MS = 500
/** Between two looks, however much happens. */
const LOOK_MS_MIN = 50

/** After these the cluster looks different at once. */
const SEEN_AT_ONCE = [
  'node:exit',
  'node:up',
  'node:hung',
  'node:down',
  'node:suspect',
  'epoch',
  'converged',
] as const satisfies readonly (keyof ClusterEvents)[]

export class Recorder {
  readonly recording = new Recording()
  readonly #cluster: Cluster
  readonly #onLine: (line: string) => void
  readonly #log: EventLog
  readonly #timer: NodeJS.Timeout
  #soon: NodeJS.Timeout | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #metrics: ClusterMetrics | undefined
  #ringEpoch: number | undefined
  /** What the views were last looked at for; undefined: the nodes did not agree. */
  #agreedOn: string | undefined
  /** As they were told last. */
  #views = ''

  constructor(cluster: Cluster, onLine: (line: string) => void) {
    this.#cluster = cluster
    this.#onLine = onLine
    this.#log = new EventLog(cluster, (line) => this.#tell(eventEntry(line)))
    for (const name of SEEN_AT_ONCE) cluster.on(name, this.#onSeen)
    this.#look(true)
    this.#timer = setInterval(() => this.#look(true), LOOK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    for (const name of SEEN_AT_ONCE) this.#cluster.off(name, this.#onSeen)
    this.#log.close()
  }

  readonly #onSeen = (): void => {
    if (this.#soon !== undefined) return
    const waitMs = Math.max(0, this.#lookedAtMs + LOOK_MS_MIN - performance.now())
    this.#soon = setTimeout(() => this.#look(false), waitMs)
  }

  /** Rates are of whole intervals: those of a few milliseconds would say nothing. */
  #look(isInterval: boolean): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#lookedAtMs = performance.now()
    const at = Date.now()
    const status = this.#cluster.status()
    this.#tellRing(status, at)
    this.#tellViews(status, at)
    const before = this.#metrics
    if (isInterval) this.#metrics = this.#cluster.metrics()
    const isKnown = isInterval && before !== undefined && this.#metrics !== undefined
    this.#tell(frameOf(status, isKnown ? sampleOf(before, this.#metrics as ClusterMetrics) : undefined, at))
  }

  #tellRing(status: ClusterStatus, at: number): void {
    if (status.epoch === this.#ringEpoch) return
    this.#ringEpoch = status.epoch
    this.#tell(ringEntry(this.#cluster.ring(), status, at))
  }

  #tellViews(status: ClusterStatus, at: number): void {
    const lives = status.nodes.map((node) => `${node.id} ${node.status} ${node.incarnation}`).join()
    if (status.converged && this.#agreedOn === lives) return
    this.#agreedOn = status.converged ? lives : undefined
    const entry = viewsEntry(this.#cluster.views(), status, at)
    const views = JSON.stringify([entry.members, entry.views])
    if (views === this.#views) return
    this.#views = views
    this.#tell(entry)
  }

  #tell(entry: Entry): void {
    this.#onLine(this.recording.add(entry))
  }
}
