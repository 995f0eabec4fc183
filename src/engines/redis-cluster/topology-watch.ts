/**
 * Keeps the topology current: asks the nodes once a second, and at once when a request meets a refusal or a dead connection. It tells
 * who waits, and who listens, when there is another one.
 */

import type { Answer } from './connection.js'
import type { Connections } from './connections.js'
import type { RedisAddress } from './options.js'
import { refusalOf } from './refusals.js'
import { betterOf, NO_TOPOLOGY, parseTopology, type Topology } from './topology.js'
import { pause, within } from './within.js'

const LOOK_MS = 1_000
/** Between two looks that requests ask for: a failover must not become a storm of questions. */
const LOOK_MS_MIN = 50
/** A node that has not answered by then says nothing. */
const ANSWER_MS = 1_000
/** Nodes that are asked at each look; more would say the same. */
const ASKED_MAX = 8

interface WatchOptions {
  readonly connections: Connections
  readonly seeds: readonly RedisAddress[]
  readonly onChange: (now: Topology, before: Topology) => void
}

export class TopologyWatch {
  readonly #options: WatchOptions
  #topology = NO_TOPOLOGY
  #looking: Promise<void> | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #refusal: string | undefined

  constructor(options: WatchOptions) {
    this.#options = options
  }

  get topology(): Topology {
    return this.#topology
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What a node has said to the question itself that another look will not change: wrong login, no cluster. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== undefined) clearInterval(this.#timer)
  }

  /** Resolves after a look that began after this call, or `withinMs` from now. */
  async lookAgain(withinMs: number): Promise<void> {
    const pauseMs = Math.max(0, this.#lookedAtMs + LOOK_MS_MIN - performance.now())
    await within(withinMs, async () => {
      await this.#looking
      if (pauseMs > 0) await pause(pauseMs)
      await this.#look()
    })
  }

  #look(): Promise<void> {
    this.#looking ??= this.#askAll().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #askAll(): Promise<void> {
    this.#lookedAtMs = performance.now()
    const views = await majorityOf(this.#askedNodes().map((address) => this.#ask(address)))
    const [first, ...others] = views
    if (first === undefined || this.#isClosed) return
    const best = others.reduce(betterOf, first)
    // An older view of one that has just come back must not undo what is known.
    if (best.epoch < this.#topology.epoch && this.#topology.isOk) return
    const before = this.#topology
    const movingSlots = new Set(views.flatMap((view) => [...view.movingSlots]))
    this.#topology = { ...best, movingSlots }
    this.#options.onChange(this.#topology, before)
  }

  #askedNodes(): RedisAddress[] {
    const { nodes } = this.#topology
    const alive = nodes.filter(({ health }) => health !== 'down')
    return [...alive, ...this.#options.seeds]
      .filter((one, index, all) => all.findIndex(({ host, port }) => host === one.host && port === one.port) === index)
      .slice(0, ASKED_MAX)
  }

  /** Undefined: it does not answer. */
  async #ask(address: RedisAddress): Promise<Topology | undefined> {
    const connection = this.#options.connections.get(address, 'watch')
    if (connection === undefined) return undefined
    return within(ANSWER_MS, async () => {
      if (!(await connection.ready) || !connection.isReady) {
        if (connection.isRefused) this.#refusal = connection.error?.message
        return undefined
      }
      const [nodes, info] = await Promise.all([connection.send('CLUSTER', 'NODES'), connection.send('CLUSTER', 'INFO')])
      if (nodes.type === 'refused' && refusalOf(nodes.text).type === 'definite') this.#refusal = nodes.text
      const [nodesText, infoText] = [textOf(nodes), textOf(info)]
      if (nodesText === undefined || infoText === undefined) return undefined
      return parseTopology(nodesText, infoText, address.host)
    })
  }
}

/** What they say, once most have answered, or all have ended: one that hangs holds up nobody. */
function majorityOf(asked: readonly Promise<Topology | undefined>[]): Promise<Topology[]> {
  return new Promise((resolve) => {
    const views: Topology[] = []
    let ended = 0
    for (const view of asked) {
      void view.then((topology) => {
        ended += 1
        if (topology !== undefined) views.push(topology)
        if (views.length > asked.length / 2 || ended === asked.length) resolve([...views])
      })
    }
  })
}

function textOf(answer: Answer): string | undefined {
  return answer.type === 'reply' && Buffer.isBuffer(answer.reply) ? answer.reply.toString() : undefined
}
