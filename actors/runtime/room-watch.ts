/**
 * Senses full disks for the supervisor's core: a node whose store found no room, and room for one that is full.
 *
 * Called by the supervisor's actor for each node at every tick; the core decides what follows.
 */

import type { SupervisedView } from '../../src/protocol/supervision/supervised.js'
import type { SupervisorEvent } from '../../src/protocol/supervision/supervisor-events.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import { hasRoom, roomNeeded } from '../../src/storage/disk-room.js'
import { nodeFolders } from '../../src/storage/layout.js'
import type { NodeFacts } from './node-facts.js'

export function watchRoom(
  { id: node, phase, isFull }: SupervisedView,
  { gauges, diskFilled, room }: NodeFacts,
  { location, writeBufferBytes }: ClusterConfig,
  step: (event: SupervisorEvent) => void,
): void {
  if (!isFull && phase === 'up' && gauges.get('storeFull') === 1)
    step({ type: 'node/full', node, reason: 'its store found no room' })
  if (!isFull) return
  room.lookIfDue(async () => {
    if (await isThereRoom()) step({ type: 'node/room', node })
  })

  async function isThereRoom(): Promise<boolean> {
    if (Atomics.load(new Int32Array(diskFilled), 0) !== 0) return false
    try {
      return await hasRoom(nodeFolders(location, node).folder, roomNeeded(writeBufferBytes))
    } catch {
      // It cannot be found out (no rights, no files left). Opening the store fails over the same, and tells.
      return true
    }
  }
}
