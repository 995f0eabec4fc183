/**
 * Makes a folder's entries (a new file, a rename) reach the disk. Windows cannot open a folder, and its file systems keep
 * entries in a journal of their own: there it does nothing.
 */

import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Errors: those of fs. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
