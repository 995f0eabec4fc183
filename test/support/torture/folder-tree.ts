/** Folders as trees of bytes: read before a traced run, written after a power cut. Touches files, decides nothing. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Tree } from './power-cut.js'

/** Everything at and below a folder. */
export function readTree(root: string): Tree {
  const tree = new Map<string, { inode: bigint; content: Buffer | 'folder' }>()
  const visit = (path: string): void => {
    const facts = lstatSync(path, { bigint: true })
    tree.set(path, { inode: facts.ino, content: facts.isDirectory() ? 'folder' : readFileSync(path) })
    if (facts.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name))
  }
  visit(root)
  return tree
}

/** Replaces what is at `root`. A file whose folder is not there is gone with it. */
export function writeTree(root: string, files: ReadonlyMap<string, Buffer | 'folder'>): void {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root)
  const made = new Set([root])
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path)
    if (path === root || content === undefined || !made.has(dirname(path))) continue
    if (content === 'folder') made.add(path)
    if (content === 'folder') mkdirSync(path)
    else writeFileSync(path, content)
  }
}

/** Paths whose content is not the same, LevelDB's text logs aside: no store depends on them, and nobody can trace them. */
export function differingPaths(tree: Tree, files: ReadonlyMap<string, Buffer | 'folder'>): string[] {
  const paths = new Set([...tree.keys(), ...files.keys()])
  return [...paths].filter((path) => !/\/LOG(\.old)?$/.test(path) && !isSame(tree.get(path)?.content, files.get(path)))
}

function isSame(a: Buffer | 'folder' | undefined, b: Buffer | 'folder' | undefined): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a.equals(b) : a === b
}
