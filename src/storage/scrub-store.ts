/**
 * Verifies the tables of a store again while LevelDB has it open: a slice at a time, so that whoever calls can pause between.
 *
 * What can be known of an open store: LevelDB never changes a table once MANIFEST names it, and names it only when it is whole
 * on the disk. So every live table must verify. One that compaction deletes meanwhile is no damage: MANIFEST, read again,
 * does not name it any more. MANIFEST and CURRENT are read for each slice, and so are verified too. Logs are left out: what
 * is in them is in memory as well, and becomes a table from there; opening verifies them.
 *
 * Called in a pool thread (`scrubTables` of `verify.task.ts`). It must never write, or judge a file that MANIFEST does not name.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Damage } from './leveldb-files/damage.js'
import { CURRENT_BYTES_MAX, readCurrent, sortStoreFiles, tableName } from './leveldb-files/file-names.js'
import { FileWindow, WINDOW_BYTES } from './leveldb-files/file-window.js'
import { type Manifest, readManifest } from './leveldb-files/manifest.js'
import { verifyTable } from './leveldb-files/table.js'
import type { Problem } from './verify-store.js'

/** A part of a scrub: the live tables above `after`, by number, until `bytesMax` have been read (one at least). */
export interface ScrubSlice {
  /** The number of the last table of the slice before; 0 at first. */
  readonly after: number
  readonly bytesMax: number
}

export interface ScrubReport {
  /** Confirmed: it was found twice, and MANIFEST still named the table after. */
  readonly problems: readonly Problem[]
  readonly tables: number
  readonly bytesRead: number
  /** Where the next slice begins; undefined after the last table. */
  readonly next: number | undefined
}

/** Errors: damage never throws. A shortage of means does, as in `verifyStoreFiles`. */
export function scrubStoreTables(folder: string, slice: ScrubSlice): ScrubReport {
  return new Scrub(folder).run(slice)
}

class Scrub {
  readonly #folder: string
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  #bytesRead = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  run({ after, bytesMax }: ScrubSlice): ScrubReport {
    let last = after
    const manifest = this.#twice('MANIFEST', () => this.#readManifest())
    if (!('tables' in manifest)) return this.#report([manifest], 0, undefined)
    const due = manifest.tables.filter(({ number }) => number > after).sort((a, b) => a.number - b.number)
    const problems: Problem[] = []
    let tables = 0
    for (const { number } of due) {
      if (tables > 0 && this.#bytesRead >= bytesMax) return this.#report(problems, tables, last)
      const problem = this.#twice(tableName(number), () => this.#verifyIfLive(number))
      if (problem !== undefined) problems.push(problem)
      tables += 1
      last = number
    }
    return this.#report(problems, tables, undefined)
  }

  /** What was found once is looked for again: a file that changed hands under the reading is whole the second time. */
  #twice<T>(file: string, look: () => T): T | Problem {
    try {
      return look()
    } catch (error) {
      if (!(error instanceof Damage)) throw error
    }
    try {
      return look()
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      const { kind, offset, message: detail } = error
      return { file, kind, detail, ...(offset === undefined ? {} : { offset }) }
    }
  }

  /** Errors: Damage, if MANIFEST names the table after it was found. */
  #verifyIfLive(number: number): undefined {
    try {
      this.#verify(number)
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      if (this.#readManifest().tables.some((table) => table.number === number)) throw error
    }
    return undefined
  }

  #verify(number: number): void {
    const names = sortStoreFiles(readdirSync(this.#folder))
    this.#onFile(names.tables.get(number) ?? tableName(number), verifyTable)
  }

  #readManifest(): Manifest {
    const current = this.#onFile('CURRENT', (file) =>
      readCurrent(file.view(0, Math.min(file.bytes, CURRENT_BYTES_MAX))),
    )
    return this.#onFile(current, readManifest)
  }

  #onFile<T>(name: string, read: (file: FileWindow) => T): T {
    const file = FileWindow.open(join(this.#folder, name), name, this.#buffer)
    try {
      return read(file)
    } finally {
      this.#bytesRead += file.bytesRead
      file.close()
    }
  }

  #report(problems: readonly Problem[], tables: number, next: number | undefined): ScrubReport {
    return { problems, tables, bytesRead: this.#bytesRead, next }
  }
}
