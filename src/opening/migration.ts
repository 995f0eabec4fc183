/** A cluster's migration, made from a prepared cluster and what runs it. Called by `OpenCluster`. */

import { REQUEST_KINDS, type RequestCounters } from '../../actors/runtime/request-counters.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import { ClusterMigration } from '../migration/migration.js'
import type { MigrationOptions } from '../migration/migration-parts.js'
import type { CallsSeen } from '../migration/pace.js'
import type { Prepared } from './prepare.js'
import { nodesOwe } from './status.js'

/** What an owner would have once they have come, and what nobody may change meanwhile. */
const OWED = ['hintsDue', 'filling', 'purging'] as const

/** Options that mean the same to the engine that it moves to. */
const NUMBERS = [
  'readTimeoutMs',
  'writeTimeoutMs',
  'openTimeoutMs',
  'closeTimeoutMs',
  'valueBytesMax',
  'requestsInFlightMax',
  'bytesInFlightMax',
] as const
/** The migration itself scans. */
const CALLS = [REQUEST_KINDS.get, REQUEST_KINDS.put, REQUEST_KINDS.delete, REQUEST_KINDS.batch]
/** Nobody waits for longer to be told that a target is away. */
const REACH_MS_MAX = 10_000

export function migrationOf(
  { config, metadata, migration, quorums }: Prepared,
  parts: Pick<MigrationOptions, 'seat' | 'client' | 'guests' | 'isOpen' | 'onChange' | 'onUnwritten'> & {
    readonly supervisor: SupervisorActor
    /** Of all threads that call. */
    readonly counters: () => readonly RequestCounters[]
  },
): ClusterMigration {
  const { supervisor, counters, ...others } = parts
  const { clusterId, partitions, conflict } = metadata
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, config[name]]))
  return new ClusterMigration({
    ...others,
    file: migration,
    location: config.location,
    clusterId,
    partitions,
    conflict,
    r: quorums.r,
    numbers: { ...numbers, openTimeoutMs: Math.min(config.openTimeoutMs, REACH_MS_MAX) },
    isThrough: () => supervisor.isQuiet() && nodesOwe(supervisor, OWED) === 0,
    calls: () => callsOf(counters()),
    total: () => {
      const copies = supervisor
        .nodes()
        .reduce((sum, { id }) => sum + (supervisor.factsOf(id)?.gauges.get('keys') ?? 0), 0)
      return Math.round(copies / supervisor.table.n)
    },
  })
}

function callsOf(all: readonly RequestCounters[]): CallsSeen {
  let [calls, us] = [0, 0]
  for (const counters of all) {
    for (const kind of CALLS) {
      calls += counters.ended(kind)
      us += counters.totalUs(kind)
    }
  }
  return { calls, us }
}
