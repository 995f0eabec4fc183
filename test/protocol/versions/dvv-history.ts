/**
 * Random histories of a key on three replicas, run on dotted version vector sets and, side by side, on the plainest model
 * there is: explicit sets of dots. Used by the dvv and record tests.
 */

import fc from 'fast-check'
import {
  type CausalContext,
  DVV_EMPTY,
  type DvvEntry,
  type DvvSet,
  dvvContextOf,
  dvvMerge,
  dvvUpdate,
  type Sibling,
} from '../../../src/protocol/versions/dvv.js'

const ACTORS = ['a', 'b', 'c'] as const

/** One step: `replica` takes a write, with the context of an earlier read or blindly; or learns all that `from` knows. */
export type Step =
  | { readonly do: 'write'; readonly replica: number; readonly read: number | undefined; readonly time: number }
  | { readonly do: 'merge'; readonly replica: number; readonly from: number }

const replica = fc.nat(ACTORS.length - 1)

const write = fc
  .tuple(replica, fc.option(fc.nat(), { nil: undefined }), fc.nat(9))
  .map(([writer, read, time]): Step => ({ do: 'write', replica: writer, read, time }))

const merge = fc.tuple(replica, replica).map(([to, from]): Step => ({ do: 'merge', replica: to, from }))

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(fc.oneof(write, merge), { maxLength: 24 })

/** Three sets, each well formed, that no history need have led to: what damage or a forged context may leave behind. */
const looseSets: fc.Arbitrary<readonly DvvSet[]> = fc.array(
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(4)), { minLength: 3, maxLength: 3 })
    .chain((entries) => fc.subarray(entries.map(([counter, floor], index) => looseEntry(index, counter, floor)))),
  { minLength: 3, maxLength: 3 },
)

/** The value of a dot is a function of the dot. */
function looseEntry(index: number, counter: number, floor: number): DvvEntry {
  const actor = ACTORS[index] as string
  const siblings = Array.from({ length: Math.max(0, counter - floor) }, (_, newer) => {
    return { stamp: `${(counter - newer + index) % 3}`, value: Uint8Array.of(index, counter - newer) }
  })
  return { actor, counter, siblings }
}

/** What a replica is by the book: every dot it has heard of, and the values that no known write has superseded. */
export interface Model {
  readonly history: ReadonlySet<string>
  readonly values: ReadonlyMap<string, Sibling>
}

/** A replica after a step, in both forms. */
export interface State {
  readonly replica: number
  readonly set: DvvSet
  readonly model: Model
}

/** Three sets out of one history, or three loose ones. */
export const threeSets: fc.Arbitrary<readonly DvvSet[]> = fc.oneof(
  looseSets,
  fc.tuple(steps, fc.array(fc.nat(), { minLength: 3, maxLength: 3 })).map(([history, picks]) => {
    const { states } = run(history)
    return picks.map((pick) => (states[pick % states.length] as State).set)
  }),
)

/** Every state that the history goes through, oldest first, and the dots in the order in which they were issued. */
export interface Run {
  readonly states: readonly State[]
  readonly dots: readonly string[]
}

const NEW: Model = { history: new Set(), values: new Map() }

export function run(history: readonly Step[]): Run {
  const states: State[] = ACTORS.map((_, index) => ({ replica: index, set: DVV_EMPTY, model: NEW }))
  const now = [...states]
  const dots: string[] = []
  for (const step of history) {
    const before = now[step.replica] as State
    const after = step.do === 'merge' ? merged(before, now[step.from] as State) : written(before, step, states, dots)
    now[step.replica] = after
    states.push(after)
  }
  return { states, dots }
}

function merged(to: State, from: State): State {
  const a = to.model
  const b = from.model
  const values = [...a.values, ...b.values].filter(
    ([dot]) => (a.values.has(dot) || !a.history.has(dot)) && (b.values.has(dot) || !b.history.has(dot)),
  )
  const model = { history: new Set([...a.history, ...b.history]), values: new Map(values) }
  return { replica: to.replica, set: dvvMerge(to.set, from.set), model }
}

function written(to: State, step: Step & { do: 'write' }, states: readonly State[], dots: string[]): State {
  const read = step.read === undefined ? undefined : (states[step.read % states.length] as State)
  const context: CausalContext | undefined = read && dvvContextOf(read.set)
  const actor = ACTORS[to.replica] as string
  const sibling = { stamp: `${step.time}`, value: Uint8Array.of(dots.length) }
  const set = dvvUpdate(to.set, context, sibling, actor)
  const dot = `${actor}${set.find((entry) => entry.actor === actor)?.counter}`
  dots.push(dot)
  const seen = read?.model.history ?? new Set<string>()
  const values = [...to.model.values].filter(([known]) => !seen.has(known))
  const model = {
    history: new Set([...to.model.history, ...seen, dot]),
    values: new Map([...values, [dot, sibling]]),
  }
  return { replica: to.replica, set, model }
}
