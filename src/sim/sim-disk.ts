/**
 * A simulated node's disk: what it holds outlives the node's thread; what it has not answered yet may or may not survive.
 *
 * It can be slow, full, lost, damaged, or replaced by an older copy of itself. As on a real node, a witness outside the
 * store knows how far the store has been: a store that is behind it has forgotten something, and is set aside.
 *
 * Called by `SimNode`, and by faults.
 */

import type { NodeEffect } from '../protocol/effects.js'
import type { Prng } from '../protocol/prng.js'
import type { Hint, StoreWrite } from '../protocol/store-contract.js'
import type { OpeningVerdict } from '../protocol/supervision/supervisor-events.js'
import { copyMemoryDisk, createMemoryDisk, type MemoryDisk, MemoryStore } from '../storage/memory-store.js'

export type DiskWork = NodeEffect & { type: 'store/write' | 'store/scan' }

/** What opening the store has found. */
export interface Opened {
  readonly store: MemoryStore
  readonly verdict: OpeningVerdict
  readonly reason: string
  readonly hints: readonly Hint[]
  readonly meta: Readonly<Record<string, string>>
}

export class SimDisk {
  readonly #partitions: number
  readonly #takeStoreId: () => string
  #content: MemoryDisk
  /** The store's sequence as the witness knows it. */
  #witness = 0
  #copy: MemoryDisk | undefined
  /** Verification will find its files damaged. */
  isDamaged = false
  isFull = false
  /** Nobody has opened it: its node is about to join. */
  isNew = false
  /** Added to the time of each piece of work. */
  slowMs = 0
  /** When the last piece is done that was taken while it was slow: they are done one after the other, at the pace of then. */
  slowUntilMs = Number.NEGATIVE_INFINITY
  /** Not answered yet, oldest first. */
  readonly pending: DiskWork[] = []

  constructor(partitions: number, takeStoreId: () => string) {
    this.#partitions = partitions
    this.#takeStoreId = takeStoreId
    this.#content = createMemoryDisk(takeStoreId())
  }

  get storeId(): string {
    return this.#content.storeId
  }

  /** What lies on it, for checkers and faults. */
  get content(): MemoryDisk {
    return this.#content
  }

  /** A view of what has been accepted. */
  view(): MemoryStore {
    return new MemoryStore({ disk: this.#content, partitions: this.#partitions })
  }

  /** Shape: `salvage` changes nothing on it, whatever is found. */
  open(isCreation: boolean, salvage: boolean): Opened {
    const isFresh = isCreation || this.isNew
    this.isNew = false
    const forgetful = this.#reasonToDoubt(isFresh)
    if (forgetful !== undefined && !salvage) this.#setAside()
    const store = this.view()
    const { hints, meta } = store.identity
    if (forgetful !== undefined) return { store, verdict: 'amnesiac', reason: forgetful, hints, meta }
    return { store, verdict: isFresh ? 'fresh' : 'intact', reason: 'proved', hints, meta }
  }

  /** The store has accepted a write: the witness knows before anybody else does. */
  accept(store: MemoryStore, work: DiskWork & { type: 'store/write' }): void {
    store.accept(work.write)
    this.#witness = this.#content.sequence
  }

  /** The thread ends. Of what was not answered a prefix was accepted all the same: returned. */
  crash(prng: Prng, losesAll: boolean): readonly StoreWrite[] {
    this.slowUntilMs = Number.NEGATIVE_INFINITY
    const kept = losesAll || this.isFull ? 0 : prng.below(this.pending.length + 1)
    const store = this.view()
    const accepted: StoreWrite[] = []
    for (const work of this.pending.splice(0).slice(0, kept)) {
      if (work.type !== 'store/write') continue
      this.accept(store, work)
      accepted.push(work.write)
    }
    return accepted
  }

  /** Everything on it is gone. */
  wipe(): void {
    this.#content = createMemoryDisk(this.#takeStoreId())
  }

  /** What it holds now. */
  snapshot(): MemoryDisk {
    return copyMemoryDisk(this.#content)
  }

  takeCopy(): void {
    this.#copy = copyMemoryDisk(this.#content)
  }

  /** False: there is no older copy of this store. */
  restoreCopy(): boolean {
    const copy = this.#copy
    if (copy === undefined || copy.storeId !== this.storeId || copy.sequence >= this.#content.sequence) return false
    this.#content = copyMemoryDisk(copy)
    return true
  }

  /** Flips a bit in some of its records. */
  damageRecords(prng: Prng, count: number): number {
    const keys = [...this.#content.records.keys()]
    let damaged = 0
    for (; damaged < count && keys.length > 0; damaged++) {
      const [key] = keys.splice(prng.below(keys.length), 1)
      if (key === undefined) break
      const bytes = Uint8Array.from(this.#content.records.get(key) ?? [])
      const at = prng.below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8))
      this.#content.records.set(key, bytes)
    }
    return damaged
  }

  #reasonToDoubt(isCreation: boolean): string | undefined {
    if (this.isDamaged) return 'files-damaged'
    const { sequence } = this.#content
    if (sequence === 0) return isCreation ? undefined : 'identity-missing'
    return sequence < this.#witness ? 'behind-witness' : undefined
  }

  #setAside(): void {
    this.wipe()
    this.isDamaged = false
    this.#witness = 0
    this.#copy = undefined
  }
}
