/**
 * Decides from its files alone whether LevelDB may open a folder.
 *
 * LevelDB opens damaged logs and a lost CURRENT without a word, reads damaged tables without looking at their checksums, and
 * aborts the whole process over one flipped bit in a block that it compacts. So a node's store is verified first, in a pool
 * thread (actors/tasks/verify.task.ts), and a damaged one is set aside and filled again from the replicas.
 *
 * Because `damaged` throws a store away, what a crash leaves of a healthy one must be `ok`: torn last records of the log and
 * of MANIFEST, orphaned tables, superseded logs and manifests, a CURRENT not yet written. And because `ok` lets LevelDB
 * loose on the files, every byte that it will read must have been checked: all blocks of all live tables, all records of all
 * live logs, MANIFEST, CURRENT.
 *
 * What the files cannot tell: a log cut between two records (unless MANIFEST knows a later sequence number: `tornTail`), a newest log
 * that is gone, the whole folder replaced by an older copy. The store sequence in the node's witness file finds those.
 *
 * It must never open the store, write to it, or run while LevelDB has it open.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Damage, type ProblemKind } from './leveldb-files/damage.js'
import {
  CURRENT_BYTES_MAX,
  logName,
  readCurrent,
  type StoreFileNames,
  sortStoreFiles,
  tableName,
} from './leveldb-files/file-names.js'
import { type FileFingerprint, FileWindow, WINDOW_BYTES } from './leveldb-files/file-window.js'
import { LogChain } from './leveldb-files/log-chain.js'
import { type Manifest, readManifest } from './leveldb-files/manifest.js'
import { verifyTable } from './leveldb-files/table.js'

export interface VerifyOptions {
  /**
   * The `files` of an earlier report. Tables that still match are not read again, for LevelDB never changes a table. That
   * trusts the disk since then: for a restart within one process, not for the first opening. Default: none.
   */
  readonly knownFiles?: readonly FileFingerprint[]
}

export interface Problem {
  readonly file: string
  readonly kind: ProblemKind
  /** Where in the file, in bytes; absent where the whole file is meant. */
  readonly offset?: number
  /** For people; programs look at `kind`. */
  readonly detail: string
}

export interface VerifyReport {
  /** `absent`: no store was ever committed here, LevelDB would create one. */
  readonly verdict: 'ok' | 'absent' | 'damaged'
  /** One a file at most, at most `PROBLEMS_MAX`; empty unless `damaged`. */
  readonly problems: readonly Problem[]
  /** The live files without problems: `knownFiles` of the next verification. */
  readonly files: readonly FileFingerprint[]
  /** Writes at the end were lost as in a crash: of the log (nothing acknowledged, if only a process died) or of MANIFEST. */
  readonly tornTail: boolean
  /**
   * The last write that the files hold, counting all puts and deletes ever made; 0 unless `ok`. An upper bound while the
   * logs are empty, exact otherwise.
   */
  readonly lastSequence: number
  readonly bytesRead: number
  /** Live tables, skipped ones included. */
  readonly tables: number
  readonly tablesSkipped: number
  readonly logRecords: number
}

/** A report must stay small enough to be sent and printed, however much is broken. */
const PROBLEMS_MAX = 100

/** The number of the MANIFEST that LevelDB writes before a new store's first CURRENT; every opening takes a higher one. */
const FIRST_MANIFEST = 1

/**
 * Verifies the files of a LevelDB folder that nobody has open.
 *
 * Shape:  see VerifyReport. Reads every live file once, in chunks of 1 MiB, synchronously: call it in a pool thread.
 * Units:  bytes; `mtimeMs` as in fs.Stats.
 * Errors: damage never throws. A shortage of means does (EMFILE, ENFILE, ENOMEM, EACCES, EPERM), with the system's code:
 *         it says nothing about the store.
 * Source: leveldb doc/log_format.md, doc/table_format.md, doc/impl.md.
 */
export function verifyStoreFiles(folder: string, options: VerifyOptions = {}): VerifyReport {
  return new Verification(folder, options).run()
}

class Verification {
  readonly #folder: string
  readonly #known: ReadonlyMap<string, FileFingerprint>
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  readonly #problems: Problem[] = []
  readonly #files: FileFingerprint[] = []
  #bytesRead = 0

