/**
 * What events tell, counted since somebody began to listen: one listener for each name, and a few sums by node. It only listens.
 *
 * Nodes that are no more are forgotten (`keepOnly`), so that a cluster whose members come and go does not grow it.
 */

import type { Cluster } from '../shared/api.js'
import { type ClusterEvents, EVENT_NAMES } from '../shared/cluster-events.js'

type EventName = keyof ClusterEvents

/** Sums by node. */
export interface NodeCounts {
  suspicions: number
  quarantines: number
  recordsTransferred: number
  recordsDamaged: number
}

const NOTHING: Readonly<NodeCounts> = { suspicions: 0, quarantines: 0, recordsTransferred: 0, recordsDamaged: 0 }

export class EventCounts {
  readonly #counts = new Map<EventName, number>(EVENT_NAMES.map((name) => [name, 0]))
  readonly #nodes = new Map<string, NodeCounts>()
  readonly #stopListening: (() => void)[] = []
  #tombstonesDropped = 0

  constructor(cluster: Cluster) {
    for (const name of EVENT_NAMES)
      this.#listen(cluster, name, () => this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1))
    this.#listen(cluster, 'node:suspect', ({ node }) => this.#add(node, 'suspicions', 1))
    this.#listen(cluster, 'node:quarantine', ({ node }) => this.#add(node, 'quarantines', 1))
    this.#listen(cluster, 'transfer', ({ node, records }) => this.#add(node, 'recordsTransferred', records))
    this.#listen(cluster, 'record:damaged', ({ node }) => this.#add(node, 'recordsDamaged', 1))
    this.#listen(cluster, 'tombstones:dropped', ({ keys }) => {
      this.#tombstonesDropped += keys
    })
  }

  /** How often each event came, those too that never did. */
  get counts(): ReadonlyMap<EventName, number> {
    return this.#counts
  }

  /** By nodes, each key on each of them. */
  get tombstonesDropped(): number {
    return this.#tombstonesDropped
  }

  of(node: string): Readonly<NodeCounts> {
    return this.#nodes.get(node) ?? NOTHING
  }

  keepOnly(nodes: readonly string[]): void {
    for (const node of this.#nodes.keys()) if (!nodes.includes(node)) this.#nodes.delete(node)
  }

  close(): void {
    for (const stop of this.#stopListening) stop()
    this.#stopListening.length = 0
  }

  #add(node: string, what: keyof NodeCounts, by: number): void {
    const counts = this.#nodes.get(node) ?? { ...NOTHING }
    counts[what] += by
    this.#nodes.set(node, counts)
  }

  #listen<Name extends EventName>(
    cluster: Cluster,
    name: Name,
    listener: (...args: ClusterEvents[Name]) => void,
  ): void {
    cluster.on(name, listener)
    this.#stopListening.push(() => cluster.off(name, listener))
  }
}
