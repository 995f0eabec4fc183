/** What every group of measurements is given: how long, how often, where, and somebody to tell. */

import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RoundOptions } from '../harness.js'

export interface Context {
  /** Small and short: shows that it works, measures little. */
  readonly quick: boolean
  readonly rounds: RoundOptions
  /** Records of most groups. */
  readonly records: number
  /** Ten million records too, where sizes are measured. */
  readonly large: boolean
  /** Measured are workloads whose names begin like one of these; all if there are none. */
  readonly workloadPrefixes: readonly string[]
  /** What could not be measured, and why. */
  readonly missing: Map<string, string>
  /** A new folder; gone when the run ends. */
  folder(): Promise<string>
  say(line: string): void
  /** Deletes the folders. */
  end(): Promise<void>
}

/** What a context is made of. */
export interface ContextOptions {
  readonly quick: boolean
  readonly rounds: RoundOptions
  readonly records: number
  readonly large: boolean
  readonly workloadPrefixes: readonly string[]
}

/** A context whose folders lie below one temporary folder. */
export async function makeContext(options: ContextOptions): Promise<Context> {
  const root = await mkdtemp(join(tmpdir(), 'coterie-bench-'))
  let folders = 0
  // Also if the run is interrupted.
  const remove = () => rmSync(root, { recursive: true, force: true })
  process.once('exit', remove)
  return {
    ...options,
    missing: new Map(),
    folder: async () => join(root, `${folders++}`),
    say: (line) => console.log(line),
    end: async () => {
      process.off('exit', remove)
      await rm(root, { recursive: true, force: true })
    },
  }
}
