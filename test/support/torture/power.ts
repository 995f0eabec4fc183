/**
 * The power fails under durability `'disk'`: the process is killed, and of its files stays what a disk had promised to keep
 * (`power-cut.ts`), with a little more by chance. The machine is another run after each cut.
 *
 * A killed process alone proves nothing about power: what it wrote is in the page cache, synced or not.
 */

import { randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Prng } from '../../../src/protocol/prng.js'
import { buildTracer, readTrace, tracedEnvironment } from './file-trace.js'
import { differingPaths, readTree, writeTree } from './folder-tree.js'
import { describeLives } from './kill.js'
import { liveAndDie } from './lives.js'
import type { Effort, Outcome } from './outcome.js'
import { DiskModel, type Tree } from './power-cut.js'

const WRITING_MS_MAX = 400

/** `strict`: changes of names count only by an fsync of their folder. `holes`: what is appended appears in any order. */
export async function torturePower(
  effort: Effort & { readonly strict?: boolean; readonly holes?: boolean; readonly durability?: 'process' | 'disk' },
): Promise<Outcome> {
  const { seed, count, nodes, strict = false, holes = false, durability = 'disk' } = effort
  mkdirSync(effort.folder, { recursive: true })
  const folder = realpathSync(effort.folder)
  const words = [durability, ...(strict ? ['strict'] : []), ...(holes ? ['holes'] : [])]
  const part = `power (${words.join(', ')})`
  const tracer = buildTracer(folder)
  if ('missing' in tracer) return { part, figures: '', broken: [], notRun: tracer.missing }
  const disk = new Disk(folder, tracer.library, { seed, strict, holes })
  const lives = { folder, seed, nodes, count, durability, strikes: 'nothing' as const, writingMsMax: WRITING_MS_MAX }
  const report = await liveAndDie({
    ...lives,
    environment: () => disk.start(),
    afterKill: () => disk.cut(),
  })
  const figures = `${describeLives([report])}; of ${disk.events} traced changes and syncs ${disk.filesChanged} files lost something`
  const broken = [...report.broken, ...(disk.filesChanged === 0 ? ['no cut ever took anything away'] : [])]
  return { part, figures, broken }
}

/** The files of one location from life to life. */
class Disk {
  readonly #folder: string
  readonly #root: string
  readonly #library: string
  readonly #prng: Prng
  readonly #model: { readonly strict: boolean; readonly holes: boolean }
  #before: Tree = new Map()
  events = 0
  filesChanged = 0

  constructor(folder: string, library: string, { seed, ...model }: { seed: number; strict: boolean; holes: boolean }) {
    this.#folder = folder
    this.#root = join(folder, 'data')
    this.#library = library
    this.#prng = new Prng(seed)
    this.#model = model
    mkdirSync(this.#root)
  }

  /** The environment of the next process, whose every change is traced from here on. */
  start(): NodeJS.ProcessEnv {
    const bootIdFile = join(this.#folder, 'boot-id')
    writeFileSync(bootIdFile, `${randomUUID()}\n`)
    this.#before = readTree(this.#root)
    rmSync(this.#trace, { force: true })
    return tracedEnvironment({ library: this.#library, root: this.#root, trace: this.#trace, bootIdFile })
  }

  /** Shape: what is wrong with the trace itself; a trace that does not explain the files proves nothing. */
  cut(): string[] {
    const model = new DiskModel(this.#before)
    const events = readTrace(this.#trace)
    model.play(events)
    const left = readTree(this.#root)
    // The kill can come between one change and its record.
    const unexplained = differingPaths(left, model.seen())
    const kept = model.afterCut({ ...this.#model, ...(this.#prng.below(3) === 0 ? {} : { prng: this.#prng }) })
    this.events += events.length
    this.filesChanged += differingPaths(left, kept).length
    writeTree(this.#root, kept)
    return unexplained.length > 1 ? [`the trace does not explain ${unexplained.join(', ')}`] : []
  }

  get #trace(): string {
    return join(this.#folder, 'trace')
  }
}
