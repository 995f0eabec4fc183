/** What each replica holds of a key: asks the nodes that have its partition, one by one and at once. Called by `OpenCluster.versions`. */

import { ControlError } from '../../actors/control.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import type { Key, NodeId } from '../protocol/ids.js'
import { rowOf, standbysOf } from '../protocol/ring/table.js'
import { stampTimeNs } from '../protocol/versions/stamp.js'
import type { Location } from '../shared/api.js'
import type { KeyVersions, ReplicaVersions } from '../shared/cluster-reports.js'
import { checkNames, checkWhole } from '../shared/options.js'

const TIMEOUT_MS = 1_000
const TIMEOUT_MS_MAX = 600_000

/** Errors: INVALID_OPTION. */
export async function keyVersions(
  supervisor: SupervisorActor,
  location: Location,
  { key, ...options }: { readonly key: Key; readonly timeoutMs?: number },
): Promise<KeyVersions> {
  checkNames(options, ['timeoutMs'])
  const timeoutMs = checkWhole('timeoutMs', options.timeoutMs ?? TIMEOUT_MS, 1, TIMEOUT_MS_MAX)
  const { table } = supervisor
  const pending = rowOf(table, location.partition).pending.filter((node) => node !== null)
  const asked: readonly (readonly [ReplicaVersions['role'], readonly NodeId[]])[] = [
    ['owner', location.owners],
    ['pending', pending],
    ['standby', standbysOf(table)],
  ]
  const replicas = asked.flatMap(([role, nodes]) =>
    nodes.map((node) => versionsAt(supervisor, { node, role, key, timeoutMs })),
  )
  return { ...location, replicas: await Promise.all(replicas) }
}

async function versionsAt(
  supervisor: SupervisorActor,
  { node, role, key, timeoutMs }: { node: NodeId; role: ReplicaVersions['role']; key: Key; timeoutMs: number },
): Promise<ReplicaVersions> {
  const silent = { node, role, answered: false, damaged: false, versions: [] }
  const thread = supervisor.factsOf(node)?.thread
  const isUp = supervisor.nodes().some(({ id, phase }) => id === node && phase === 'up')
  if (!isUp || thread?.node !== node) return silent
  try {
    const { isDamaged, versions } = await thread.control.versions(key, timeoutMs)
    const told = versions.map(({ stamp, valueBytes }) => ({ stamp, at: timeOf(stamp), valueBytes }))
    return { node, role, answered: true, damaged: isDamaged, versions: told }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return silent
  }
}

function timeOf(stamp: string): string {
  return new Date(Number(stampTimeNs(stamp) / 1_000_000n)).toISOString()
}
