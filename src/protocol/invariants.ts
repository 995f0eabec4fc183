/**
 * What must hold of a node after every input, in production too. Cheap: each check is O(1), but for a new table, whose
 * rows are checked once.
 *
 * Called by `DynamoNode` and the supervisor's core; changes nothing.
 */

import { assert } from './assert.js'
import { UPDATES_MAX } from './config.js'
import type { Epoch } from './ids.js'
import type { PartitionTable, Row } from './ring/table.js'

/** Messages that wait for a table: at most one of a kind from each sender. */
const PARKED_MAX = 4_096

export interface NodeFacts {
  /** As configured. */
  readonly n: number | 'all'
  readonly epoch: Epoch
  readonly table: PartitionTable
  /** The table that was checked after an earlier input. */
  readonly checkedTable: PartitionTable | undefined
  readonly parked: number
  /** Sibling updates that the store has not accepted yet. */
  readonly updates: number
  readonly hintBytes: number
  /** See `HintKeeper.bytesBound`. */
  readonly hintBytesBound: number
}

/** Returns the table that has been checked. Errors: throws `InvariantError`. */
export function checkInvariants(facts: NodeFacts): PartitionTable {
  assert(facts.updates <= UPDATES_MAX, 'more sibling updates are refused', { updates: facts.updates })
  assert(facts.parked <= PARKED_MAX, 'credits bound what can be parked', { parked: facts.parked })
  assert(facts.hintBytes <= facts.hintBytesBound, 'hints stay within their bound', {
    hintBytes: facts.hintBytes,
    hintBytesBound: facts.hintBytesBound,
  })
  if (facts.table !== facts.checkedTable) checkTable(facts.table, facts.n)
  return facts.table
}

/** Errors: throws `InvariantError` if a row is not well-formed. */
export function checkTable(table: PartitionTable, n: number | 'all'): void {
  table.rows.forEach((row, partition) => {
    checkRow(row, table, partition)
    if (n === 'all') checkPlaces(row, table.n)
    else assert(isOfLength(row, table.n), 'a row keeps n places', { partition, row })
  })
}

function isOfLength({ owners, pending, staying }: Row, n: number): boolean {
  return owners.length === n && pending.length === n && staying === undefined
}

/** Of a row that may get more places, or lose some, but not both at once. */
function checkPlaces(row: Row, most: number): void {
  const { owners, pending, staying } = row
  assert(owners.length >= 1 && owners.length <= most, 'no row has more places than the longest', { row })
  assert(
    pending.slice(owners.length).every((node) => node !== null),
    'a place is added for somebody',
    { row },
  )
  if (staying === undefined) return
  assert(staying.length >= 1 && staying.length < owners.length, 'a row that loses places keeps some', { row })
  assert(
    staying.every((node) => owners.includes(node)) && pending.every((node) => node === null),
    'whoever stays owns the row',
    { row },
  )
}

function checkRow(row: Row, table: PartitionTable, partition: number): void {
  const facts = { partition, row }
  assert(row.pending.length >= row.owners.length, 'a pending one for each place, or nobody', facts)
  assert(row.epoch >= 1 && row.epoch <= table.epoch, 'a row changed at an epoch of its table', facts)
  const full = row.owners.filter((node) => node !== null)
  const pending = row.pending.filter((node) => node !== null)
  assert(new Set(full).size === full.length, 'no node owns a partition twice', facts)
  assert(new Set(pending).size === pending.length, 'no node is pending twice', facts)
  assert(!pending.some((node) => full.includes(node)), 'a full owner is not filled again', facts)
  const isBoth = row.standbys.some((node) => full.includes(node) || pending.includes(node))
  assert(!isBoth, 'a standby owns nothing', facts)
  const { standbys } = table.rows[0] ?? row
  const isOfAll = row.standbys.length === standbys.length && row.standbys.every((node) => standbys.includes(node))
  assert(isOfAll, 'a standby is one of every row', facts)
}
