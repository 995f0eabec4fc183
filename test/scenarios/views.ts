/** What a scenario can look at without anything happening: rows, stores, hints, members. Called by `commands.ts`. */

import type { Key, NodeId } from '../../src/protocol/ids.js'
import { fallbacksOf, preferenceList } from '../../src/protocol/ring/preference-list.js'
import { partitionOf, slotOf } from '../../src/protocol/ring/slot.js'
import { rowOf } from '../../src/protocol/ring/table.js'
import { type Stamp, stampTimeNs } from '../../src/protocol/versions/stamp.js'
import { stored, textsOf } from '../../src/sim/checkers/checker.js'
import type { SimWorld } from '../../src/sim/world.js'

/** Where the key belongs, by the supervisor's newest table. */
export function viewOwners(world: SimWorld, key: Key): string[] {
  const { table } = world.supervisor
  const partition = partitionOf(key, table.rows.length)
  const row = rowOf(table, partition)
  const living = world.ids.filter((node) => world.supervisor.phaseOf(node) === 'up')
  const fallbacks = fallbacksOf(partition, row, living, world.ids.length)
  const places = row.owners.map((owner, place) => {
    const pending = row.pending[place] ?? null
    return `${owner ?? 'vacant'}${pending === null ? '' : ` (pending: ${pending})`}`
  })
  const stands = preferenceList(row).length < row.owners.length ? 'places' : 'owners'
  return [
    `${key}: slot ${slotOf(key)}, partition ${partition}, its row is of epoch ${row.epoch}`,
    `  ${stands} ${places.join(', ')}; fallbacks ${fallbacks.length === 0 ? 'none' : fallbacks.join(', ')}`,
  ]
}

/** What the disk of each owner, and of whoever else has it, holds of the key. */
export function viewStores(world: SimWorld, key: Key): string[] {
  const row = rowOf(world.supervisor.table, partitionOf(key, world.options.config.partitions))
  const nodes = world.ids.filter(
    (node) => row.owners.includes(node) || row.pending.includes(node) || stored(world, node, key) !== undefined,
  )
  return nodes.map(
    (node) => `${node}  ${describeStored(world, node, key)}${row.owners.includes(node) ? '' : ' (no owner)'}`,
  )
}

/** When the version that each owner holds was stamped, in ms of the simulated clock. */
export function viewStamps(world: SimWorld, key: Key): string[] {
  const row = rowOf(world.supervisor.table, partitionOf(key, world.options.config.partitions))
  return preferenceList(row).map((node) => {
    const record = stored(world, node, key)
    const isLww = record !== undefined && record !== 'damaged' && record.kind === 'lww'
    return `${node}  ${describeStored(world, node, key)}${isLww ? ` stamped ${timeOf(record.stamp)}` : ''}`
  })
}

export function viewHints(world: SimWorld): string[] {
  const lines = [...world.nodes.values()].flatMap(({ id, disk }) =>
    disk.view().identity.hints.map(({ key, target, record }) => {
      const texts = textsOf(record)
      return `${id} keeps ${key}=${texts.length === 0 ? 'deleted' : texts.join('|')} for ${target}`
    }),
  )
  return lines.length === 0 ? ['no hints'] : lines
}

/** The members as one node sees them. */
export function viewMembers(world: SimWorld, node: NodeId): string[] {
  const members = world.node(node).core?.members() ?? []
  return [`${node} sees: ${members.map(({ id, status }) => `${id} ${status}`).join(', ')}`]
}

function describeStored(world: SimWorld, node: NodeId, key: Key): string {
  const record = stored(world, node, key)
  if (record === undefined) return 'nothing'
  if (record === 'damaged') return 'a damaged record'
  const texts = textsOf(record)
  const value = texts.length === 0 ? 'deleted' : texts.join(' | ')
  if (record.kind === 'lww') return value
  return `${value}  dots ${record.set.map(({ actor, counter }) => `${nameOf(actor)}:${counter}`).join(' ')}`
}

/** The time, to the ns where it matters, and who stamped. */
function timeOf(stamp: Stamp): string {
  const [, actor = ''] = stamp.split('.')
  return `${(Number(stampTimeNs(stamp)) / 1e6).toFixed(6).replace(/\.?0+$/, '')} by ${actor}`
}

/** An actor is a node and the number of its store, which says little to a reader. */
export function nameOf(actor: string): string {
  return actor.slice(0, actor.indexOf('-'))
}
