/**
 * The passes of a fill: which there are of what is ordered, and which of them wait. Called by `Fill`.
 *
 * Of a partition with several sources one is copied from; with the others that copy is compared, which reads and sends next to nothing
 * where they hold the same. So a pass that compares waits until a copy of its partitions is here.
 */

import type { Epoch, Key, NodeId, PartitionId } from '../ids.js'
import type { FillOrder } from '../transfer-messages.js'

/** How often the roots of trees are looked at before ranges are. */
const LOOKS = 5

/** One run over one source, for all partitions that are to be had there. */
export interface Pass {
  readonly source: NodeId
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
  /** Most of it is here already, or will be: ranges are compared, and only what differs is sent. */
  readonly hasCopy: boolean
  readonly skipsDamaged: boolean
  /** Of none of its partitions is a copy here yet. */
  isHeld: boolean
  /** Everything up to here has been accepted by the store. */
  after: Key | undefined
  /** The same once the chunk that is being stored has been. */
  next: Key | undefined
  records: number
  /** At the roots of trees; none: ranges are compared, or sent. */
  looksLeft: number
  /** Whose roots are equal, once what they count has been stored: as long as the trees have not turned out to be wrong. */
  equal: { readonly partitions: readonly PartitionId[]; readonly lapses: number } | undefined
  state: 'idle' | 'scanning' | 'asked' | 'storing' | 'sealing'
  /** Of the pull, of the scan before it, or of the seal after it. */
  messageId: number
  /** The local write that must be accepted before the next pull; 0: none. */
  local: number
  isLast: boolean
  /** When it was asked, or may be asked again. */
  notBeforeMs: number
}

/** A source of a partition, and whether it is only compared with. */
export interface Wanted {
  readonly order: FillOrder
  readonly source: NodeId
  readonly hasCopy: boolean
}

/** One for each source and way of reading: those that compare, or that leave out what is damaged, go by themselves. */
export function passesOf(wanted: readonly Wanted[], nowMs: number): Pass[] {
  const byName = new Map<string, Wanted[]>()
  for (const entry of wanted) {
    const { order, source, hasCopy } = entry
    const name = `${source} ${hasCopy ? 'compares' : ''} ${order.skipsDamaged === true ? 'skips' : ''}`
    byName.set(name, [...(byName.get(name) ?? []), entry])
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([name, entries]) => {
    const [source = '', compares, skips] = name.split(' ')
    const partitions = entries.map(({ order }) => order.partition)
    const rowEpochs = entries.map(({ order }) => order.rowEpoch)
    const how = { source, hasCopy: compares !== '', skipsDamaged: skips !== '', notBeforeMs: nowMs }
    return newPass({ ...how, partitions, rowEpochs })
  })
}

/** The same passes; of one that has not begun, what need not wait goes ahead by itself. `wantedOf`: what a pass is still for. */
export function heldBack(passes: Pass[], wantedOf: (pass: Pass) => readonly PartitionId[]): Pass[] {
  if (!passes.some((pass) => pass.hasCopy && isUnbegun(pass))) return passes
  const copying = new Set(passes.flatMap((pass) => (pass.hasCopy ? [] : wantedOf(pass))))
  return passes.flatMap((pass) => {
    if (!pass.hasCopy || !isUnbegun(pass)) return [pass]
    const wanted = wantedOf(pass)
    const held = wanted.filter((partition) => copying.has(partition))
    pass.isHeld = held.length > 0 && held.length === wanted.length
    if (held.length === 0 || pass.isHeld) return [pass]
    const free = wanted.filter((partition) => !copying.has(partition))
    return [partOf(pass, free), { ...partOf(pass, held), isHeld: true }]
  })
}

function newPass(
  how: Pick<Pass, 'source' | 'partitions' | 'rowEpochs' | 'hasCopy' | 'skipsDamaged' | 'notBeforeMs'>,
): Pass {
  return {
    ...how,
    isHeld: false,
    after: undefined,
    next: undefined,
    records: 0,
    looksLeft: how.hasCopy ? LOOKS : 0,
    equal: undefined,
    state: 'idle',
    messageId: 0,
    local: 0,
    isLast: false,
  }
}

/** Of a pass that has not begun. */
function partOf(pass: Pass, partitions: readonly PartitionId[]): Pass {
  const rowEpochs = partitions.map((partition) => pass.rowEpochs[pass.partitions.indexOf(partition)] ?? 0)
  return newPass({ ...pass, partitions, rowEpochs })
}

function isUnbegun({ state, after, looksLeft }: Pass): boolean {
  return state === 'idle' && after === undefined && looksLeft === LOOKS
}
