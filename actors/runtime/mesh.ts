/**
 * The full mesh of ports: each pair of nodes, and each gateway with each node, has a channel of its own, made anew for
 * each life of either end. So mail cannot come from, or go to, an earlier life. Between nodes it has cells for their heartbeats.
 *
 * Called by the supervisor's actor; knows nothing of what is said.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Address, Incarnation, NodeId } from '../../src/protocol/ids.js'
import { type BeatEnd, createBeatEnds } from './beat-cells.js'

/** One end of a new link. */
export interface LinkEnd {
  readonly port: MessagePort
  /** The life of the peer, if it is a node. */
  readonly incarnation: Incarnation | undefined
  /** Of a link between nodes. */
  readonly beats: BeatEnd | undefined
}

/** Somebody who can be given links to peers. */
export interface MeshEnd {
  attach(peer: Address, link: LinkEnd): void
}

/** One life of a node. */
export interface MeshNode extends MeshEnd {
  readonly incarnation: Incarnation
}

export class Mesh {
  readonly #nodes = new Map<NodeId, MeshNode>()
  readonly #gateways = new Map<Address, MeshEnd>()

  /** A node's new life: channels to all other nodes and gateways. */
  addNode(node: NodeId, end: MeshNode): void {
    for (const [peer, other] of this.#nodes)
      if (peer !== node) connect(sideOf(node, end), sideOf(peer, other), createBeatEnds())
    for (const [gateway, other] of this.#gateways) connect(sideOf(node, end), { id: gateway, end: other })
    this.#nodes.set(node, end)
  }

  removeNode(node: NodeId): void {
    this.#nodes.delete(node)
  }

  addGateway(gateway: Address, end: MeshEnd): void {
    for (const [node, other] of this.#nodes) connect({ id: gateway, end }, sideOf(node, other))
    this.#gateways.set(gateway, end)
  }

  removeGateway(gateway: Address): void {
    this.#gateways.delete(gateway)
  }
}

interface Side {
  readonly id: Address
  readonly end: MeshEnd
  readonly incarnation?: Incarnation
}

function sideOf(id: NodeId, end: MeshNode): Side {
  return { id, end, incarnation: end.incarnation }
}

function connect(a: Side, b: Side, beats: readonly [BeatEnd?, BeatEnd?] = []): void {
  const { port1, port2 } = new MessageChannel()
  a.end.attach(b.id, { port: port1, incarnation: b.incarnation, beats: beats[0] })
  b.end.attach(a.id, { port: port2, incarnation: a.incarnation, beats: beats[1] })
}
