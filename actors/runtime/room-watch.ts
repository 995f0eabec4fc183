/**
 * Senses full disks for the supervisor's core: a node whose store found no room, and room for one that is full.
 *
 * Called by the supervisor's actor for each node at every tick; the core decides what follows.
 */

import type { NodeId } from '../../src/protocol/ids.js'
import type { SupervisedView } from '../../src/protocol/supervision/supervised.js'
import type { SupervisorEvent } from '../../src/protocol/supervision/supervisor-events.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import { hasRoom, roomNeeded } from '../../src/storage/disk-room.js'
import { nodeFolders } from '../../src/storage/layout.js'
import type { NodeFacts } from './node-facts.js'

type Step = (event: SupervisorEvent) => void

export function watchRoom(view: SupervisedView, facts: NodeFacts, config: ClusterConfig, step: Step): void {
  senseFull(view, facts, step)
  if (view.isFull) facts.room.lookIfDue(() => lookForRoom(view.id, facts, config, step))
}

/** Resolves once a disk that was full when this was called has been looked at, so that the core knows of its room, if there is. */
export async function senseRoom(
  view: SupervisedView,
  facts: NodeFacts,
  config: ClusterConfig,
  step: Step,
): Promise<void> {
  if (view.isFull || senseFull(view, facts, step))
    await facts.room.lookNow(() => lookForRoom(view.id, facts, config, step))
}

/** True if the core has been told of a store that just found no room. */
function senseFull({ id: node, phase, isFull }: SupervisedView, { gauges }: NodeFacts, step: Step): boolean {
  if (isFull || phase !== 'up' || gauges.get('storeFull') !== 1) return false
  step({ type: 'node/full', node, reason: 'its store found no room' })
  return true
}

async function lookForRoom(
  node: NodeId,
  { diskFilled }: NodeFacts,
  { location, writeBufferBytes }: ClusterConfig,
  step: Step,
): Promise<void> {
  if (await isThereRoom()) step({ type: 'node/room', node })

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
