/**
 * The control socket: HTTP/1.1 over a Unix socket (a named pipe on Windows) that only its owner reaches. JSON in and out, lines
 * of JSON for streams, so `curl --unix-socket` works too.
 *
 * Every request is answered, also when the cluster closes; bodies, requests and connections are bounded. It knows no
 * command: see `routes.ts`.
 *
 * Called by `coterie start` and the demo, which hold the location's lock: it listens after that was taken, and stops before it is
 * released, so no two ever want the same socket.
 */

import { chmod } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Cluster } from '../../shared/api.js'
import { CoterieError } from '../../shared/errors.js'
import { NUMBER_OPTIONS } from '../../shared/number-options.js'
import { version } from '../version.js'
import { tellAcceptErrors } from './accept-errors.js'
import { HttpError } from './error-json.js'
import { EventFeed } from './event-json.js'
import { JsonBodies, sendError, sendJson } from './json-http.js'
import { isPipelined, refusePipelined } from './pipelined.js'
import { type LineWriter, type Members, membersFor, ROUTES, type Route, type RouteContext } from './routes.js'
import { placeSocket, removeSocket } from './socket-place.js'

/** Requests that are being answered; what is past it is refused with OVERLOADED. */
const REQUESTS_MAX = 256
/** Some more, so that the refusal can be heard. */
const CONNECTIONS_MAX = 320
/** Of one body: two values of the longest kind, as JSON; V8's strings end at 512 MiB. */
const BODY_BYTES_MAX = 268_435_456
const BODY_BYTES_SPARE = 1_048_576
/** Of a stream whose reader is slow: progress and events past it are left out. */
const UNREAD_BYTES_MAX = 1_048_576
/** How long answers may take to leave once the cluster is closed. */
const END_MS = 1_000

export interface ControlOptions {
  readonly cluster: Cluster
  readonly mayDestroy: boolean
  readonly valueBytesMax: number | undefined
}

export class ControlServer {
  readonly #server: Server
  readonly #context: RouteContext
  readonly #location: string
  readonly #bodies: JsonBodies
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  #running = 0
  #onIdle: () => void = () => undefined

  /** Errors: those of the file system and of `listen`. */
  static async listen(options: ControlOptions): Promise<ControlServer> {
    const control = new ControlServer(options)
    try {
      await control.#listen('usual')
    } catch (error) {
      // File systems without sockets: FAT, some network and virtual ones.
      if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
      await control.#listen('elsewhere')
    }
    return control
  }

  private constructor({ cluster, mayDestroy, valueBytesMax = NUMBER_OPTIONS.valueBytesMax.byDefault }: ControlOptions) {
    const { location } = cluster.status()
    const about = { coterie: version(), pid: process.pid, since: new Date().toISOString(), location }
    this.#context = { cluster, events: new EventFeed(cluster), mayDestroy, about }
    this.#location = location
    this.#bodies = new JsonBodies(Math.min(BODY_BYTES_MAX, 2 * valueBytesMax + BODY_BYTES_SPARE))
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#answer(request, response))
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  async #listen(where: 'usual' | 'elsewhere'): Promise<void> {
    const path = await placeSocket(this.#location, where)
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, () => {
        this.#server.off('error', reject)
        tellAcceptErrors(this.#server, 'control socket')
        resolve()
      })
    })
    if (process.platform !== 'win32') await chmod(path, 0o600)
  }

  /** Nobody new is heard; `closeCluster` settles what is being answered; then the answers leave. Idempotent. */
  close(closeCluster: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#close(closeCluster)
    return this.#closed
  }

  async #close(closeCluster: () => Promise<void>): Promise<void> {
    // Closing the listener removes its socket, at once: another process may have the location as soon as the cluster is closed.
    this.#server.close()
    await removeSocket(this.#location)
    try {
      await closeCluster()
    } finally {
      this.#closing.abort()
      const timer = setTimeout(() => this.#onIdle(), END_MS)
      if (this.#running > 0)
        await new Promise<void>((resolve) => {
          this.#onIdle = resolve
        })
      clearTimeout(timer)
      this.#server.closeAllConnections()
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isPipelined(response)) return refusePipelined(request, response)
    this.#running += 1
    const closed = new Promise((resolve) => response.once('close', resolve))
    try {
      await this.#route(request, response)
    } catch (error) {
      sendError(response, error)
    }
    // Whatever was not read of the body: a client that could not send it all would not read the answer.
    request.resume()
    await closed
    this.#running -= 1
    if (this.#running === 0) this.#onIdle()
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#server.listening) throw new CoterieError('CLOSED')
    if (this.#running > REQUESTS_MAX)
      throw new CoterieError('OVERLOADED', `more than ${REQUESTS_MAX} requests are being answered`)
    const route = routeOf(request)
    const members = membersFor(route, await this.#bodies.of(request))
    if (route.streams !== true) return sendJson(response, 200, await route.answer(this.#context, members, noLines))
    await this.#stream(route, members, response)
  }

  async #stream(route: Route, members: Members, response: ServerResponse): Promise<void> {
    const lines = new ResponseLines(response, this.#closing.signal)
    const result = await route.answer(this.#context, members, lines)
    lines.begin()
    if (result !== undefined) lines.writeLast({ result })
    response.end()
  }
}

/** Lines of a response. Its head leaves with the first of them: until then a failure has an HTTP status. */
class ResponseLines implements LineWriter {
  readonly signal: AbortSignal
  readonly #response: ServerResponse

  constructor(response: ServerResponse, closing: AbortSignal) {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    this.signal = AbortSignal.any([gone.signal, closing])
    this.#response = response
  }

  begin(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    this.#response.flushHeaders()
  }

  async write(value: unknown): Promise<boolean> {
    if (this.#isGone) return false
    if (this.writeLast(value)) return true
    await this.#drained()
    return !this.#isGone
  }

  /** Also once it is gone. */
  #drained(): Promise<void> {
    const response = this.#response
    return new Promise((resolve) => {
      const end = () => {
        response.off('drain', end)
        response.off('close', end)
        resolve()
      }
      response.on('drain', end)
      response.on('close', end)
    })
  }

  writeIfRoom(value: unknown): boolean {
    if (this.#isGone || this.#response.writableLength > UNREAD_BYTES_MAX) return false
    this.writeLast(value)
    return true
  }

  writeLast(value: unknown): boolean {
    this.begin()
    return this.#response.write(`${JSON.stringify(value)}\n`)
  }

  get #isGone(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }
}

const noLines: LineWriter = {
  begin: () => undefined,
  write: async () => false,
  writeIfRoom: () => false,
  signal: new AbortController().signal,
}

/** Errors: 404, 405. */
function routeOf({ method = '', url = '' }: IncomingMessage): Route {
  const path = url.replace(/(?<=.)\/$/, '')
  const route = ROUTES[`${method} ${path}`]
  if (route !== undefined) return route
  const others = Object.keys(ROUTES).filter((known) => known.split(' ')[1] === path)
  const known = Object.keys(ROUTES).join(', ')
  if (others.length > 0)
    throw new HttpError(405, 'INVALID_OPTION', `${method} ${path} is not known; ${others.join(', ')} is`)
  throw new HttpError(404, 'INVALID_OPTION', `${method} ${path} is not known; there are ${known}`)
}
