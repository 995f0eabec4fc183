/**
 * What one node of a Redis Cluster says about all of them, as a value: who is a master, of what, who copies whom, who has failed.
 * Read from `CLUSTER NODES` and `CLUSTER INFO`. Pure.
 */

import type { Slot } from '../../protocol/ids.js'
import { SLOTS } from '../../protocol/ring/slot.js'

/** `suspect`: one node thinks that it has failed (`fail?`); `down`: a majority of the masters does (`fail`). */
export type RedisHealth = 'up' | 'suspect' | 'down'

export interface RedisNode {
  /** Its address: a node that is replaced at the same one is the same to the program. */
  readonly id: string
  /** 40 hexadecimal digits, new whenever it has lost its configuration. */
  readonly redisId: string
  readonly host: string
  readonly port: number
  readonly role: 'master' | 'replica'
  /** `redisId` of whom it copies. */
  readonly masterId: string | undefined
  readonly health: RedisHealth
  readonly epoch: number
}

export interface Topology {
  /** The cluster's current epoch: the higher, the newer. */
  readonly epoch: number
  /** Every slot has a master, and the node that says so sees a majority of the masters. */
  readonly isOk: boolean
  readonly nodes: readonly RedisNode[]
  /** Of each slot its master, an index of `nodes`; −1: none. */
  readonly masterOfSlot: Int16Array
  /** Slots on their way to or from the node that was asked. */
  readonly movingSlots: ReadonlySet<Slot>
}

export const NO_TOPOLOGY: Topology = {
  epoch: 0,
  isOk: false,
  nodes: [],
  masterOfSlot: new Int16Array(SLOTS).fill(-1),
  movingSlots: new Set(),
}

/** `askedHost`: a node that does not know its own address yet leaves it out. */
export function parseTopology(nodesText: string, infoText: string, askedHost: string): Topology {
  const nodes: RedisNode[] = []
  const masterOfSlot = new Int16Array(SLOTS).fill(-1)
  const movingSlots = new Set<Slot>()
  for (const line of nodesText.split('\n')) {
    const [redisId = '', address = '', flagText = '', masterId = '-', , , epoch = '0', , ...slots] = line
      .trim()
      .split(' ')
    const flags = flagText.split(',')
    if (redisId === '' || flags.includes('handshake') || flags.includes('noaddr')) continue
    const { host, port } = addressOf(address, askedHost)
    const index = nodes.push({
      id: `${host}:${port}`,
      redisId,
      host,
      port,
      role: flags.includes('master') ? 'master' : 'replica',
      masterId: masterId === '-' ? undefined : masterId,
      health: flags.includes('fail') ? 'down' : flags.includes('fail?') ? 'suspect' : 'up',
      epoch: Number(epoch),
    })
    for (const range of slots) readSlots(range, index - 1, masterOfSlot, movingSlots)
  }
  const info = new Map(infoText.split(/\r?\n/).map((line) => line.split(':') as [string, string]))
  const isOk = info.get('cluster_state') === 'ok'
  return { epoch: Number(info.get('cluster_current_epoch') ?? 0), isOk, nodes, masterOfSlot, movingSlots }
}

/** Copies of a master that are up. */
export function replicasOf(topology: Topology, master: RedisNode): RedisNode[] {
  return topology.nodes.filter((node) => node.masterId === master.redisId && node.health === 'up')
}

/** Copies that there are of each slot, those that have failed included: of the slot that has the fewest. */
export function copiesOf({ nodes, masterOfSlot }: Topology): number {
  const masters = [...new Set(masterOfSlot)].flatMap((index) => nodes[index] ?? [])
  const copies = masters.map(({ redisId }) => 1 + nodes.filter(({ masterId }) => masterId === redisId).length)
  return copies.length === 0 ? 1 : Math.min(...copies)
}

/** The better of two views: one that sees a majority, or else the newer. */
export function betterOf(one: Topology, other: Topology): Topology {
  if (one.isOk !== other.isOk) return one.isOk ? one : other
  return other.epoch > one.epoch ? other : one
}

/** `ip:port@busPort[,hostname]`; an IPv6 address has colons of its own. */
function addressOf(text: string, askedHost: string): { host: string; port: number } {
  const [address = ''] = text.split('@')
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon) || askedHost, port: Number(address.slice(colon + 1)) }
}

/** `5`, `0-5460`, or of one that moves `[93->-<id>]` and `[93-<-<id>]`. */
function readSlots(text: string, node: number, masterOfSlot: Int16Array, movingSlots: Set<Slot>): void {
  if (text.startsWith('[')) {
    movingSlots.add(Number.parseInt(text.slice(1), 10))
    return
  }
  const [from = '', to = from] = text.split('-')
  masterOfSlot.fill(node, Number(from), Number(to) + 1)
}
