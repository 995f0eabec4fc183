/**
 * The standing faults of one node, in its thread: its links, its disk, its wall clock. Made only with `faults: true`, and
 * told of every change over the control surface. Called by `NodeHost`.
 */

import type { Address, NodeId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { Death, FaultRules } from './fault-rules.js'
import type { Gauges } from './gauges.js'
import { LinkFaults, type MessageFate } from './link-faults.js'
import { readsStore, SlowDisk } from './slow-disk.js'

const GAUGE_OF = {
  dropped: 'faultsDropped',
  delayed: 'faultsDelayed',
  duplicated: 'faultsDuplicated',
  reordered: 'faultsReordered',
} as const satisfies Record<MessageFate, string>

export class NodeFaults {
  readonly #self: NodeId
  readonly #gauges: Gauges
  readonly links: LinkFaults
  readonly #disk = new SlowDisk()
  #skewMs = 0
  #deaths: readonly Death[] = []

  constructor(options: { self: NodeId; seed: number; gauges: Gauges; rules: FaultRules }) {
    const { self, seed, gauges } = options
    this.#self = self
    this.#gauges = gauges
    this.links = new LinkFaults({ self, seed, count: (fate) => gauges.add(GAUGE_OF[fate], 1) })
    this.apply(options.rules)
  }

  /** In effect when it returns. */
  apply(rules: FaultRules): void {
    this.#skewMs = rules.skew[this.#self] ?? 0
    this.#disk.apply(rules.slow[this.#self] ?? 0)
    this.links.apply(rules)
    this.#deaths = rules.deaths.filter(({ node }) => node === this.#self)
  }

  /** The node comes by this point: is it to die here? */
  diesAt(direction: 'receive' | 'send', { type }: Message): boolean {
    for (const { point, left } of this.#deaths) {
      if (point === `${direction}:${type}` && Atomics.sub(new Int32Array(left), 0, 1) === 1) return true
    }
    return false
  }

  /** The node's wall clock. Stamps and deadlines never come from it. */
  readonly wallMs = (): number => Date.now() + this.#skewMs

  /** The store has done something: when the node may know. */
  afterDisk(run: () => void): void {
    if (this.#disk.isSlow) this.#gauges.add('faultsSlowed', 1)
    this.#disk.later(run)
  }

  /** What of these messages is handled now; what reads the store goes to `deliver` when the disk has got to it. */
  beforeDisk(
    from: Address,
    messages: readonly Message[],
    deliver: (from: Address, messages: readonly Message[]) => void,
  ): readonly Message[] {
    if (!this.#disk.isSlow) return messages
    for (const message of messages) if (readsStore(message)) this.afterDisk(() => deliver(from, [message]))
    return messages.filter((message) => !readsStore(message))
  }

  stop(): void {
    this.links.stop()
    this.#disk.stop()
  }
}
