/** Who has a partition, by the topology of this moment. */

import type { PartitionId } from '../../protocol/ids.js'
import type { PartitionOwners } from '../../shared/cluster-reports.js'
import type { KeyNames } from './key-names.js'
import { type RedisNode, replicasOf, type Topology } from './topology.js'

export interface Place {
  readonly master: RedisNode
  /** That are up. */
  readonly replicas: readonly RedisNode[]
}

/** Undefined: the slot has no master, or one that has failed. */
export function placeOf(topology: Topology, names: KeyNames, partition: PartitionId): Place | undefined {
  const master = masterOf(topology, names, partition)
  return master === undefined || master.health === 'down'
    ? undefined
    : { master, replicas: replicasOf(topology, master) }
}

/** The master first, then its replicas that are up. */
export function ownersOf(topology: Topology, names: KeyNames, partition: PartitionId): string[] {
  const place = placeOf(topology, names, partition)
  return place === undefined ? [] : [place.master, ...place.replicas].map(({ id }) => id)
}

export function ringOf(topology: Topology, names: KeyNames, partitions: number): PartitionOwners[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const owners = ownersOf(topology, names, partition)
    const moving = topology.movingSlots.has(names.slot(partition))
    return { partition, owners: owners.length === 0 ? [null] : owners, pending: [], moving, lost: owners.length === 0 }
  })
}

export function masterOf(topology: Topology, names: KeyNames, partition: PartitionId): RedisNode | undefined {
  return topology.nodes[topology.masterOfSlot[names.slot(partition)] ?? -1]
}
