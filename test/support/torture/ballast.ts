/**
 * A file that takes what room a small disk has, and gives it back. Called by the process that writes on such a disk.
 */

import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, type ClusterOptions, CoterieError, openCluster } from '../../../src/index.js'
import type { Prng } from '../../../src/protocol/prng.js'
import { isDiskFull } from '../../../src/storage/disk-room.js'
import { outcomeOf, until } from '../cluster.js'

/** What the writers have until they find nothing. */
const ROOM_BYTES_MAX = 400_000
/** From one look to the next: LevelDB makes room by compacting, and would never find the end of what is left. */
const ROOM_SHRINKS = 0.95
/** How long the disk is full at most: longer than a put waits for anything but an owner. */
const FULL_MS_MAX = 700
/** The latest room, where an opening finds none. */
const OPENING_FULL_MS_MAX = 1_500
const PATIENCE_MS = 60_000

export class Ballast {
  readonly #path: string
  readonly #prng: Prng

  /** Beside the location, on the same disk. */
  constructor(location: string, prng: Prng) {
    this.#path = join(dirname(location), 'ballast')
    this.#prng = prng
  }

  /**
   * Opens on the disk as it is found, which may be full, and gives it room a little later. An opening that the full disk refuses
   * succeeds then; one that waits for room goes on. Errors: those of the second opening.
   */
  async open(options: ClusterOptions, onRefused: () => void): Promise<Cluster> {
    const freed = delay(this.#prng.below(OPENING_FULL_MS_MAX)).then(() => this.#free())
    let cluster: Cluster | undefined
    try {
      cluster = await openCluster(options)
    } catch (error) {
      if (!(error instanceof CoterieError) || error.code !== 'OPEN_FAILED') throw error
      onRefused()
    }
    await freed
    cluster ??= await openCluster(options)
    await cluster.settled({ timeoutMs: PATIENCE_MS })
    return cluster
  }

  /** Again and again: what is left of the room goes, writes are refused, there is room, writes are acknowledged. */
  async fillAndFree(cluster: Cluster, onFull: () => void): Promise<never> {
    for (;;) {
      // The writers go on, and find the end of it.
      let room = this.#prng.below(ROOM_BYTES_MAX)
      await until(() => {
        this.#takeAllBut(room)
        room *= ROOM_SHRINKS
        return cluster.status().nodes.some(({ storeFull }) => storeFull)
      }, PATIENCE_MS)
      onFull()
      await delay(this.#prng.below(FULL_MS_MAX))
      this.#free()
      await cluster.settled({ timeoutMs: PATIENCE_MS })
      const outcome = await outcomeOf(cluster.put('there is room', 'a value', { w: 3, timeoutMs: PATIENCE_MS }))
      if (outcome !== 'ok') throw new Error(`there is room, and a put ends with ${outcome}`)
    }
  }

  #takeAllBut(room: number): void {
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    const bytes = Math.floor(bavail * bsize - room)
    if (bytes <= 0) return
    try {
      appendFileSync(this.#path, Buffer.alloc(bytes))
    } catch (error) {
      // The writers took it meanwhile.
      if (!isDiskFull(error)) throw error
    }
  }

  #free(): void {
    rmSync(this.#path, { force: true })
  }
}
