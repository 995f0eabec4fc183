/**
 * The token that actions over HTTP need: that of the environment, or one that is made for each start, by whoever starts the cluster's
 * process, so that the next process has the same.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { CoterieError } from '../../shared/errors.js'

/** Not an option: those of a command are seen by every user of the machine. */
export const TOKEN_VARIABLE = 'COTERIE_HTTP_TOKEN'
/** What the parent of the cluster's process has made. */
const MADE_VARIABLE = 'COTERIE_HTTP_TOKEN_MADE'
/** Shorter ones can be guessed. */
const TOKEN_LENGTH_MIN = 16

export interface HttpToken {
  readonly token: string
  /** It was made, so somebody must be told. One that was given is known, and is kept out of logs. */
  readonly isNew: boolean
}

/** Errors: INVALID_OPTION if that of the environment is too short. */
export function httpToken(): HttpToken {
  const given = process.env[TOKEN_VARIABLE]
  if (given === undefined) return { token: process.env[MADE_VARIABLE] ?? newToken(), isNew: true }
  if (given.length >= TOKEN_LENGTH_MIN) return { token: given, isNew: false }
  throw new CoterieError(
    'INVALID_OPTION',
    `${TOKEN_VARIABLE} has ${given.length} characters; it needs ${TOKEN_LENGTH_MIN}`,
  )
}

/** For the environment of every process that the caller starts. */
export function madeToken(): Readonly<Record<string, string>> {
  return { [MADE_VARIABLE]: newToken() }
}

export function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/** The same time for every wrong one. `authorization`: the header, `Bearer …`. */
export function isTokenIn(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^Bearer (.+)$/i.exec(authorization ?? '') ?? []
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
