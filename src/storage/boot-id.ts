/**
 * Which run of the machine this is: another one since a store was written means that what was only in the page cache may
 * be gone, which under durability `'process'` is no fault of the store.
 *
 * Linux tells. Elsewhere it is derived from when the machine started, which moves a little as the clock is corrected, so
 * it is rounded to ten minutes: at worst one boot looks like two (a lost tail is reported that was none) or two boots within ten
 * minutes look like one (the store counts as amnesiac and is refilled). Both are safe.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { codeOf } from './store-error.js'

const LINUX_BOOT_ID = '/proc/sys/kernel/random/boot_id'
const ROUNDED_TO_SECONDS = 600

/** 32 hex digits. `wallMs`: the wall clock, for systems that have no boot id. */
export function readBootId(wallMs: number): string {
  try {
    const hex = readFileSync(LINUX_BOOT_ID, 'latin1').replaceAll('-', '').trim()
    if (/^[0-9a-f]{32}$/.test(hex)) return hex
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    // No such file, or not for us to read: derive it.
  }
  const bootedAt = Math.round((wallMs / 1000 - uptime()) / ROUNDED_TO_SECONDS)
  return createHash('sha256').update(`boot ${bootedAt}`).digest('hex').slice(0, 32)
}
