/** When a simulated cluster has come to rest. Called by runs and by scenarios; changes nothing. */

import type { SimWorld } from './world.js'

/** Nothing moves, nobody owes anybody anything, and all have the newest table and one view of the members. */
export function isSettled({ supervisor, nodes, gateways }: SimWorld): boolean {
  if (!supervisor.isQuiet) return false
  const { epoch } = supervisor.table
  for (const gateway of gateways.values())
    if (gateway.core.lingering > 0 || gateway.pending > 0 || gateway.core.table.epoch < epoch) return false
  for (const node of nodes.values()) {
    const phase = supervisor.phaseOf(node.id)
    if (phase === 'down') continue
    if (phase !== 'up' || node.core === undefined) return false
    const { hintsDue, filling, purging, exchanging, lingering, converged } = node.core.gauges()
    if (hintsDue + filling + purging + exchanging + lingering > 0 || !converged || node.core.table.epoch < epoch)
      return false
  }
  return true
}
