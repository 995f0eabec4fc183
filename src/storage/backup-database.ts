/**
 * Writes one database of a backup from the chunks of a node's store: a LevelDB of its own with the same entries, its hash, and
 * the sums of its files. What cannot be read (a record's checksum is wrong) is left out and told.
 *
 * Called in a pool thread. When it returns everything is on the disk.
 */

import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { PartitionId } from '../protocol/ids.js'
import { partitionOf } from '../protocol/ring/slot.js'
import { packEntries, type StoredEntry, unpackEntries } from './backup-chunk.js'
import type { BackedUpDatabase, DatabaseContents } from './backup-manifest.js'
import { decodeHint } from './entry-codec.js'
import { sumAndSyncFiles } from './file-sums.js'
import { idOfHint, isHint, keyOfData } from './keyspace.js'
import { type Level, openLevel } from './open-level.js'
import { decodeRecord } from './record-codec.js'

const LEVEL_OPTIONS = { cacheBytes: 0, openFilesMax: 100, writeBufferBytes: 8_388_608, lockWaitMs: 0 }

/** Counts and hashes entries in order. */
export class ContentsSum {
  readonly #hash = createHash('sha256')
  #records = 0
  #hints = 0
  #bytes = 0

  /** `chunk`: the entries, packed. */
  add(entries: readonly StoredEntry[], chunk: Uint8Array): void {
    this.#hash.update(chunk)
    for (const [key, value] of entries) {
      if (isHint(key)) this.#hints++
      else this.#records++
      this.#bytes += key.length + value.length
    }
  }

  get soFar(): Omit<DatabaseContents, 'sha256'> {
    return { records: this.#records, hints: this.#hints, bytes: this.#bytes }
  }

  end(): DatabaseContents {
    return { ...this.soFar, sha256: this.#hash.digest('hex') }
  }
}

/** What is damaged among the entries: partitions of records; hints do not say theirs. */
export function isDamaged([key, value]: StoredEntry): boolean {
  return (isHint(key) ? decodeHint(idOfHint(key), value) : decodeRecord(keyOfData(key), value)) === 'damaged'
}

/** Errors: those of fs and abstract-level; whatever the source throws. */
export async function writeBackupDatabase(
  folder: string,
  chunks: AsyncIterable<Uint8Array>,
  { partitions, onProgress }: { partitions: number; onProgress: (soFar: Omit<DatabaseContents, 'sha256'>) => void },
): Promise<Omit<BackedUpDatabase, 'node' | 'folder'>> {
  mkdirSync(folder)
  const level = await openLevel(folder, LEVEL_OPTIONS)
  const sum = new ContentsSum()
  const partitionsDamaged = new Set<PartitionId>()
  try {
    for await (const chunk of chunks) {
      const entries = unpackEntries(chunk)
      const good = entries.filter((entry) => !isDamaged(entry))
      if (good.length < entries.length) {
        for (const [key, value] of entries)
          if (!isHint(key) && isDamaged([key, value])) partitionsDamaged.add(partitionOf(keyOfData(key), partitions))
      }
      sum.add(good, good.length === entries.length ? chunk : packEntries(good))
      await write(level, good)
      onProgress(sum.soFar)
    }
  } finally {
    await level.close()
  }
  return { ...sum.end(), partitionsDamaged: [...partitionsDamaged], files: sumAndSyncFiles(folder) }
}

async function write(level: Level, entries: readonly StoredEntry[]): Promise<void> {
  const batch = level.batch()
  for (const [key, value] of entries) batch.put(key, value)
  await batch.write()
}
