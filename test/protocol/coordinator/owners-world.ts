/** The owners of the key `k` in a virtual world, for the tests of coordinators. */

import type { NodeId } from '../../../src/protocol/ids.js'
import { GATEWAY, VirtualWorld } from '../virtual-world.js'

type Options = ConstructorParameters<typeof VirtualWorld>[1]

/** Three owners, in the order of the row, and two or more others. */
export function ownersWorld(seed: number, options: Options = {}) {
  const world = new VirtualWorld(seed, options)
  const [a, b, c] = world.owners('k') as [NodeId, NodeId, NodeId]
  const [d, e, f] = world.ids.filter((id) => !world.owners('k').includes(id)) as [NodeId, NodeId, NodeId]
  return { world, a, b, c, d, e, f }
}

/** The owners in the order in which an idle gateway asks them, and the others. */
export function askedWorld(seed: number, options: Options = {}) {
  const { world, d, e, f } = ownersWorld(seed, options)
  const [x, y, z] = [...world.owners('k')].sort() as [NodeId, NodeId, NodeId]
  return { world, x, y, z, d, e, f }
}

export function readsTo(world: VirtualWorld, node: NodeId): number {
  return world.sentOf('replica/read').filter(({ from, to }) => from === GATEWAY && to === node).length
}
