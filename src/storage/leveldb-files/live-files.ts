/**
 * The files of a closed store that LevelDB will read: CURRENT, the MANIFEST that it names, the tables and logs that this one names.
 *
 * Whatever else lies there is left over, from a compaction that was interrupted for one, and LevelDB will write files of the
 * same names. Called for stores whose files are good, or about to be verified.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CURRENT_BYTES_MAX, logName, readCurrent, sortStoreFiles, tableName } from './file-names.js'
import { FileWindow, WINDOW_BYTES } from './file-window.js'
import { readManifest } from './manifest.js'

/** Errors: Damage if CURRENT or MANIFEST cannot be read; those of fs. */
export function liveFilesIn(folder: string): string[] {
  const names = sortStoreFiles(readdirSync(folder))
  const current = onFile(folder, 'CURRENT', (file) =>
    readCurrent(file.view(0, Math.min(file.bytes, CURRENT_BYTES_MAX))),
  )
  const { tables, logNumber, prevLogNumber } = onFile(folder, current, readManifest)
  const logs = names.logs.filter((number) => number >= logNumber || number === prevLogNumber)
  return [
    'CURRENT',
    current,
    ...logs.map(logName),
    ...tables.map(({ number }) => names.tables.get(number) ?? tableName(number)),
  ]
}

function onFile<T>(folder: string, name: string, read: (file: FileWindow) => T): T {
  const file = FileWindow.open(join(folder, name), name, Buffer.allocUnsafe(WINDOW_BYTES))
  try {
    return read(file)
  } finally {
    file.close()
  }
}
