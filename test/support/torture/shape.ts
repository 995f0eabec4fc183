/** What the killed writers have in common with those who check them. */

export const VALUE_BYTES = 100
export const KEYS_IN_USE = 64
/** Few enough that a key's history, with a read back in each life, can be searched. */
export const OPERATIONS_PER_KEY = 100

/** Keys that the operations up to this number may have used. */
export function keysUsed(operations: number): number {
  return operations === 0 ? 0 : (Math.floor(operations / (KEYS_IN_USE * OPERATIONS_PER_KEY)) + 1) * KEYS_IN_USE
}
