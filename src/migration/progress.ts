/** How far a stage of a migration is, and how fast: told a few times a second to whoever asks. Called by the migration. */

import type { MigrationProgress, MigrationStage } from '../shared/migration-shapes.js'
import type { WalkPage } from './walk.js'

const TELL_MS = 250
/** Of the rate that is told. */
const WINDOW_MS = 3_000

export type OnProgress = (progress: MigrationProgress) => void

export class Progress {
  readonly #listeners = new Set<OnProgress>()
  readonly #total: () => number
  #stage: MigrationStage = 'dual-write'
  #phase = ''
  #records = 0
  #bytes = 0
  #startedMs = performance.now()
  #toldMs = Number.NEGATIVE_INFINITY
  #window: { readonly atMs: number; readonly records: number }[] = []

  /** `total`: records that there are, more or less. */
  constructor(total: () => number) {
    this.#total = total
  }

  /** `failed` rejects with what the listener throws, or its promise rejects with; it is told nothing more then; the migration goes on. */
  watch(onProgress: OnProgress): { readonly failed: Promise<never>; end(): void } {
    let end = (): void => undefined
    const failed = new Promise<never>((_, reject) => {
      const fail = (error: unknown): void => {
        end()
        reject(error)
      }
      const listener: OnProgress = (progress) => {
        try {
          const told: unknown = onProgress(progress)
          if (told instanceof Promise) told.catch(fail)
        } catch (error) {
          fail(error)
        }
      }
      end = () => this.#listeners.delete(listener)
      this.#listeners.add(listener)
    })
    return { failed, end }
  }

  get records(): number {
    return this.#records
  }

  get tookMs(): number {
    return performance.now() - this.#startedMs
  }

  get share(): number {
    return Math.min(1, this.#records / Math.max(1, this.#total()))
  }

  get perSecond(): number {
    return (this.#records / Math.max(1, this.tookMs)) * 1_000
  }

  /** `records`: that were done in an earlier life. */
  begin(stage: MigrationStage, { phase = stage, records = 0 }: { phase?: string; records?: number } = {}): void {
    this.#stage = stage
    this.#phase = phase
    this.#records = records
    this.#bytes = 0
    this.#startedMs = performance.now()
    this.#window = [{ atMs: this.#startedMs, records }]
    this.#tell()
  }

  onPage({ here }: WalkPage): void {
    this.#records += here.length
    for (const { key, record } of here) this.#bytes += key.length + (record.value?.byteLength ?? 0)
    const now = performance.now()
    if (now - this.#toldMs < TELL_MS) return
    this.#window.push({ atMs: now, records: this.#records })
    while (this.#window.length > 2 && now - (this.#window[0]?.atMs ?? now) > WINDOW_MS) this.#window.shift()
    this.#tell()
  }

  /** Of the stage, or the pass. */
  end(): void {
    this.#tell()
  }

  #tell(): void {
    this.#toldMs = performance.now()
    const [first] = this.#window
    const seconds = (this.#toldMs - (first?.atMs ?? this.#toldMs)) / 1_000
    const perSecond = seconds > 0 ? Math.round((this.#records - (first?.records ?? 0)) / seconds) : 0
    const { share } = this
    const progress = {
      stage: this.#stage,
      phase: this.#phase,
      records: this.#records,
      bytes: this.#bytes,
      share,
      perSecond,
    }
    for (const listener of this.#listeners) listener(progress)
  }
}