  constructor(folder: string, options: VerifyOptions) {
    this.#folder = folder
    this.#known = new Map(options.knownFiles?.map((file) => [file.name, file]))
  }

  run(): VerifyReport {
    const names = this.#listFiles()
    if (names === undefined || neverCommitted(names)) return this.#report('absent')
    const current = this.#onFile('CURRENT', (file) =>
      readCurrent(file.view(0, Math.min(file.bytes, CURRENT_BYTES_MAX))),
    )
    if (current === undefined) return this.#report('damaged')
    const manifest = this.#onFile(current, readManifest)
    if (manifest === undefined) return this.#report('damaged')

    const { tables, tablesSkipped } = this.#verifyTables(manifest, names)
    const logs = this.#verifyLogs(manifest, names)
    return this.#report(this.#problems.length === 0 ? 'ok' : 'damaged', {
      tornTail: manifest.isTorn || logs.isTorn,
      lastSequence: logs.lastSequence,
      tables,
      tablesSkipped,
      logRecords: logs.records,
    })
  }

  /** Undefined if there is no folder. */
  #listFiles(): StoreFileNames | undefined {
    try {
      return sortStoreFiles(readdirSync(this.#folder))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  #verifyTables(manifest: Manifest, names: StoreFileNames): { tables: number; tablesSkipped: number } {
    const sizes = new Map(manifest.tables.map((table) => [table.number, table.bytes]))
    let tablesSkipped = 0
    for (const [number, bytes] of sizes) {
      const skipped = this.#onFile(names.tables.get(number) ?? tableName(number), (file) => {
        if (file.bytes !== bytes) throw new Damage('size', `${file.bytes} bytes long, MANIFEST says ${bytes}`)
        if (this.#isKnown(file.fingerprint)) return true
        verifyTable(file)
        return false
      })
      if (skipped) tablesSkipped++
    }
    return { tables: sizes.size, tablesSkipped }
  }

  #isKnown(file: FileFingerprint): boolean {
    const known = this.#known.get(file.name)
    return known?.bytes === file.bytes && known.mtimeMs === file.mtimeMs && known.ino === file.ino
  }

  #verifyLogs(manifest: Manifest, names: StoreFileNames): LogChain {
    const { logNumber, prevLogNumber } = manifest
    const chain = new LogChain(manifest.lastSequence)
    const live = new Set(names.logs.filter((number) => number >= logNumber || number === prevLogNumber))
    // LevelDB makes a log before MANIFEST names it and keeps it until MANIFEST names another: without it, writes are gone.
    if (logNumber !== 0) live.add(logNumber)
    for (const number of [...live].sort((a, b) => a - b)) {
      this.#onFile(logName(number), (file) => chain.add(file))
    }
    return chain
  }

  /** Opens a file, lets `read` check it, and notes it as good or as a problem. Undefined if it is one. */
  #onFile<T>(name: string, read: (file: FileWindow) => T): T | undefined {
    let file: FileWindow | undefined
    try {
      file = FileWindow.open(join(this.#folder, name), name, this.#buffer)
      const result = read(file)
      this.#files.push(file.fingerprint)
      return result
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      this.#addProblem(name, error)
      return undefined
    } finally {
      this.#bytesRead += file?.bytesRead ?? 0
      file?.close()
    }
  }

  #addProblem(file: string, { kind, offset, message }: Damage): void {
    if (this.#problems.length >= PROBLEMS_MAX) return
    this.#problems.push({ file, kind, detail: message, ...(offset === undefined ? {} : { offset }) })
  }

  #report(verdict: VerifyReport['verdict'], facts: Partial<VerifyReport> = {}): VerifyReport {
    return {
      verdict,
      problems: this.#problems,
      files: this.#files,
      tornTail: false,
      lastSequence: 0,
      bytesRead: this.#bytesRead,
      tables: 0,
      tablesSkipped: 0,
      logRecords: 0,
      ...facts,
    }
  }
}

/**
 * No store, or one whose creator died before its first CURRENT. Such a one has at most the very first MANIFEST; a store that was
 * ever open has a later one and a log, and without CURRENT it is damaged: LevelDB would start afresh beside its tables.
 */
function neverCommitted(names: StoreFileNames): boolean {
  const { hasCurrent, manifests, logs, tables } = names
  if (hasCurrent || logs.length > 0 || tables.size > 0) return false
  return manifests.every((number) => number === FIRST_MANIFEST)
}
