/**
 * Why a store did not do what it was asked: expected trouble, as an error with a code, because it travels through
 * rejected promises. The node turns it into a reply; nobody reads its message.
 */

import type { WriteKept } from '../protocol/store-contract.js'

/**
 * `STORE_LOCKED`: someone has the folder open. `STORE_OPEN_FAILED`: LevelDB refused to open it. `STORE_FAILED`: a write
 * failed, and every later one is refused. `STORE_FULL`: the same, or it did not open, because the disk is full. `STORE_CLOSED`: used after `close`. `STORE_READ_FAILED`: LevelDB could not read.
 * `STORE_AMNESIAC`: the store may have forgotten acknowledged writes and is open only to be read.
 */
export type StoreErrorCode =
  | 'STORE_LOCKED'
  | 'STORE_OPEN_FAILED'
  | 'STORE_FAILED'
  | 'STORE_FULL'
  | 'STORE_CLOSED'
  | 'STORE_READ_FAILED'
  | 'STORE_AMNESIAC'

export class StoreError extends Error {
  override readonly name = 'StoreError'

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options: {
      readonly cause?: unknown
      readonly kept?: WriteKept
      readonly facts?: Readonly<Record<string, unknown>>
    } = {},
  ) {
    super(`${code}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.kept = options.kept ?? 'nothing'
    this.facts = options.facts ?? {}
  }

  readonly kept: WriteKept
  readonly facts: Readonly<Record<string, unknown>>
}

/** The `code` of an error of Node.js or abstract-level, of itself or of its cause; undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // abstract-level says LEVEL_DATABASE_NOT_OPEN and keeps the reason in its cause.
  if (error.cause instanceof Error) return codeOf(error.cause) ?? ownCode(error)
  return ownCode(error)
}

function ownCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
