/**
 * `coterie start`: opens a cluster and keeps it running until a signal, `exit` or Ctrl-D. With a terminal on both ends it shows
 * the live status and a prompt; otherwise it writes log lines (with --json, pino's) and reads nothing. Usually the child of a small parent (`parent/`).
 */

import { openAfter } from '../cluster.js'
import type { Cluster } from '../shared/api.js'
import type { StartCommand } from './commands.js'
import { ControlServer } from './control/control-server.js'
import { type HttpOptions, HttpServer } from './http/http-server.js'
import { httpToken, TOKEN_VARIABLE } from './http/token.js'
import { jsonLog, type Said, type Say } from './json-log.js'
import { deathBefore, listenToParent, tellParent } from './parent/parent-link.js'
import { errorLines } from './report-error.js'
import { StopSignals } from './stop-signals.js'
import { duration } from './terminal/format.js'
import { footerLines, logSummary } from './terminal/live-status.js'
import { EventLog, type LogLine } from './terminal/log-lines.js'
import { Prompt } from './terminal/prompt.js'
import { eventLine } from './terminal/prompt-commands.js'
import type { Screen } from './terminal/screen.js'
import { stylerFor } from './terminal/style.js'
import { version } from './version.js'

const FOOTER_MS = 250
const LOG_STATUS_MS = 10_000

export async function startCommand({ cluster: options, faults, json, http: address }: StartCommand): Promise<number> {
  const { stdin, stdout, env } = process
  // A terminal without a width (a pty that nobody has sized) cannot be drawn on.
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true && stdout.columns > 0 && env['TERM'] !== 'dumb'
  const interactive = isTerminal && !json
  const stop = new StopSignals()
  listenToParent(stop)
  const say = interactive ? sayOnTerminal : json ? await jsonLog(process.stdout) : logLine
  say('start', `coterie ${version()}, node ${process.version}: opening ${options.location}`)
  // Nobody reads any more: the terminal was closed, or `| head` has seen enough. Before each thread adds listeners of its own: Node
  // takes another one after many for a leak.
  process.stdout.on('error', () => stop.request('closed output'))
  const started = performance.now()
  const mayDestroy = faults === true
  const cluster = await openAfter(deathBefore(), { ...options, faults: faults ?? interactive })
  const control = await listen(cluster, { ...options, mayDestroy }, say)
  const close = () => (control === undefined ? cluster.close() : control.close(() => cluster.close()))
  const http =
    address === undefined
      ? undefined
      : await serve({ cluster, address, faults: faults ?? interactive, mayDestroy }, close)
  tellParent('open')
  say('open', `ready after ${duration(performance.now() - started)}`)

  if (http !== undefined) sayWhere(http, say)
  const view = interactive ? new TerminalView(cluster, stop, mayDestroy) : new LogView(cluster, say)
  const by = await stop.requested
  tellParent('closing')
  view.close()

  say('stop', `${by}: closing`)
  const closing = performance.now()
  await http?.close()
  await close()
  say('stop', `closed after ${duration(performance.now() - closing)}`)
  stop.close()
  return 0
}

/** Without a socket the cluster serves all the same, to those at its prompt. */
async function listen(
  cluster: Cluster,
  { mayDestroy, valueBytesMax }: { readonly mayDestroy: boolean; readonly valueBytesMax?: number },
  say: Say,
): Promise<ControlServer | undefined> {
  try {
    return await ControlServer.listen({ cluster, mayDestroy, valueBytesMax })
  } catch (error) {
    say('control', `other commands cannot reach this cluster: ${errorLines(error).join(' ')}`)
    return undefined
  }
}

/** Who asked for the dashboard and cannot have it is told, and all is closed. Errors: those of `listen`; INVALID_OPTION for a short token. */
async function serve(options: Omit<HttpOptions, 'token'>, close: () => Promise<void>): Promise<HttpServer> {
  try {
    const { token } = httpToken()
    return await HttpServer.listen({ ...options, token })
  } catch (error) {
    await close()
    throw error
  }
}

function sayWhere(http: HttpServer, say: Say): void {
  const whoActs = httpToken().isNew ? `opens ${http.urlWithToken}` : `adds #token= and that of ${TOKEN_VARIABLE}`
  say('http', `dashboard: ${http.url}; who is to act from it ${whoActs}`)
  if (!http.isLocal)
    say(
      'http',
      'WARNING: others reach the dashboard over the network, unencrypted. They see the cluster; with the token they change it',
    )
}

/** Live status, prompt, events above them. */
class TerminalView {
  readonly #cluster: Cluster
  readonly #prompt: Prompt
  readonly #events: EventLog
  readonly #timer: NodeJS.Timeout
  readonly #style = stylerFor(process.stdout)
  #watched = true

  constructor(cluster: Cluster, stop: StopSignals, mayDestroy: boolean) {
    this.#cluster = cluster
    this.#prompt = new Prompt({
      cluster,
      style: this.#style,
      onLeave: () => stop.request('leaving'),
      context: (screen) => ({
        cluster,
        style: this.#style,
        columns: () => screen.columns,
        mayDestroy,
        recentEvents: () => this.#events.recent,
        setWatch: (on) => this.#setWatch(on),
        exit: () => stop.request('exit'),
      }),
    })
    this.#events = new EventLog(cluster, (line) => this.#screen.print(eventLine(line, this.#style)))
    this.#screen.print(
      `help lists the commands; try ${this.#style('cyan', 'crash node2')}; or ${this.#style('cyan', 'coterie top')} in another terminal`,
    )
    this.#refresh()
    this.#timer = setInterval(() => this.#refresh(), FOOTER_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#events.close()
    this.#prompt.close()
  }

  get #screen(): Screen {
    return this.#prompt.screen
  }

  #setWatch(on: boolean): void {
    this.#watched = on
    this.#refresh()
  }

  #refresh(): void {
    const room = { columns: this.#screen.columns, rows: this.#screen.rows }
    this.#screen.setFooter(this.#watched ? footerLines(this.#cluster.status(), room, this.#style) : [])
  }
}

/** A line for each event, and one for the status at the start and, where it changed, every ten seconds. */
class LogView {
  readonly #cluster: Cluster
  readonly #say: Say
  readonly #events: EventLog
  readonly #timer: NodeJS.Timeout
  #lastSummary = ''

  constructor(cluster: Cluster, say: Say) {
    this.#cluster = cluster
    this.#say = say
    this.#events = new EventLog(cluster, ({ event, text, at, facts }: LogLine) => say(event, text, { at, facts }))
    this.#status()
    this.#timer = setInterval(() => this.#status(), LOG_STATUS_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#events.close()
  }

  #status(): void {
    const status = this.#cluster.status()
    const summary = logSummary(status)
    const { epoch, converged, partitionsMoving, partitionsLost, nodes } = status
    const facts = { epoch, converged, partitionsMoving, partitionsLost: partitionsLost.length, nodes: nodes.length }
    if (summary !== this.#lastSummary) this.#say('status', summary, { facts })
    this.#lastSummary = summary
  }
}

function logLine(event: string, text: string, { at = new Date() }: Said = {}): void {
  process.stdout.write(`${at.toISOString()} ${event} ${text}\n`)
}

function sayOnTerminal(_event: string, text: string): void {
  process.stdout.write(`${text}\n`)
}
