/** What a new topology tells those who listen: the events of the public door that have a meaning here. Pure. */

import type { ClusterEvents } from '../../shared/cluster-events.js'
import type { KeyNames } from './key-names.js'
import { masterOf, placeOf } from './placement.js'
import type { RedisNode, Topology } from './topology.js'

/** An event of that name and what comes with it. */
export type TopologyEvent = {
  [Name in keyof ClusterEvents]: readonly [name: Name, ...facts: ClusterEvents[Name]]
}[keyof ClusterEvents]

interface Shape {
  readonly names: KeyNames
  readonly partitions: number
}

/** In the order in which they are told. Of the first topology there is nothing to tell. */
export function eventsOf(now: Topology, before: Topology, shape: Shape): TopologyEvent[] {
  if (before.nodes.length === 0) return []
  const earlier = new Map(before.nodes.map((node) => [node.id, node]))
  const events = now.nodes.flatMap((node) => nodeEvents(node, earlier.get(node.id)))
  const ids = new Set(now.nodes.map(({ id }) => id))
  for (const { id } of before.nodes) if (!ids.has(id)) events.push(['node:removed', { node: id }])
  const partitions = Array.from({ length: shape.partitions }, (_, partition) => partition)
  const changed = partitions.filter(
    (partition) => masterId(now, shape, partition) !== masterId(before, shape, partition),
  )
  if (changed.length > 0)
    events.push(['epoch', { epoch: now.epoch, reason: 'slots have other masters', partitionsChanged: changed.length }])
  const lost = partitions.filter(
    (partition) =>
      placeOf(now, shape.names, partition) === undefined && placeOf(before, shape.names, partition) !== undefined,
  )
  if (lost.length > 0) events.push(['partition:lost', { partitions: lost }])
  if (isConverged(now) && !isConverged(before)) events.push(['converged', { epoch: now.epoch }])
  return events
}

/** Every slot has a master, nobody has failed or is suspected, and no slot moves. */
export function isConverged({ isOk, nodes, movingSlots }: Topology): boolean {
  return isOk && movingSlots.size === 0 && nodes.every(({ health }) => health === 'up')
}

function nodeEvents(node: RedisNode, before: RedisNode | undefined): TopologyEvent[] {
  const { id, health, role } = node
  if (before === undefined) return [['node:joined', { node: id }]]
  const events: TopologyEvent[] = []
  if (health === 'suspect' && before.health === 'up')
    events.push(['node:suspect', { node: id, by: 'redis', reason: 'a node cannot reach it' }])
  if (health === 'down' && before.health !== 'down')
    events.push(['node:down', { node: id, reason: 'a majority of the masters cannot reach it' }])
  if (health === 'up' && before.health === 'down') events.push(['node:up', { node: id, incarnation: 1, readyMs: 0 }])
  if (role === 'master' && before.role === 'replica') events.push(['node:promoted', { node: id }])
  return events
}

function masterId(topology: Topology, { names }: Shape, partition: number): string | undefined {
  return masterOf(topology, names, partition)?.id
}
