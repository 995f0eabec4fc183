/**
 * The control surface of a node's thread, by Comlink: what is asked and answered, and rare. The only importer of comlink.
 *
 * Comlink's calls to a dead thread never settle, so each is raced against a deadline and against the thread's `exit`.
 * Never used for data: a closure and a map entry for each call.
 */

import type { MessagePort, Worker } from 'node:worker_threads'
import Comlink from 'comlink'
import nodeAdapter from 'comlink/dist/umd/node-adapter.js'
import type { Key } from '../src/protocol/ids.js'
import type { MemberState } from '../src/protocol/membership/member.js'
import type { NodeGauges } from '../src/protocol/node-identity.js'
import type { FaultRules } from './runtime/fault-rules.js'
import type { HeldVersions } from './runtime/held-versions.js'

// A UMD module: its export is the function itself, whatever its declaration says.
const nodeEndpoint = nodeAdapter as unknown as typeof nodeAdapter.default

/** What a node answers about itself. */
export interface Inspection {
  readonly gauges: NodeGauges
  /** The members as this node sees them. */
  readonly members: readonly MemberState[]
  readonly deadLetters: number
  readonly heapBytes: number
}

/** What can be asked of a node's thread. */
export interface ControlSurface {
  inspect(): Inspection
  /** Takes no more mail, waits for the store, closes it, ends the thread. */
  stop(): Promise<void>
  /** Faults: an endless loop, a thread that stands still, a slow start of either is answered before it begins. */
  hang(ms: number): void
  pause(ms: number): void
  /** Standing faults: from now on these; in effect when it is answered. */
  faults(rules: FaultRules): void
  /** What its own store holds of a key: see `heldVersions`. */
  versions(key: Key): HeldVersions
  /** A backup's cut: see `NodeCut`. */
  freeze(token: string, limitMs: number): Promise<boolean>
  snapshot(token: string): boolean
  stream(token: string, port: MessagePort): void
  release(token: string): Promise<void>
}

/** In the node's thread. */
export function exposeControl(port: MessagePort, surface: ControlSurface): void {
  Comlink.expose(surface, nodeEndpoint(port))
}

/** Why a control call did not end: the thread is gone, or it did not answer in time. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  constructor(
    readonly code: 'CONTROL_EXIT' | 'CONTROL_TIMEOUT',
    call: string,
  ) {
    super(`${code}: ${call}`)
  }
}

/** In the supervisor's thread: calls that always settle. */
export class NodeControl {
  readonly #remote: Comlink.Remote<ControlSurface>
  readonly #port: MessagePort
  readonly #exited: Promise<void>

  constructor(port: MessagePort, worker: Worker) {
    this.#port = port
    this.#remote = Comlink.wrap<ControlSurface>(nodeEndpoint(port))
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => resolve())
    })
  }

  inspect(timeoutMs: number): Promise<Inspection> {
    return this.#race('inspect', this.#remote.inspect() as Promise<Inspection>, timeoutMs)
  }

  stop(timeoutMs: number): Promise<void> {
    return this.#race('stop', this.#remote.stop(), timeoutMs)
  }

  hang(ms: number, timeoutMs: number): Promise<void> {
    return this.#race('hang', this.#remote.hang(ms), timeoutMs)
  }

  pause(ms: number, timeoutMs: number): Promise<void> {
    return this.#race('pause', this.#remote.pause(ms), timeoutMs)
  }

  faults(rules: FaultRules, timeoutMs: number): Promise<void> {
    return this.#race('faults', this.#remote.faults(rules), timeoutMs)
  }

  versions(key: Key, timeoutMs: number): Promise<HeldVersions> {
    return this.#race('versions', this.#remote.versions(key) as Promise<HeldVersions>, timeoutMs)
  }

  /** The node may stay frozen for `limitMs`, whoever forgets it. */
  freeze(token: string, limitMs: number, timeoutMs: number): Promise<boolean> {
    return this.#race('freeze', this.#remote.freeze(token, limitMs), timeoutMs)
  }

  snapshot(token: string, timeoutMs: number): Promise<boolean> {
    return this.#race('snapshot', this.#remote.snapshot(token) as Promise<boolean>, timeoutMs)
  }

  /** The port goes over to the node. */
  stream(token: string, port: MessagePort, timeoutMs: number): Promise<void> {
    // Comlink's types know the ports of browsers only.
    const given = Comlink.transfer(port, [port] as never)
    return this.#race('stream', this.#remote.stream(token, given as never) as Promise<void>, timeoutMs)
  }

  release(token: string, timeoutMs: number): Promise<void> {
    return this.#race('release', this.#remote.release(token), timeoutMs)
  }

  /** Frees the port; calls that run settle by their deadline. */
  close(): void {
    this.#port.close()
  }

  #race<T>(call: string, answer: Promise<T>, timeoutMs: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ControlError('CONTROL_TIMEOUT', call)), timeoutMs)
    })
    const gone = this.#exited.then((): never => {
      throw new ControlError('CONTROL_EXIT', call)
    })
    return Promise.race([answer, late, gone]).finally(() => clearTimeout(timer))
  }
}
