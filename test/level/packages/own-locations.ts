/** Folders below the one that a process was started in: one for each database of the tests that run in it. */

import { join } from 'node:path'

let made = 0

export function nextLocation(): string {
  made += 1
  return join(process.cwd(), String(made))
}
