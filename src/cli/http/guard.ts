/**
 * Who may ask, and for what. A browser on this machine runs pages of strangers, which can send requests here too:
 *
 * - A name that a stranger's page was loaded from can be pointed at this machine (DNS rebinding): only names that are ours are
 *   answered. Where it listens for other machines that are also addresses in numbers, which nobody can point anywhere.
 * - A page of another origin may not act, nor hold a place among those who watch: `Origin` and `Sec-Fetch-Site` tell, which pages cannot forge.
 * - Actions need the token, which no other page and no other user of the machine has.
 */

import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { HttpError } from '../control/error-json.js'
import { hostInUrl, isLoopback, type ListenAddress } from './listen-address.js'
import { isTokenIn } from './token.js'

/** Of every answer: nothing is loaded from elsewhere, nothing inline runs, nobody frames it. */
export const SAFE_HEADERS: OutgoingHttpHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Errors: 421 for a name that is not ours. `port`: that it listens at. */
export function checkHost({ headers }: IncomingMessage, { host, port }: ListenAddress): void {
  const asked = (headers.host ?? '').toLowerCase()
  const [, name = '', askedPort = '80'] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(asked) ?? []
  const bare = name.replace(/[[\]]/g, '')
  const isOurs = isLoopback(bare) || name === hostInUrl(host).toLowerCase() || (!isLoopback(host) && isIP(bare) !== 0)
  if (!isOurs || Number(askedPort) !== port)
    throw new HttpError(421, 'INVALID_OPTION', `this is not ${asked === '' ? 'a host without a name' : asked}`)
}

/** Errors: 403 for a page of another origin: it could read nothing, but hold all the places of those who watch. */
export function checkMayWatch({ headers }: IncomingMessage): void {
  // `none`: typed into the browser.
  if (!['same-origin', 'none'].includes(String(headers['sec-fetch-site'] ?? 'none')))
    throw new HttpError(403, 'INVALID_OPTION', 'a page of another origin cannot watch')
}

/** Errors: 403 for a page of another origin, 401 without the token. */
export function checkMayAct({ headers }: IncomingMessage, token: string): void {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  // Also https: who encrypts stands in front of us.
  const isSame =
    (origin === undefined || origin.replace(/^https?:/, '') === `//${host}`) &&
    (site ?? 'same-origin') === 'same-origin'
  if (!isSame) throw new HttpError(403, 'INVALID_OPTION', 'a page of another origin cannot act here')
  if (!isTokenIn(headers.authorization, token))
    throw new HttpError(
      401,
      'INVALID_OPTION',
      'this needs the token that was printed at the start: Authorization: Bearer …',
    )
}
