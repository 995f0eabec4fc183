/**
 * The dashboard's server, `coterie start --http`: the page, what it shows, and its actions, which are the control socket's own routes.
 *
 * It decides who may ask (`guard.ts`) and keeps everything bounded: connections, requests, bodies, viewers, the recording. What a
 * request does is `routes.ts`' to say. Reading needs no token and shows no value of the store; what acts, or shows one, does.
 *
 * Called by `coterie start`, which closes it before the cluster.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { AboutEntry } from '../../dashboard/frames.js'
import type { Cluster } from '../../shared/api.js'
import { CoterieError } from '../../shared/errors.js'
import { tellAcceptErrors } from '../control/accept-errors.js'
import { HttpError } from '../control/error-json.js'
import { EventFeed } from '../control/event-json.js'
import { JsonBodies, sendError, sendJson } from '../control/json-http.js'
import { discardBody, isPipelined, refusePipelined } from '../control/pipelined.js'
import { type LineWriter, type Members, membersFor, ROUTES, type Route, type RouteContext } from '../control/routes.js'
import { version } from '../version.js'
import { checkHost, checkMayAct, checkMayWatch, SAFE_HEADERS } from './guard.js'
import { hostInUrl, isLoopback, type ListenAddress } from './listen-address.js'
import { Observed } from './observed.js'
import { PageFiles } from './page-files.js'
import { Recorder } from './recorder.js'
import { RECORDING_MS } from './recording.js'
import { Viewers } from './viewers.js'

const CONNECTIONS_MAX = 128
/** Whose answers are being made or have not left yet, besides those who watch. */
const REQUESTS_MAX = 32
/** Of what the page sends. */
const BODY_BYTES_MAX = 1_048_576
/** How long a reader may stand still; those who watch are bounded by what waits for them. */
const STALL_MS = 30_000

/** Without the token: nothing is changed, and no value is shown. Their members are in the query. */
const READS = ['/v1/status', '/v1/ring', '/v1/metrics', '/v1/views', '/v1/versions', '/v1/locate'] as const
const ACTIONS = ['crash', 'hang', 'cut', 'heal', 'get', 'put', 'delete'] as const

export interface HttpOptions {
  readonly cluster: Cluster
  readonly address: ListenAddress
  readonly token: string
  /** Faults may be injected; `mayDestroy`: also those that delete data. */
  readonly faults: boolean
  readonly mayDestroy: boolean
}

export class HttpServer {
  readonly #options: HttpOptions
  readonly #files: PageFiles
  readonly #server: Server
  readonly #viewers = new Viewers()
  readonly #recorder: Recorder
  readonly #observed: Observed
  readonly #context: RouteContext
  readonly #about: AboutEntry
  readonly #bodies = new JsonBodies(BODY_BYTES_MAX)
  readonly #answering = new Set<ServerResponse>()

  /** Errors: those of `listen`, as EADDRINUSE. */
  static async listen(options: HttpOptions): Promise<HttpServer> {
    const server = new HttpServer(options, await PageFiles.read())
    try {
      await server.#listen()
      return server
    } catch (error) {
      server.#stopLooking()
      throw error
    }
  }

