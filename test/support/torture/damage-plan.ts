/**
 * Which damage is done, and when: so many places in every kind of file, planned from a seed. Decides; does nothing.
 *
 * Files of a node are damaged in a running cluster while that node is ended: its store is opened by the same way as when the whole
 * cluster is opened, for a fraction of the cost. A quarter of them, whole folders, and the cluster's own files are damaged while
 * everything is closed. Called by the damage part.
 */

import { Prng } from '../../../src/protocol/prng.js'
import { type FileDeed, FOLDER_DEEDS, type FolderDeed, PLACED_DEEDS, WHOLE_DEEDS } from './damage-deeds.js'
import { CLUSTER_FILES, EMPTY_FILES, type FileKind, NODE_FILES } from './damage-kinds.js'

export type Damage =
  | { readonly kind: FileKind; readonly deed: FileDeed }
  | { readonly kind: 'folder'; readonly deed: FolderDeed }

export interface DamageCase {
  /** Of its node, file and place. */
  readonly seed: number
  readonly when: 'closed' | 'running'
  readonly damage: Damage
}

/** Places for each time that each damage without a place is done. */
const PLACES_PER_WHOLE_DEED = 20
/** One in so many damages to a node's files is done while the cluster is closed. */
const CLOSED_SHARE = 4

/** `places`: in each kind of file. In random order. */
export function planDamages(places: number, seed: number): DamageCase[] {
  const times = Math.ceil(places / PLACES_PER_WHOLE_DEED)
  const damages: Omit<DamageCase, 'seed'>[] = []
  for (const kind of [...NODE_FILES, ...CLUSTER_FILES]) {
    const placed = EMPTY_FILES.has(kind) ? [] : repeat(PLACED_DEEDS, places)
    const deeds = [...placed, ...repeat(WHOLE_DEEDS, times * WHOLE_DEEDS.length)]
    deeds.forEach((deed, index) => {
      damages.push({ when: isDoneClosed(kind, index) ? 'closed' : 'running', damage: { kind, deed } })
    })
  }
  for (const deed of repeat(FOLDER_DEEDS, 2 * times * FOLDER_DEEDS.length))
    damages.push({ when: 'closed', damage: { kind: 'folder', deed } })
  return new Prng(seed).shuffled(damages).map((damage, index) => ({ ...damage, seed: seed * 100_000 + index }))
}

/** For people. */
export function describeCase({ seed, when, damage: { kind, deed } }: DamageCase): string {
  return `seed ${seed}, ${when}, ${kind}: ${deed}`
}

function repeat<T>(items: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => items[index % items.length] as T)
}

/** One after the other of `CLOSED_SHARE`, so that each deed has its turn. */
function isDoneClosed(kind: FileKind, index: number): boolean {
  const isOfNode = (NODE_FILES as readonly FileKind[]).includes(kind)
  return !isOfNode || (index + Math.floor(index / CLOSED_SHARE)) % CLOSED_SHARE === 0
}
