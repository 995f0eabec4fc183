/**
 * The ports of one thread to its peers: envelopes out, messages in. A port belongs to one life of each end; mail for
 * somebody without a port is a dead letter and only counted (the sender's deadlines see to the rest).
 */

import type { MessagePort } from 'node:worker_threads'
import type { Address, Incarnation } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import { type Beat, BeatCells } from './beat-cells.js'
import type { LinkFaults } from './link-faults.js'
import type { LinkEnd } from './mesh.js'
import { type Envelope, packEnvelope, unpackEnvelope } from './wire.js'

/** One peer's port, and what has gathered for it. */
interface Link {
  readonly peer: Address
  readonly port: MessagePort | undefined
  /** Of a link between nodes: beats go here, but for the first, which goes by the port: who hears it watches the sender from then on. */
  readonly beats: BeatCells | undefined
  hasBeaten: boolean
  outbox: Message[]
}

export class Ports {
  readonly #links = new Map<Address, Link>()
  /** Those with something in their outbox. Arrays, because a `Map` of messages would make them grow old (`id-table.ts`). */
  #due: Link[] = []
  readonly #onMail: (from: Address, messages: readonly Message[]) => void
  readonly #onClosed: (peer: Address, incarnation: Incarnation | undefined) => void
  #deadLetters = 0
  /** What the network does wrong; only in a node's thread, and only with `faults: true`. */
  faults: LinkFaults | undefined

  /** `onClosed`: that life of a peer has ended, or ends; nothing comes from it any more. */
  constructor(
    onMail: (from: Address, messages: readonly Message[]) => void,
    onClosed: (peer: Address, incarnation: Incarnation | undefined) => void = () => undefined,
  ) {
    this.#onMail = onMail
    this.#onClosed = onClosed
  }

  get deadLetters(): number {
    return this.#deadLetters
  }

  /** A new life of a peer: the old port, if there is one, is closed. */
  attach(peer: Address, { port, beats, incarnation }: LinkEnd): void {
    this.detach(peer)
    const cells = beats === undefined || incarnation === undefined ? undefined : new BeatCells(beats, incarnation)
    const link: Link = { peer, port, beats: cells, hasBeaten: false, outbox: [] }
    this.#links.set(peer, link)
    port.on('message', (envelope: Envelope) => {
      if (this.#links.get(peer) === link) this.#receive(link, unpackEnvelope(envelope))
    })
    // By the other end: its thread ends.
    port.on('close', () => {
      if (this.#links.get(peer) === link) this.#onClosed(peer, incarnation)
    })
  }

  /** What has gathered for the peer goes with its port. */
  detach(peer: Address): void {
    const link = this.#links.get(peer)
    if (link === undefined) return
    link.port?.close()
    link.outbox = []
    this.#links.delete(peer)
  }

  /** Leaves with the next `flush`. */
  push(to: Address, message: Message): void {
    let link = this.#links.get(to)
    if (link === undefined) {
      link = { peer: to, port: undefined, beats: undefined, hasBeaten: false, outbox: [] }
      this.#links.set(to, link)
    }
    if (message.type === 'membership/heartbeat') {
      if (link.hasBeaten && link.beats !== undefined) return this.#beat(link, link.beats, message)
      link.hasBeaten = true
    }
    if (link.outbox.length === 0) this.#due.push(link)
    link.outbox.push(message)
  }

  /** One envelope a receiver. */
  flush(): void {
    if (this.#due.length === 0) return
    const due = this.#due
    this.#due = []
    for (const link of due) {
      const messages = link.outbox
      if (messages.length === 0) continue
      link.outbox = []
      if (link.port === undefined) {
        this.#deadLetters += messages.length
        continue
      }
      if (this.faults === undefined) post(link.port, messages)
      else
        post(
          link.port,
          this.faults.pass('out', link.peer, messages, (held) => this.#release(link, held)),
        )
    }
  }

  /** Has the peers' beats handled that have come since the last call. */
  takeBeats(): void {
    for (const link of this.#links.values()) {
      const beat = link.beats?.take()
      if (beat !== undefined) this.#receive(link, [beat])
    }
  }

  /** One that a fault holds back goes by the port in the end. */
  #beat(link: Link, cells: BeatCells, beat: Beat): void {
    const passed = this.faults?.pass('out', link.peer, [beat], (held) => this.#release(link, held))
    if (passed === undefined || passed.length > 0) cells.put(beat)
  }

  #receive(link: Link, messages: readonly Message[]): void {
    const { peer } = link
    if (this.faults === undefined) return this.#onMail(peer, messages)
    const release = (held: readonly Message[]) => {
      if (this.#links.get(peer) === link) this.#onMail(peer, held)
    }
    const passed = this.faults.pass('in', peer, messages, release)
    if (passed.length > 0) this.#onMail(peer, passed)
  }

  /** A fault held it back; meanwhile its life of the link may be over. */
  #release(link: Link, held: readonly Message[]): void {
    if (link.port !== undefined && this.#links.get(link.peer) === link) post(link.port, held)
  }

  closeAll(): void {
    for (const peer of [...this.#links.keys()]) this.detach(peer)
  }
}

function post(port: MessagePort, messages: readonly Message[]): void {
  if (messages.length === 0) return
  const { envelope, transfer } = packEnvelope(messages)
  port.postMessage(envelope, transfer)
}
