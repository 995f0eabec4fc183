/** JSON over HTTP: bodies that are received, within bounds, and what is answered. Called by the control socket and the dashboard's server. */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { CoterieError } from '../../shared/errors.js'
import { HttpError, jsonOfError, statusOf } from './error-json.js'

/** Of all bodies that are being received, in bodies of the longest kind. */
const BODIES_MAX = 4

export class JsonBodies {
  readonly #bytesMax: number
  /** Of all that are being received. */
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Errors: 413, 503, 400 for what is not JSON. Empty is an empty object. */
  async of(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length
        this.#bytes += chunk.length
        if (bytes > this.#bytesMax)
          throw new HttpError(413, 'INVALID_VALUE', `a request has at most ${this.#bytesMax} bytes`)
        if (this.#bytes > BODIES_MAX * this.#bytesMax)
          throw new CoterieError('OVERLOADED', 'too many bytes of requests are being received')
        chunks.push(chunk)
      }
    } finally {
      this.#bytes -= bytes
    }
    if (bytes === 0) return {}
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
    } catch (error) {
      throw new CoterieError('INVALID_OPTION', `the body is no JSON: ${error instanceof Error ? error.message : ''}`)
    }
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  const text = `${JSON.stringify(body)}\n`
  const own = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  response.writeHead(status, { ...headers, ...own })
  response.end(text)
}

/** After the first line of a stream the error is its last line. */
export function sendError(response: ServerResponse, error: unknown, headers: OutgoingHttpHeaders = {}): void {
  if (response.destroyed) return
  const json = { error: jsonOfError(error) }
  if (response.headersSent) response.end(`${JSON.stringify(json)}\n`)
  else sendJson(response, statusOf(error), json, headers)
}
