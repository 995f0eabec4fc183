/**
 * Writes on their way to one master that so many copies must have: at most one flight at a time, everything else gathers for the next
 * one (natural batching). A flight is the writes and one WAIT behind them, which is about all of them.
 *
 * One lane for each master and w, on a connection of its own: WAIT holds up whatever stands behind it. Writes in bulk have lanes of
 * their own, too.
 */

import type { Answer, Argument, NodeConnection } from './connection.js'
import type { Connections, Use } from './connections.js'
import type { RedisAddress } from './options.js'
import { refusalOf } from './refusals.js'
import type { Script } from './scripts.js'

const FLIGHT_WRITES_MAX = 512
const FLIGHT_BYTES_MAX = 1_048_576
/** What is left of the deadline for the answer to WAIT. */
const ANSWER_MS_MAX = 20

/** What became of a write that was given to a lane. */
export type Landing =
  /** `copies` have it, the master included, or at least so many. */
  | { readonly type: 'written'; readonly reply: unknown; readonly copies: number }
  | { readonly type: 'refused'; readonly text: string }
  /** It was not sent: there is no connection. */
  | { readonly type: 'unsent'; readonly error: Error | undefined }
  /** It was sent, and nobody knows. */
  | { readonly type: 'unknown' }
  /** Its time was over, before it was sent or after. */
  | { readonly type: 'late'; readonly wasSent: boolean }

export interface Write {
  readonly script: Script
  readonly keys: readonly Argument[]
  readonly args: readonly Argument[]
  readonly bytes: number
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** The slot is on its way to this node. */
  readonly isAsking: boolean
}

interface Boarded {
  readonly write: Write
  wasSent: boolean
  isOver: boolean
  /** The node does not know its digest. */
  asText: boolean
  land(landing: Landing): void
}

export class WriteLane {
  readonly #address: RedisAddress
  readonly #connections: Connections
  readonly #w: number
  readonly #use: Use
  #queue: Boarded[] = []
  #isFlying = false

  constructor(connections: Connections, address: RedisAddress, { w, isBulk = false }: { w: number; isBulk?: boolean }) {
    this.#connections = connections
    this.#address = address
    this.#w = w
    this.#use = isBulk ? `w${w}-bulk` : `w${w}`
  }

  /** Neither sent nor answered. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Never rejects, and always ends by the deadline. */
  send(write: Write): Promise<Landing> {
    return new Promise((resolve) => {
      const boarded: Boarded = {
        write,
        wasSent: false,
        isOver: false,
        asText: false,
        land: (landing) => {
          if (boarded.isOver) return
          boarded.isOver = true
          clearTimeout(timer)
          resolve(landing)
        },
      }
      const late = (): void => boarded.land({ type: 'late', wasSent: boarded.wasSent })
      const timer = setTimeout(late, Math.max(0, write.deadlineMs - performance.now()))
      this.#queue.push(boarded)
      if (!this.#isFlying) void this.#fly()
    })
  }

  /** What has not been sent need not wait for this master. */
  turnBack(): void {
    for (const boarded of this.#queue.splice(0)) boarded.land({ type: 'unsent', error: undefined })
  }

  async #fly(): Promise<void> {
    this.#isFlying = true
    // All calls of a turn are in the first flight.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const connection = this.#connections.get(this.#address, this.#use)
      const isReady = connection !== undefined && (await connection.ready) && connection.isReady
      if (isReady) await this.#flight(connection)
      else for (const boarded of this.#queue.splice(0)) boarded.land({ type: 'unsent', error: connection?.error })
    }
    this.#isFlying = false
  }

  async #flight(connection: NodeConnection): Promise<void> {
    const flight = this.#board()
    if (flight.length === 0) return
    const answers = flight.map((boarded) => sendScript(connection, boarded))
    const leftMs = Math.max(...flight.map(({ write }) => write.deadlineMs)) - performance.now()
    // It says how many have it before the deadline does not. 0 would be for ever.
    const waitMs = Math.max(1, Math.floor(leftMs - Math.min(ANSWER_MS_MAX, leftMs / 10)))
    const waiting = this.#w > 1 ? connection.send('WAIT', this.#w - 1, waitMs) : undefined
    for (const [index, boarded] of flight.entries()) {
      const answer = (await answers[index]) as Answer
      if (answer.type === 'refused' && refusalOf(answer.text).type === 'script') this.#boardAgain(boarded)
      else if (answer.type === 'refused') boarded.land({ type: 'refused', text: answer.text })
      else if (answer.type === 'lost') boarded.land({ type: 'unknown' })
      else if (waiting === undefined) boarded.land({ type: 'written', reply: answer.reply, copies: 1 })
    }
    const waited = await waiting
    for (const [index, boarded] of flight.entries()) {
      if (boarded.isOver || !boarded.wasSent) continue
      const answer = (await answers[index]) as Answer
      const reply = answer.type === 'reply' ? answer.reply : undefined
      if (waited?.type === 'reply') boarded.land({ type: 'written', reply, copies: 1 + Number(waited.reply) })
      else boarded.land({ type: 'unknown' })
    }
  }

  /** Not behind the WAIT of this flight, which would not be about it. */
  #boardAgain(boarded: Boarded): void {
    boarded.asText = true
    boarded.wasSent = false
    this.#queue.unshift(boarded)
  }

  #board(): Boarded[] {
    const flight: Boarded[] = []
    let bytes = 0
    while (this.#queue.length > 0 && flight.length < FLIGHT_WRITES_MAX && bytes < FLIGHT_BYTES_MAX) {
      const boarded = this.#queue.shift() as Boarded
      if (boarded.isOver) continue
      boarded.wasSent = true
      bytes += boarded.write.bytes
      flight.push(boarded)
    }
    return flight
  }
}

function sendScript(connection: NodeConnection, { write, asText }: Boarded): Promise<Answer> {
  const { script, keys, args, isAsking } = write
  if (isAsking) void connection.send('ASKING')
  return asText
    ? connection.send('EVAL', script.text, keys.length, ...keys, ...args)
    : connection.send('EVALSHA', script.digest, keys.length, ...keys, ...args)
}
