/** The parts of the torture by name, and how often each does what it does. Called by `npm run torture` and its test. */

import { tortureClock } from './clock.js'
import { tortureByDamage } from './damage.js'
import { tortureDescriptors } from './descriptors.js'
import { tortureSmallDisk } from './disk.js'
import { tortureByKill, tortureRefill } from './kill.js'
import type { Effort, Outcome } from './outcome.js'
import { torturePower } from './power.js'

/** An effort, and which disks are played. */
export interface TortureEffort extends Effort {
  readonly strict?: boolean
  readonly holes?: boolean
  /** Of the damages that are planned, only so many. */
  readonly sample?: number
}

export const PARTS = {
  kill: tortureByKill,
  damage: tortureByDamage,
  power: torturePower,
  descriptors: tortureDescriptors,
  clock: tortureClock,
  refill: tortureRefill,
  disk: tortureSmallDisk,
} as const satisfies Record<string, (effort: TortureEffort) => Promise<Outcome>>

export type PartName = keyof typeof PARTS

const COUNTS: Readonly<Record<PartName, { readonly full: number; readonly quick: number }>> = {
  kill: { full: 200, quick: 2 },
  damage: { full: 200, quick: 1 },
  power: { full: 100, quick: 6 },
  descriptors: { full: 16, quick: 1 },
  clock: { full: 40, quick: 2 },
  refill: { full: 60, quick: 1 },
  disk: { full: 100, quick: 2 },
}

/** Damages of the small form, of all kinds. */
const QUICK_SAMPLE = 12

/** The small form has as few nodes as three copies need: threads are most of what it costs. */
export function plannedEffort(part: PartName, quick: boolean): Pick<TortureEffort, 'count' | 'nodes' | 'sample'> {
  if (quick) return { count: COUNTS[part].quick, nodes: 3, sample: QUICK_SAMPLE }
  return { count: COUNTS[part].full, nodes: 5 }
}

export function isPart(name: string): name is PartName {
  return Object.hasOwn(PARTS, name)
}
