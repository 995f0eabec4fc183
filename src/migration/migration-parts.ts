/** What a migration is made from, by `opening/migration.ts`. */

import type { Client } from '../client.js'
import type { MigrationStatus } from '../shared/migration-shapes.js'
import type { MigrationFile } from '../storage/migration-file.js'
import type { MigrationGuests } from './orders.js'
import type { CallsSeen } from './pace.js'
import type { Seat } from './seat.js'

export interface MigrationOptions {
  readonly file: MigrationFile
  readonly location: string
  readonly clusterId: string
  readonly partitions: number
  readonly conflict: 'lww' | 'siblings'
  /** Of the backfill. */
  readonly r: number
  /** Options that the target goes on with. */
  readonly numbers: Readonly<Record<string, number>>
  readonly seat: Seat
  readonly client: Client
  readonly guests: MigrationGuests
  /** Nothing is owed among the nodes: no hint, no fill. */
  readonly isThrough: () => boolean
  /** Of the opener's thread and all that have connected; scans are not among them. */
  readonly calls: () => CallsSeen
  /** Records that there are, more or less. */
  readonly total: () => number
  readonly isOpen: () => boolean
  readonly onChange: (status: MigrationStatus) => void
  /** The folder could not be written; it is tried again. */
  readonly onUnwritten: (error: Error) => void
}
