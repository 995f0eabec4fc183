/**
 * The connections to all nodes, one for each use: reads do not stand behind a write that waits for replicas. Made when they are
 * first asked for, made anew when they have ended, a little later each time.
 */

import type { Redis } from 'ioredis'
import { NodeConnection } from './connection.js'
import type { RedisAddress, RedisLogin } from './options.js'

/** `w2`: writes that two copies must have. `w2-bulk`: those that nobody waits for, and so nobody's write waits behind them. */
export type Use = 'watch' | 'read' | 'read-replica' | `w${number}` | `w${number}-bulk`

interface Entry {
  readonly connection: NodeConnection
  /** That came to nothing since the last that did not. */
  readonly failures: number
  readonly notBeforeMs: number
}

const PAUSE_MS = 20
const PAUSE_MS_MAX = 500

export class Connections {
  readonly #Redis: typeof Redis
  readonly #login: RedisLogin
  readonly #entries = new Map<string, Entry>()
  #isClosed = false

  constructor(redis: typeof Redis, login: RedisLogin) {
    this.#Redis = redis
    this.#login = login
  }

  /** Undefined: one has just come to nothing, or all are closed. */
  get({ host, port }: RedisAddress, use: Use): NodeConnection | undefined {
    const id = `${host}:${port} ${use}`
    const entry = this.#entries.get(id)
    if (entry !== undefined && !entry.connection.isOver) return entry.connection
    const now = performance.now()
    if (this.#isClosed || (entry !== undefined && now < entry.notBeforeMs)) return undefined
    const connection = new NodeConnection(this.#Redis, { host, port }, this.#login, {
      isReadOnly: use === 'read-replica',
    })
    const failures = (entry?.failures ?? 0) + 1
    const notBeforeMs = now + Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(failures, 6))
    this.#entries.set(id, { connection, failures, notBeforeMs })
    void connection.ready.then((isReady) => {
      if (isReady && this.#entries.get(id)?.connection === connection)
        this.#entries.set(id, { connection, failures: 0, notBeforeMs: 0 })
    })
    return connection
  }

  /** Of this node all, but those that watch it: what is in flight on them is lost. */
  end({ host, port }: RedisAddress): void {
    for (const [id, { connection }] of this.#entries)
      if (id.startsWith(`${host}:${port} `) && !id.endsWith(' watch')) connection.close()
  }

  close(): void {
    this.#isClosed = true
    for (const { connection } of this.#entries.values()) connection.close()
    this.#entries.clear()
  }
}
