/** The token that actions over HTTP need: made by whoever starts the cluster, so that a restart of its process keeps it. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { CoterieError } from '../../shared/errors.js'

/** Not an option: those of a command are seen by every user of the machine. */
export const TOKEN_VARIABLE = 'COTERIE_HTTP_TOKEN'
/** Shorter ones can be guessed. */
const TOKEN_LENGTH_MIN = 16

/** That of the environment. Errors: INVALID_OPTION if it is too short. */
export function givenToken(): string | undefined {
  const token = process.env[TOKEN_VARIABLE]
  if (token === undefined || token.length >= TOKEN_LENGTH_MIN) return token
  throw new CoterieError(
    'INVALID_OPTION',
    `${TOKEN_VARIABLE} has ${token.length} characters; it needs ${TOKEN_LENGTH_MIN}`,
  )
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
