/** How many keys each partition has, for `status()`: asked every two seconds, so that nobody has to wait for it. */

import type { PartitionId } from '../../protocol/ids.js'
import type { Connections } from './connections.js'
import type { KeyNames } from './key-names.js'
import { placeOf } from './placement.js'
import type { TopologyWatch } from './topology-watch.js'

const COUNT_MS = 2_000
/** Of more partitions the counts are older. */
const PARTITIONS_AT_ONCE = 1_024

interface KeyCountsOptions {
  readonly names: KeyNames
  readonly partitions: number
  readonly connections: Connections
  readonly watch: TopologyWatch
}

export class KeyCounts {
  readonly #options: KeyCountsOptions
  readonly #counts: Float64Array
  readonly #timer: NodeJS.Timeout
  #isCounting = false

  constructor(options: KeyCountsOptions) {
    this.#options = options
    this.#counts = new Float64Array(options.partitions)
    this.#timer = setInterval(() => void this.count(), COUNT_MS * Math.max(1, options.partitions / PARTITIONS_AT_ONCE))
    this.#timer.unref()
  }

  of(partition: PartitionId): number {
    return this.#counts[partition] ?? 0
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** What cannot be asked keeps its count. */
  async count(): Promise<void> {
    if (this.#isCounting) return
    this.#isCounting = true
    await Promise.all(Array.from(this.#counts, (_, partition) => this.#countOne(partition)))
    this.#isCounting = false
  }

  async #countOne(partition: PartitionId): Promise<void> {
    const { names, connections, watch } = this.#options
    const place = placeOf(watch.topology, names, partition)
    const connection = place === undefined ? undefined : connections.get(place.master, 'read')
    if (connection?.isReady !== true) return
    const answer = await connection.send('ZCARD', names.index(partition))
    if (answer.type === 'reply') this.#counts[partition] = Number(answer.reply)
  }
}
