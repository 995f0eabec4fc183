/**
 * What every thread that calls the cluster is told to do with its calls while the cluster moves. An order is the whole of it, not a
 * change: a thread that comes late is given the newest and is where the others are.
 */

import type { MigrationTo } from './migration-shapes.js'

export interface MigrationOrder {
  /** Counts up. */
  readonly version: number
  /**
   * Where calls go. `local`: to the cluster. `both`: reads to the cluster, writes to the cluster and then to the target. `target`: to the
   * target alone.
   */
  readonly mode: 'local' | 'both' | 'target'
  /** Writes wait. The order is carried out once none is under way. */
  readonly holdsWrites: boolean
  /** Is opened, whatever the mode. */
  readonly target?: {
    readonly to: MigrationTo
    /** Of the migration. */
    readonly id: string
    readonly clusterId: string
    readonly partitions: number
    /** Options of the cluster that the target goes on with. */
    readonly numbers: Readonly<Record<string, number>>
  }
}

/** No migration is under way. */
export const NO_MIGRATION: MigrationOrder = { version: 0, mode: 'local', holdsWrites: false }