  private constructor(options: HttpOptions, files: PageFiles) {
    const { cluster, faults, mayDestroy } = options
    const { location, partitions, conflict } = cluster.status()
    this.#options = options
    this.#files = files
    const own = { version: version(), location, partitions, conflict, faults, mayDestroy, recordingMs: RECORDING_MS }
    this.#about = { kind: 'about', at: Date.now(), ...own }
    this.#context = { cluster, events: new EventFeed(cluster), mayDestroy, about: { ...own } }
    this.#observed = new Observed(cluster)
    this.#recorder = new Recorder(cluster, (line) => this.#viewers.tell(line))
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  /** Where it is. */
  get url(): string {
    return `http://${hostInUrl(this.#options.address.host)}:${this.#port}/`
  }

  /** Only this machine reaches it. */
  get isLocal(): boolean {
    return isLoopback(this.#options.address.host)
  }

  /** The same, with the token, which a browser sends nowhere: it stands behind the `#`. */
  get urlWithToken(): string {
    return `${this.url}#token=${this.#options.token}`
  }

  async close(): Promise<void> {
    this.#stopLooking()
    this.#viewers.close()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #stopLooking(): void {
    this.#recorder.close()
    this.#observed.close()
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.address.port
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options.address
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        tellAcceptErrors(this.#server, "dashboard's server")
        resolve()
      })
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isPipelined(response)) return refusePipelined(request, response, SAFE_HEADERS)
    // Only actions have a body that is read.
    const isRead = request.method === 'POST'
    if (!isRead) discardBody(request)
    this.#answering.add(response)
    response.once('close', () => this.#answering.delete(response))
    try {
      checkHost(request, { ...this.#options.address, port: this.#port })
      if (this.#answering.size > REQUESTS_MAX)
        throw new CoterieError('OVERLOADED', `more than ${REQUESTS_MAX} requests are being answered`)
      await this.#route(request, response)
    } catch (error) {
      if (isRead) discardBody(request)
      sendError(response, error, SAFE_HEADERS)
    } finally {
      if (this.#answering.has(response)) boundStall(response)
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request
    if (!URL.canParse(url, 'http://-')) throw new HttpError(400, 'INVALID_OPTION', `${url} is no path`)
    const { pathname, searchParams } = new URL(url, 'http://-')
    if (method === 'POST') return this.#act(pathname, request, response)
    if (method !== 'GET' && method !== 'HEAD') throw new HttpError(405, 'INVALID_OPTION', 'there are GET and POST')
    if (this.#files.send(pathname, request, response)) return
    if (await this.#observed.send(pathname, response)) return
    if (method === 'HEAD')
      throw new HttpError(405, 'INVALID_OPTION', 'HEAD is for the files of the page and what watches processes')
    if (pathname === '/v1/stream') return this.#watch(request, response)
    if (pathname === '/v1/recording') return this.#sendRecording(response)
    const read = READS.find((path) => path === pathname)
    const route = ROUTES[`GET ${read}`] ?? ROUTES[`POST ${read}`]
    if (route === undefined) throw new HttpError(404, 'INVALID_OPTION', `there is no ${pathname}`)
    await this.#send(route, membersIn(searchParams), response)
  }

  async #act(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkMayAct(request, this.#options.token)
    const action = ACTIONS.find((name) => path === `/v1/${name}`)
    const route = action === undefined ? undefined : ROUTES[`POST ${path}`]
    if (route === undefined) throw new HttpError(404, 'INVALID_OPTION', `there is no action ${path}`)
    await this.#send(route, await this.#bodies.of(request), response)
  }

  async #send(route: Route, body: unknown, response: ServerResponse): Promise<void> {
    const answer = await route.answer(this.#context, membersFor(route, body), NO_LINES)
    sendJson(response, 200, answer, SAFE_HEADERS)
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    checkMayWatch(request)
    this.#viewers.add(response, [JSON.stringify(this.#about), ...this.#recorder.recording.latest()])
    this.#answering.delete(response)
  }

  async #sendRecording(response: ServerResponse): Promise<void> {
    boundStall(response)
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'application/x-ndjson' })
    const lines = [JSON.stringify(this.#about), ...this.#recorder.recording.lines()]
    await pipeline(Readable.from(chunksOf(lines)), response)
  }
}

function boundStall(response: ServerResponse): void {
  response.setTimeout(STALL_MS, () => response.destroy())
}

/** No route that streams is offered here. */
const NO_LINES: LineWriter = {
  begin: () => undefined,
  write: async () => false,
  writeIfRoom: () => false,
  signal: new AbortController().signal,
}

const LINES_EACH = 64

function* chunksOf(lines: readonly string[]): Generator<string> {
  for (let from = 0; from < lines.length; from += LINES_EACH)
    yield `${lines.slice(from, from + LINES_EACH).join('\n')}\n`
}

/** `key=text`, or `base64=…` for a key that is none. */
function membersIn(query: URLSearchParams): Members {
  const members: Record<string, unknown> = Object.fromEntries(query)
  const { base64, ...others } = members
  return base64 === undefined ? members : { ...others, key: { base64 } }
}
