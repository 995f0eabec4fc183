/**
 * Damages a closed store on purpose: for `cluster.faults`. Never called without `faults: true`.
 */

import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Files whose damage a store must survive: tables, logs, the manifest. */
const WORTH_DAMAGING = /^(\d+\.(ldb|sst|log)|MANIFEST-\d+)$/
/** Bits flipped in each file. */
const FLIPS_PER_FILE = 8

/** Deletes the store's folder. */
export async function deleteStore(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Flips single bits, spread over every file that holds data. An absent store stays absent. */
export async function damageStore(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(emptyIfAbsent)).filter((name) => WORTH_DAMAGING.test(name))
  for (const name of names) {
    const path = join(folder, name)
    const { size } = await stat(path)
    if (size === 0) continue
    const file = await open(path, 'r+')
    try {
      for (let flip = 0; flip < FLIPS_PER_FILE; flip++) {
        const offset = Math.floor((size * (flip + 0.5)) / FLIPS_PER_FILE)
        const byte = Buffer.alloc(1)
        await file.read(byte, 0, 1, offset)
        byte[0] = (byte[0] ?? 0) ^ 0x10
        await file.write(byte, 0, 1, offset)
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

function emptyIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
