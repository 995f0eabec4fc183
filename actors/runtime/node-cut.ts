/**
 * A node's part in a backup: stops its writes, takes a snapshot of its store in the cut, gives it away chunk by chunk.
 *
 * ```
 * 1. freeze    writes wait in the gate; confirmed once the store has accepted, or refused, what it was given before
 * 2. snapshot  of a store in which nothing changes; then the writes go on
 * 3. stream    pages of the snapshot, one for each that is asked for
 * ```
 *
 * Why the writes go on with step 2, and do not wait until every node has done it: all nodes of the cut had confirmed the freeze
 * before the first snapshot was taken, and each stays frozen until its own. So all snapshots show that one moment, whatever is
 * written after some of them.
 *
 * A freeze ends by itself (`WriteGate`), a snapshot when its time is over, its port closes or the store is closed. Called by
 * `NodeHost`, over the control surface.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { packEntries } from '../../src/storage/backup-chunk.js'
import type { LevelStore } from '../../src/storage/level-store.js'
import type { StoreSnapshot } from '../../src/storage/store-snapshot.js'
import { nowMs } from './clock.js'
import type { FromSource } from './cut-protocol.js'
import type { WriteGate } from './write-gate.js'

/** A snapshot that nobody has asked for by then is given up: LevelDB would keep what it shows for ever. */
const UNCLAIMED_MS_MAX = 3_600_000
const CHUNK_BYTES = 262_144

export class NodeCut {
  readonly #gate: WriteGate
  readonly #store: () => LevelStore
  readonly #bytesPerSecond: number
  #taken: { readonly token: string; readonly snapshot: StoreSnapshot; readonly limit: NodeJS.Timeout } | undefined

  constructor(options: { gate: WriteGate; store: () => LevelStore; bytesPerSecond: number }) {
    this.#gate = options.gate
    this.#store = options.store
    this.#bytesPerSecond = options.bytesPerSecond
  }

  /** Shape: false if it was thawed meanwhile. */
  async freeze(token: string, limitMs: number): Promise<boolean> {
    this.#gate.close(token, limitMs)
    await this.#store().drained()
    return this.#gate.isClosedBy(token)
  }

  /** Takes the snapshot and thaws. Shape: false if it is not frozen any more; there is no snapshot then. */
  snapshot(token: string): boolean {
    if (!this.#gate.isClosedBy(token)) return false
    try {
      void this.#drop()
      const limit = setTimeout(() => void this.release(token), UNCLAIMED_MS_MAX)
      this.#taken = { token, snapshot: this.#store().snapshot(), limit }
      return true
    } finally {
      this.#gate.open(token)
    }
  }

  /** Whatever has been done for this token is undone. */
  async release(token: string): Promise<void> {
    this.#gate.open(token)
    if (this.#taken?.token === token) await this.#drop()
  }

  /** Answers whoever holds the other end of the port until the snapshot is read, or the port closes. */
  stream(token: string, port: MessagePort): void {
    const taken = this.#taken
    if (taken?.token !== token) return port.close()
    this.#taken = undefined
    const { snapshot, limit } = taken
    clearTimeout(limit)
    const unclaimed = setTimeout(() => port.close(), UNCLAIMED_MS_MAX)
    let dueMs = 0
    port.on('message', async () => {
      unclaimed.refresh()
      await delay(Math.max(0, dueMs - nowMs()))
      const answer = await nextOf(snapshot)
      if (answer.type !== 'chunk') port.postMessage(answer)
      else {
        dueMs = nowMs() + (answer.bytes.length / this.#bytesPerSecond) * 1_000
        port.postMessage(answer, [answer.bytes.buffer as ArrayBuffer])
      }
    })
    port.once('close', () => {
      clearTimeout(unclaimed)
      void snapshot.close()
    })
  }

  async #drop(): Promise<void> {
    const taken = this.#taken
    this.#taken = undefined
    if (taken === undefined) return
    clearTimeout(taken.limit)
    await taken.snapshot.close()
  }
}

/** What cannot be read is told: a node does not end because a backup of it does. */
async function nextOf(snapshot: StoreSnapshot): Promise<FromSource> {
  try {
    const entries = await snapshot.nextPage(CHUNK_BYTES)
    return entries.length === 0 ? { type: 'end' } : { type: 'chunk', bytes: packEntries(entries) }
  } catch (error) {
    return { type: 'failed', detail: error instanceof Error ? error.message : String(error) }
  }
}
