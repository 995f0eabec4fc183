/**
 * Damage at rest, planned from a seed: what is done to which of one node's files, and where. Decides and does it; it judges
 * nothing. Every kind of damage comes once before any comes twice.
 *
 * Called by the damage part with a copy of a closed cluster.
 */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Prng } from '../../../src/protocol/prng.js'
import { nodeFolders } from '../../../src/storage/layout.js'

/** Files of a node, by what they are. */
const FILES = ['CURRENT', 'MANIFEST', 'LOG', 'log', 'ldb', 'witness'] as const
const FILE_DEEDS = ['delete', 'empty', 'truncate', 'zero', 'flip', 'append', 'duplicate'] as const
const FOLDER_DEEDS = [
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

export interface DamageCase {
  readonly seed: number
  readonly node: string
  /** For people: what was done. */
  readonly what: string
}

export interface Folders {
  /** A copy of the cluster, to be damaged. */
  readonly location: string
  /** The same cluster, earlier in its life. */
  readonly older: string
}

const KINDS: readonly (readonly [file: (typeof FILES)[number], deed: (typeof FILE_DEEDS)[number]] | FolderDeed)[] = [
  ...FOLDER_DEEDS,
  ...FILES.flatMap((file) => FILE_DEEDS.map((deed) => [file, deed] as const)),
]
type FolderDeed = (typeof FOLDER_DEEDS)[number]

/** Kinds of damage: a run of so many cases has had each once, a shorter one is spread over them. */
export const DAMAGE_KINDS = KINDS.length

/** Damages one node of the copy. Errors: those of fs. */
export function damage(folders: Folders, index: number, seed: number): DamageCase {
  const prng = new Prng(seed)
  const nodes = readdirSync(folders.location).filter((name) => /^node\d+$/.test(name))
  const node = prng.pick(nodes) ?? ''
  const other = prng.pick(nodes.filter((one) => one !== node)) ?? ''
  const kind = (index < KINDS.length ? KINDS[index] : prng.pick(KINDS)) ?? KINDS[0]
  const what =
    typeof kind === 'object'
      ? damageFile(fileOf(folders.location, node, kind[0], prng), kind[1], prng)
      : damageFolder(folders, { node, other }, kind as FolderDeed)
  return { seed, node, what }
}

function fileOf(location: string, node: string, kind: (typeof FILES)[number], prng: Prng): string {
  const { store, witness } = nodeFolders(location, node)
  if (kind === 'witness') return witness
  const pattern = { CURRENT: /^CURRENT$/, MANIFEST: /^MANIFEST-/, LOG: /^LOG$/, log: /\.log$/, ldb: /\.ldb$/ }[kind]
  const name = prng.pick(readdirSync(store).filter((one) => pattern.test(one)))
  if (name === undefined) throw new Error(`${store} has no ${kind}: the cluster to be damaged is too small`)
  return join(store, name)
}

function damageFile(path: string, deed: (typeof FILE_DEEDS)[number], prng: Prng): string {
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
      writeFileSync(path, bytes.fill(0, at, Math.min(bytes.length, at + 4_096)))
      break
    case 'flip':
      bytes[at] = (bytes[at] as number) ^ (1 << prng.below(8))
      writeFileSync(path, bytes)
      break
    case 'append':
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(Array.from({ length: 300 }, () => prng.below(256)))]))
      break
    case 'duplicate':
      writeFileSync(path, Buffer.concat([bytes, bytes.subarray(at)]))
      break
    default:
      deed satisfies never
  }
  return `${name}: ${deed} at ${at} of ${bytes.length}`
}

function damageFolder(
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
