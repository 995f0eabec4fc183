/**
 * Which files in a folder belong to LevelDB, and what CURRENT says.
 *
 * Only the names that LevelDB itself would open count (six digits at least, as it prints them). A stray `7.log` is not
 * read here, since LevelDB would see it, fail to open `000007.log` and go on.
 *
 * Source: leveldb 1.20, db/filename.cc.
 */
import { Damage } from './damage.js'

export interface StoreFileNames {
  readonly hasCurrent: boolean
  /** Numbers of `MANIFEST-…`, ascending. */
  readonly manifests: readonly number[]
  /** Numbers of `….log`, ascending. */
  readonly logs: readonly number[]
  /** File name by table number; `.ldb` wins over `.sst`, as in LevelDB. */
  readonly tables: ReadonlyMap<number, string>
}

const MANIFEST_PATTERN = /^MANIFEST-(\d{6,15})$/
const NUMBERED_PATTERN = /^(\d{6,15})\.(log|ldb|sst)$/

/** CURRENT is one line; anything longer is not worth reading. Bytes. */
export const CURRENT_BYTES_MAX = 64

export function sortStoreFiles(names: readonly string[]): StoreFileNames {
  const manifests: number[] = []
  const logs: number[] = []
  const tables = new Map<number, string>()
  for (const name of names) {
    const manifest = MANIFEST_PATTERN.exec(name)
    if (manifest) {
      manifests.push(Number(manifest[1]))
      continue
    }
    const numbered = NUMBERED_PATTERN.exec(name)
    if (!numbered) continue
    const number = Number(numbered[1])
    if (numbered[2] === 'log') logs.push(number)
    else if (numbered[2] === 'ldb' || !tables.has(number)) tables.set(number, name)
  }
  const ascending = (a: number, b: number): number => a - b
  return {
    hasCurrent: names.includes('CURRENT'),
    manifests: manifests.sort(ascending),
    logs: logs.sort(ascending),
    tables,
  }
}

export function logName(number: number): string {
  return `${String(number).padStart(6, '0')}.log`
}

export function tableName(number: number): string {
  return `${String(number).padStart(6, '0')}.ldb`
}

/**
 * The name of the manifest that CURRENT points to.
 *
 * LevelDB takes any line that ends in a newline; here only what it writes passes, because CURRENT has no checksum.
 *
 * Shape:  `MANIFEST-` and six digits or more.
 * Errors: throws Damage('format').
 * Source: leveldb 1.20, db/filename.cc, SetCurrentFile.
 */
export function readCurrent(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const name = text.slice(0, -1)
  if (!text.endsWith('\n') || !MANIFEST_PATTERN.test(name)) {
    throw new Damage('format', 'CURRENT does not name a manifest', 0)
  }
  return name
}
