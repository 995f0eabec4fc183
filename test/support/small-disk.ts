/** A file system of a few megabytes, in memory. It needs root, to mount it. */

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

export interface SmallDisk {
  readonly folder: string
  unmount(): void
}

/** Mounted at the folder, which is made; `missing` where that is not allowed. */
export function mountSmallDisk(folder: string, mib: number): SmallDisk | { readonly missing: string } {
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch (error) {
    return { missing: `a tmpfs could not be mounted (root may, where mounting is allowed): ${String(error)}` }
  }
  return { folder, unmount: () => void execFileSync('umount', [folder]) }
}
