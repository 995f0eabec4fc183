/**
 * The kinds of file that lie below a location, and where one of each is. Touches nothing.
 *
 * Called by what damages them.
 */

import { readdirSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { clusterFolderOf, nodeFolders } from '../../../src/storage/layout.js'

/** In a node's folder. */
export const NODE_FILES = [
  'CURRENT',
  'MANIFEST',
  'LOG',
  'LOG.old',
  'LOCK',
  'log',
  'ldb',
  'witness',
  'opening',
  'quarantine',
] as const

/** In the cluster's folder; `lock` and `gate` are empty databases, and any of their files is meant. */
export const CLUSTER_FILES = [
  'metadata.json',
  'metadata.json.previous',
  'table.json',
  'table.json.previous',
  'clock.json',
  'clock.json.previous',
  'lock',
  'gate',
] as const

export type NodeFile = (typeof NODE_FILES)[number]
export type ClusterFile = (typeof CLUSTER_FILES)[number]
export type FileKind = NodeFile | ClusterFile

/** Kinds without a byte in them have no places. */
export const EMPTY_FILES: ReadonlySet<FileKind> = new Set<FileKind>(['LOCK'])

const STORE_FILE: Readonly<Record<string, RegExp>> = {
  CURRENT: /^CURRENT$/,
  MANIFEST: /^MANIFEST-/,
  LOG: /^LOG$/,
  'LOG.old': /^LOG\.old$/,
  LOCK: /^LOCK$/,
  log: /\.log$/,
  ldb: /\.ldb$/,
}

export function isClusterFile(kind: FileKind): kind is ClusterFile {
  return (CLUSTER_FILES as readonly FileKind[]).includes(kind)
}

/** Every file of the kind in a node's folder, sorted; those with nothing in them only where that is their kind. */
export function nodeFilesOf(location: string, node: string, kind: NodeFile): string[] {
  const { folder, store, witness, quarantine } = nodeFolders(location, node)
  if (kind === 'witness') return filled([witness])
  if (kind === 'opening') return filled([join(folder, 'opening')])
  if (kind === 'quarantine') return filled(filesBelow(quarantine))
  const found = filesBelow(store).filter((path) => STORE_FILE[kind]?.test(path.slice(path.lastIndexOf(sep) + 1)))
  return EMPTY_FILES.has(kind) ? found : filled(found)
}

export function clusterFilesOf(location: string, kind: ClusterFile): string[] {
  const folder = clusterFolderOf(location)
  if (kind === 'lock' || kind === 'gate')
    return filesBelow(folder).filter((path) => path.slice(folder.length + 1).startsWith(kind))
  return filled([join(folder, kind)])
}

function filled(paths: readonly string[]): string[] {
  return paths.filter((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0)
}

/** All files at and below a folder, sorted; none if it is absent. */
function filesBelow(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
