/**
 * One node thread as its supervisor holds it: the worker, its control surface, how it ended.
 *
 * A thread is spawned before it is needed (its modules take longer to load than its store to open) and assigned a node
 * when one must start; after that it is that node's until it ends.
 */

import { MessageChannel, type TransferListItem, Worker } from 'node:worker_threads'
import type { Address, Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import { fromWireError } from '../../src/shared/errors.js'
import type { Failpoint } from '../../src/shared/failpoints.js'
import { closeIteratorGate, createIteratorGate } from '../../src/storage/iterator-gate.js'
import { NodeControl } from '../control.js'
import type { LinkEnd } from './mesh.js'
import type { Assignment, FromNode, ToNode } from './node-protocol.js'
import { threadEnvironment } from './thread-environment.js'
import { packEnvelope } from './wire.js'

/** How a thread ended. */
export interface ThreadEnd {
  readonly code: number | null
  readonly reason: string
  readonly error: Error | undefined
  /** The failpoint that it came by, if that is why. */
  readonly failpoint?: Failpoint
}

export interface ThreadListener {
  onMessage(thread: NodeThread, message: Exclude<FromNode, { type: 'loaded' | 'failpoint' | 'failed' }>): void
  onEnd(thread: NodeThread, end: ThreadEnd): void
}

export class NodeThread {
  readonly threadId: number
  readonly #worker: Worker
  readonly #gate = createIteratorGate()
  readonly #listener: ThreadListener
  #control: NodeControl | undefined
  #assignment: Assignment | undefined
  #error: Error | undefined
  #terminatedFor: string | undefined
  #failpoint: Failpoint | undefined
  readonly ended: Promise<ThreadEnd>
  /** Its store is open. */
  readonly opened: Promise<void>
  #resolveOpened: () => void = () => undefined

  constructor(options: { url: URL | string; heapMb: number; listener: ThreadListener }) {
    this.#listener = options.listener
    this.#worker = new Worker(options.url, {
      ...threadEnvironment(),
      workerData: this.#gate,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      stdin: false,
    })
    this.threadId = this.#worker.threadId
    this.#worker.on('message', (message: FromNode) => this.#onMessage(message))
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error))
    })
    this.#worker.on('messageerror', (error) => {
      this.#error = error
    })
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        const failpoint = this.#failpoint === undefined ? {} : { failpoint: this.#failpoint }
        const end = { code, reason: this.#reasonOf(code), error: this.#error, ...failpoint }
        this.#control?.close()
        // First: whoever waits for the end must not hang on what it leads to.
        resolve(end)
        this.#listener.onEnd(this, end)
      })
    })
  }

  get node(): NodeId | undefined {
    return this.#assignment?.node
  }

  get incarnation(): Incarnation {
    return this.#assignment?.incarnation ?? 0
  }

  get control(): NodeControl {
    if (this.#control === undefined) throw new Error('a thread is controlled once it has been assigned')
    return this.#control
  }

  assign(assignment: Assignment): void {
    this.#assignment = assignment
    this.#post({ type: 'assign', assignment })
    const { port1, port2 } = new MessageChannel()
    this.#control = new NodeControl(port1, this.#worker)
    this.#post({ type: 'control', port: port2 }, [port2])
  }

  boot(order: Omit<ToNode & { type: 'boot' }, 'type'>): void {
    this.#post({ type: 'boot', ...order })
  }

  attach(peer: Address, link: LinkEnd): void {
    this.#post({ type: 'link', peer, link }, [link.port])
  }

  mail(messages: readonly Message[]): void {
    this.#post({ type: 'mail', envelope: packEnvelope(messages).envelope })
  }

  /** Ends the thread now, whatever it does. `error`: why it failed, if it did. */
  async terminate(reason: string, error?: Error): Promise<void> {
    this.#terminatedFor ??= reason
    this.#error ??= error
    closeIteratorGate(this.#gate)
    await this.#worker.terminate()
  }

  #post(message: ToNode, transfer: TransferListItem[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #onMessage(message: FromNode): void {
    if (message.type === 'loaded') return
    if (message.type === 'opened') this.#resolveOpened()
    if (message.type === 'failpoint') this.#failpoint = message.point
    else if (message.type === 'failed') this.#error ??= fromWireError(message.error)
    else this.#listener.onMessage(this, message)
  }

  #reasonOf(code: number): string {
    if (this.#error !== undefined) return `${this.#error.name}: ${this.#error.message}`
    if (this.#failpoint !== undefined) return `failpoint ${this.#failpoint}`
    return this.#terminatedFor ?? `exit code ${code}`
  }
}
