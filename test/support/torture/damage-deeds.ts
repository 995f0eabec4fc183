/**
 * What is done to files and folders to damage them, and where, by a seed. Does it; judges nothing.
 *
 * Called by the two processes that open what they have damaged.
 */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Prng } from '../../../src/protocol/prng.js'
import { nodeFolders } from '../../../src/storage/layout.js'

/** Done at a place in the file: from there on it is gone, some of it is zeros, a bit is flipped, the rest is there twice. */
export const PLACED_DEEDS = ['truncate', 'zero', 'flip', 'duplicate'] as const
/** Done to the file as a whole. */
export const WHOLE_DEEDS = ['delete', 'empty', 'append'] as const
export const FOLDER_DEEDS = [
  'the node’s folder is gone',
  'the store’s folder is gone',
  'the store’s folder is empty',
  'an older copy of the store is back',
  'an older copy of the node’s folder is back, witness and all',
  'it has the store of another node',
  'it has the folder of another node, witness and all',
  'the witness is gone and an older copy of the store is back',
  'all tables are gone',
] as const

export type FileDeed = (typeof PLACED_DEEDS)[number] | (typeof WHOLE_DEEDS)[number]
export type FolderDeed = (typeof FOLDER_DEEDS)[number]

const ZEROED_BYTES_MAX = 4_096
const APPENDED_BYTES_MAX = 300

/** For people: what was done. Errors: those of fs. */
export function damageFile(path: string, deed: FileDeed, prng: Prng): string {
  const bytes = readFileSync(path)
  const at = prng.below(bytes.length)
  const name = path.split('/').slice(-2).join('/')
  switch (deed) {
    case 'delete':
      rmSync(path)
      break
    case 'empty':
      truncateSync(path, 0)
      break
    case 'truncate':
      truncateSync(path, at)
      break
    case 'zero':
      writeFileSync(path, bytes.fill(0, at, Math.min(bytes.length, at + 1 + prng.below(ZEROED_BYTES_MAX))))
      break
    case 'flip':
      bytes[at] = (bytes[at] as number) ^ (1 << prng.below(8))
      writeFileSync(path, bytes)
      break
    case 'append':
      writeFileSync(path, Buffer.concat([bytes, garbage(1 + prng.below(APPENDED_BYTES_MAX), prng)]))
      break
    case 'duplicate':
      writeFileSync(path, Buffer.concat([bytes, bytes.subarray(at)]))
      break
    default:
      deed satisfies never
  }
  return `${name}: ${deed} at ${at} of ${bytes.length}`
}

function garbage(length: number, prng: Prng): Buffer {
  return Buffer.from(Array.from({ length }, () => prng.below(256)))
}

export interface Folders {
  /** A copy of the cluster, to be damaged. */
  readonly location: string
  /** The same cluster, earlier in its life. */
  readonly older: string
}

/** For people: what was done. Errors: those of fs. */
export function damageFolder(
  { location, older }: Folders,
  { node, other }: Record<'node' | 'other', string>,
  deed: FolderDeed,
): string {
  const [own, others, old] = [nodeFolders(location, node), nodeFolders(location, other), nodeFolders(older, node)]
  const replace = (to: string, from: string): void => {
    rmSync(to, { recursive: true, force: true })
    if (existsSync(from)) cpSync(from, to, { recursive: true })
  }
  switch (deed) {
    case 'the node’s folder is gone':
      rmSync(own.folder, { recursive: true })
      break
    case 'the store’s folder is gone':
      rmSync(own.store, { recursive: true })
      break
    case 'the store’s folder is empty':
      rmSync(own.store, { recursive: true })
      mkdirSync(own.store)
      break
    case 'an older copy of the store is back':
      replace(own.store, old.store)
      break
    case 'an older copy of the node’s folder is back, witness and all':
      replace(own.folder, old.folder)
      break
    case 'it has the store of another node':
      replace(own.store, others.store)
      break
    case 'it has the folder of another node, witness and all':
      replace(own.folder, others.folder)
      break
    case 'the witness is gone and an older copy of the store is back':
      replace(own.store, old.store)
      rmSync(own.witness)
      break
    case 'all tables are gone':
      for (const name of readdirSync(own.store)) if (name.endsWith('.ldb')) rmSync(join(own.store, name))
      break
    default:
      deed satisfies never
  }
  return `${node}: ${deed}`
}
