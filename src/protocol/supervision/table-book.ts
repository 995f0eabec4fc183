/**
 * The supervisor's tables: the newest, the newest that is on disk, and those between.
 *
 * The program is told of a table when everybody is: an event before it is on disk would speak of what neither `status()`
 * nor any answer shows yet, and what a crash of the process could still take back. Called by the supervisor's core.
 */

import { assert } from '../assert.js'
import type { Epoch } from '../ids.js'
import { checkTable } from '../invariants.js'
import type { PartitionTable } from '../ring/table.js'
import type { SupervisorNotice } from './supervisor-events.js'

export class TableBook {
  /** Announced once it is persisted. */
  #newest: PartitionTable
  #persisted: PartitionTable
  readonly #n: number | 'all'
  /** On their way to disk, and what is to be told once they are there. */
  readonly #persisting = new Map<
    Epoch,
    { readonly table: PartitionTable; readonly notices: readonly SupervisorNotice[] }
  >()

  /** `table` is on disk. */
  constructor(table: PartitionTable, n: number | 'all') {
    checkTable(table, n)
    this.#n = n
    this.#newest = table
    this.#persisted = table
  }

  get newest(): PartitionTable {
    return this.#newest
  }

  get persisted(): PartitionTable {
    return this.#persisted
  }

  get isPersisting(): boolean {
    return this.#persisting.size > 0
  }

  /** True: a new epoch, to be persisted. False: nothing has changed. Errors: asserts a well-formed table of a higher epoch. */
  change(table: PartitionTable, reason: string, notices: readonly SupervisorNotice[]): boolean {
    if (table === this.#newest) return false
    checkTable(table, this.#n)
    assert(table.epoch > this.#newest.epoch, 'epochs only grow', { from: this.#newest.epoch, to: table.epoch })
    const partitionsChanged = table.rows.filter((row) => row.epoch === table.epoch).length
    this.#newest = table
    const changed: SupervisorNotice = { type: 'epoch', epoch: table.epoch, reason, partitionsChanged }
    this.#persisting.set(table.epoch, { table, notices: [changed, ...notices] })
    return true
  }

  /** On disk up to this epoch. Returns what is to be told with it; undefined if it is nothing new. */
  onPersisted(epoch: Epoch): readonly SupervisorNotice[] | undefined {
    const table = this.#persisting.get(epoch)?.table
    const told = [...this.#persisting].filter(([earlier]) => earlier <= epoch)
    for (const [earlier] of told) this.#persisting.delete(earlier)
    if (table === undefined || epoch <= this.#persisted.epoch) return undefined
    this.#persisted = table
    return told.flatMap(([, { notices }]) => notices)
  }
}
