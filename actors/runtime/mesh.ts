/**
 * The full mesh of ports: each pair of nodes, and each gateway with each node, has a channel of its own, made anew for
 * each life of either end. So mail cannot come from, or go to, an earlier life. Between nodes it has cells for their heartbeats.
 *
 * Called by the supervisor's actor; knows nothing of what is said.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Address, NodeId } from '../../src/protocol/ids.js'
import { type BeatEnd, createBeatEnds } from './beat-cells.js'

/** Somebody who can be given a port to a peer. */
export interface MeshEnd {
  attach(peer: Address, port: MessagePort, beats?: BeatEnd): void
}

export class Mesh {
  readonly #nodes = new Map<NodeId, MeshEnd>()
  readonly #gateways = new Map<Address, MeshEnd>()

  /** A node's new life: channels to all other nodes and gateways. */
  addNode(node: NodeId, end: MeshEnd): void {
    for (const [peer, other] of this.#nodes)
      if (peer !== node) connect({ id: node, end }, { id: peer, end: other }, createBeatEnds())
    for (const [gateway, other] of this.#gateways) connect({ id: node, end }, { id: gateway, end: other })
    this.#nodes.set(node, end)
  }

  removeNode(node: NodeId): void {
    this.#nodes.delete(node)
  }

  addGateway(gateway: Address, end: MeshEnd): void {
    for (const [node, other] of this.#nodes) connect({ id: gateway, end }, { id: node, end: other })
    this.#gateways.set(gateway, end)
  }

  removeGateway(gateway: Address): void {
    this.#gateways.delete(gateway)
  }
}

interface Side {
  readonly id: Address
  readonly end: MeshEnd
}

function connect(a: Side, b: Side, beats: readonly [BeatEnd?, BeatEnd?] = []): void {
  const { port1, port2 } = new MessageChannel()
  a.end.attach(b.id, port1, beats[0])
  b.end.attach(a.id, port2, beats[1])
}
