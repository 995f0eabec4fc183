/** Those who watch: each gets every line as a server-sent event. One who does not read is let go; a browser comes back by itself. */

import type { ServerResponse } from 'node:http'
import { CoterieError } from '../../shared/errors.js'
import { SAFE_HEADERS } from './guard.js'

const VIEWERS_MAX = 32
/** What may wait for a reader: a minute of a large cluster. */
const UNREAD_BYTES_MAX = 1_048_576
/** How soon a browser that has lost the connection comes back. */
const RETRY_MS = 1_000

export class Viewers {
  readonly #responses = new Set<ServerResponse>()

  /** `lines`: what it needs first. Errors: OVERLOADED. */
  add(response: ServerResponse, lines: readonly string[]): void {
    if (this.#responses.size >= VIEWERS_MAX)
      throw new CoterieError('OVERLOADED', `${VIEWERS_MAX} pages are open already`)
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'text/event-stream' })
    response.write(`retry: ${RETRY_MS}\n\n${lines.map(eventOf).join('')}`)
    this.#responses.add(response)
    response.once('close', () => this.#responses.delete(response))
  }

  tell(line: string): void {
    if (this.#responses.size === 0) return
    const event = eventOf(line)
    for (const response of this.#responses) {
      if (response.writableLength > UNREAD_BYTES_MAX) response.destroy()
      else response.write(event)
    }
  }

  close(): void {
    for (const response of this.#responses) response.end()
  }
}

function eventOf(line: string): string {
  return `data: ${line}\n\n`
}
