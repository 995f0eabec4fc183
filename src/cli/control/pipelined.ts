/**
 * Requests that are sent behind one whose answer is still being written. Node gives such an answer its connection when its turn has
 * come; should the connection end before, nothing tells, and what is held for the answer would be held for good. So they are refused, and
 * nothing is counted for them or held.
 *
 * Called by the control socket and the dashboard's server, before anything else.
 */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { CoterieError } from '../../shared/errors.js'
import { sendError } from './json-http.js'

/** Of what is received and not read. */
const DISCARDED_BYTES_MAX = 1_048_576

export function isPipelined(response: ServerResponse): boolean {
  return response.socket === null
}

/** It is answered when the one before has been, and then the connection ends. */
export function refusePipelined(
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders = {},
): void {
  const error = new CoterieError(
    'OVERLOADED',
    'a connection takes the next request when the one before has been answered',
  )
  discardBody(request)
  sendError(response, error, { ...headers, connection: 'close' })
}

/**
 * A client that could not send its body would not read the answer; one that sends without end is cut off. To be called before the
 * answer ends: from then on Node discards what nobody reads, however much it is.
 */
export function discardBody(request: IncomingMessage): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > DISCARDED_BYTES_MAX) request.destroy()
  })
}
