/**
 * Who owns what, as lines: a letter for each partition's first owner, in the order of the partitions, and below a row what is
 * the matter with those above it.
 *
 * ```
 *    0  AAABBBCCCDDDEEEAAABBBCCCDDDEEE…
 *          ~~~         !
 * ```
 */

import type { NodeId } from '../../protocol/ids.js'
import type { ClusterStatus, NodeStatus, PartitionOwners } from '../../shared/cluster-reports.js'
import { plural, truncate } from './format.js'
import type { Style, Styler } from './style.js'

/** As many as a cluster has nodes at most. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@#'
const NOBODY = '.'
const COLOURS: readonly Style[] = ['cyan', 'green', 'yellow', 'magenta', 'blue', 'red']

/** Partitions in a row, and rows at most: past that a letter stands for several. */
const ROW_LENGTHS = [64, 32, 16] as const
const ROWS_MAX = 8

type Mark = '!' | '~' | '-' | ' '
const MARKS: readonly { readonly mark: Mark; readonly style: Style; readonly about: string }[] = [
  { mark: '!', style: 'red', about: 'lost: it serves nothing until a store is back or the loss accepted' },
  { mark: '~', style: 'yellow', about: 'moving: a copy is being made' },
  { mark: '-', style: 'yellow', about: 'fewer copies than n' },
]

/** The letter of each node, and how it is coloured: in the strip, and before its row of the table. */
export class NodeLetters {
  readonly #order: readonly NodeId[]

  constructor(nodes: readonly NodeStatus[]) {
    this.#order = nodes.map(({ id }) => id)
  }

  of(node: NodeId | null): string {
    return node === null ? NOBODY : (LETTERS[this.#order.indexOf(node)] ?? '?')
  }

  styled(letters: string, node: NodeId | null, style: Styler): string {
    if (node === null) return style('red', letters)
    const at = this.#order.indexOf(node)
    const colour = COLOURS[at % COLOURS.length] ?? 'dim'
    // After one round of colours they come again in bold.
    return style(Math.floor(at / COLOURS.length) % 2 === 0 ? colour : ['bold', colour], letters)
  }
}

/** One letter of the strip. */
interface Cell {
  readonly owner: NodeId | null
  readonly mark: Mark
}

export function ringStrip(
  { nodes }: ClusterStatus,
  ring: readonly PartitionOwners[],
  { columns, style }: { readonly columns: number; readonly style: Styler },
): string[] {
  const letters = new NodeLetters(nodes)
  const labelWidth = Math.max(4, String(ring.length).length)
  const length = ROW_LENGTHS.find((one) => one + labelWidth + 2 <= columns) ?? 16
  const each = Math.max(1, ring.length / (length * ROWS_MAX))
  const cells = chunks(ring, each).map(cellOf)
  const rows = chunks(cells, length).flatMap((row, index) => {
    const label = String(index * length * each).padStart(labelWidth)
    const marks = row
      .map(({ mark }) => mark)
      .join('')
      .trimEnd()
    return [
      `${style('dim', label)}  ${runs(row, letters, style)}`,
      ...(marks === '' ? [] : [`${' '.repeat(labelWidth)}  ${styledMarks(marks, style)}`]),
    ]
  })
  const what = each === 1 ? 'partitions' : `partitions, ${each} a letter (who is first in most of them)`
  return [
    style('dim', `${what}, by first owner`),
    ...rows,
    ...legend(cells).map(({ style: colour, text }) => style(colour, truncate(text, columns))),
  ]
}

/** How many partitions each node is the first owner of. */
export function firstOwned(ring: readonly PartitionOwners[]): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>()
  for (const { owners } of ring) {
    const first = firstOf(owners)
    if (first !== null) counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  return counts
}

function cellOf(partitions: readonly PartitionOwners[]): Cell {
  const counts = [...firstOwned(partitions)].sort(([, a], [, b]) => b - a)
  return { owner: counts[0]?.[0] ?? null, mark: markOf(partitions) }
}

/** The worst of several. */
function markOf(partitions: readonly PartitionOwners[]): Mark {
  if (partitions.some(({ lost }) => lost)) return '!'
  if (partitions.some(({ moving }) => moving)) return '~'
  return partitions.some(({ owners }) => owners.includes(null)) ? '-' : ' '
}

function firstOf(owners: PartitionOwners['owners']): NodeId | null {
  return owners.find((owner) => owner !== null) ?? null
}

/** Neighbours of one node are coloured together: fewer escapes. */
function runs(row: readonly Cell[], letters: NodeLetters, style: Styler): string {
  let line = ''
  for (let from = 0; from < row.length; ) {
    const owner = row[from]?.owner ?? null
    let to = from
    while (to < row.length && row[to]?.owner === owner) to += 1
    line += letters.styled(letters.of(owner).repeat(to - from), owner, style)
    from = to
  }
  return line
}

function styledMarks(marks: string, style: Styler): string {
  return marks.replace(/([!~-])\1*/g, (run) =>
    style(MARKS.find(({ mark }) => run.startsWith(mark))?.style ?? 'dim', run),
  )
}

/** Only of the marks that are there. */
function legend(cells: readonly Cell[]): { readonly style: Style; readonly text: string }[] {
  return MARKS.flatMap(({ mark, style, about }) => {
    const marked = cells.filter((cell) => cell.mark === mark).length
    return marked === 0 ? [] : [{ style, text: `${mark} ${about} (${plural(marked, 'place')})` }]
  })
}

function chunks<T>(items: readonly T[], length: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  )
}
