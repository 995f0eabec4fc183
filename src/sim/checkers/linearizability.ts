/**
 * Decides whether recorded histories of a key-value store are linearizable: an exact checker for registers with get, put
 * and delete. It must never accept a history that no order of the operations explains, nor refuse one that some order does.
 *
 * Each key is a register of its own (linearizability is local: Herlihy & Wing 1990), so each is searched alone. The search
 * is Wing & Gong's with Lowe's memory of configurations, as in Porcupine and Knossos, made small by three facts about registers
 * (the arguments stand where they are used):
 *   1. a read that can be placed now and fits may be placed now;
 *   2. a write that nobody reads any more may be hidden right before another write;
 *   3. a write of unknown outcome is worth placing only right before a read that saw it.
 *
 * Called by the simulator, the cluster tests, the soak and whoever has a history; it knows nothing of Coterie.
 */

import { countFrom, type KeyHistory, prepareKey, type Step } from './linearizability-history.js'
import type { Operation } from './operation.js'

/** How to check. */
export interface CheckOptions {
  /** Values before the first operation; default: none. */
  readonly initial?: ReadonlyMap<string, string>
  /** Configurations to look at for one key before giving up with an error; default 2,000,000. */
  readonly configurationsMax?: number
}

/** A key whose history nothing explains. */
export interface Violation {
  readonly key: string
  /** Operations of the key, without those that took no effect. */
  readonly operations: number
  /** How many of them the best attempt could order. */
  readonly ordered: number
  /** The register's value at that point; undefined: no value. */
  readonly value: string | undefined
  /** The operation that had to come next at the latest, and those it could not be ordered with. */
  readonly stuckAt: Operation
  readonly overlapping: readonly Operation[]
}

/** What the checker found. */
export interface Verdict {
  readonly linearizable: boolean
  readonly keys: number
  readonly operations: number
  readonly violations: readonly Violation[]
}

/** Values no read is left for are all alike: one id for them keeps the memory small. */
const UNREAD = -1

interface Configuration {
  /** Every step below it is ordered. */
  readonly base: number
  /** Ordered steps above `base`, ascending. */
  readonly done: readonly number[]
  /** Id of the register's value. */
  readonly value: number
  /** How many of the unknown writes of each value are used, by value id. They are interchangeable: only the count matters. */
  readonly used: ReadonlyMap<number, number>
}

/** What can come next in a configuration. */
interface Frontier {
  readonly base: number
  readonly done: Set<number>
  /** No step that is invoked later can come next: some unordered step has returned before. */
  readonly returnsFirst: number
  /** Unordered steps that were invoked by then. */
  readonly enabled: readonly number[]
}

/** Checks every key. Errors: throws if a key needs more than `configurationsMax` configurations. */
export function checkLinearizability(operations: Iterable<Operation>, options: CheckOptions = {}): Verdict {
  const byKey = new Map<string, Operation[]>()
  for (const operation of operations) {
    const ofKey = byKey.get(operation.key)
    if (ofKey === undefined) byKey.set(operation.key, [operation])
    else ofKey.push(operation)
  }
  const violations: Violation[] = []
  let count = 0
  for (const [key, ofKey] of byKey) {
    count += ofKey.length
    const violation = checkKey(key, ofKey, options)
    if (violation !== undefined) violations.push(violation)
  }
  return { linearizable: violations.length === 0, keys: byKey.size, operations: count, violations }
}

/** A text for a test's diagnostics. */
export function describeViolation(violation: Violation): string {
  const { key, operations, ordered, value, stuckAt, overlapping } = violation
  const since = stuckAt.invokedAt
  const lines = [stuckAt, ...overlapping].map((operation) => `  ${describeOperation(operation, since)}`)
  const state = value === undefined ? 'no value' : `value ${value}`
  return `key ${key}: ${ordered} of ${operations} operations ordered, register has ${state}, stuck at\n${lines.join('\n')}`
}

function describeOperation(operation: Operation, since: number): string {
  const { kind, value, result, invokedAt, returnedAt } = operation
  const what = kind === 'get' ? `get → ${result ?? 'no value'}` : kind === 'put' ? `put ${value}` : 'delete'
  return `${what}  [${invokedAt - since}, ${returnedAt === Number.POSITIVE_INFINITY ? '?' : returnedAt - since}]`
}

function checkKey(key: string, operations: readonly Operation[], options: CheckOptions): Violation | undefined {
  const history = prepareKey(operations, options.initial?.get(key))
  const start: Configuration = { base: 0, done: [], value: history.initial, used: new Map() }
  const seen = new Set<string>()
  const stack = [start]
  const configurationsMax = options.configurationsMax ?? 2_000_000
  let best = start
  for (let current = stack.pop(); current !== undefined; current = stack.pop()) {
    const frontier = orderReads(history, current)
    if (frontier.base === history.steps.length) return undefined
    const settled = { ...current, base: frontier.base, done: [...frontier.done].sort((a, b) => a - b) }
    const name = nameOf(settled)
    if (seen.has(name)) continue
    seen.add(name)
    if (seen.size > configurationsMax) throw new Error(`key ${key}: more than ${configurationsMax} configurations`)
    if (orderedIn(settled) >= orderedIn(best)) best = settled
    for (const next of successors(history, settled, frontier)) stack.push(next)
  }
  return violationAt(history, key, best)
}

function orderedIn(configuration: Configuration): number {
  return configuration.base + configuration.done.length
}

function nameOf({ base, done, value, used }: Configuration): string {
  return `${base}|${done.join()}|${value}|${[...used].sort(([a], [b]) => a - b).join()}`
}

/**
 * Orders every read that can come now and fits, until none is left (fact 1).
 *
 * Why that loses nothing: take any order that completes this configuration and move such a read to its front. It returns the
 * value that is there, changes nothing for those it is moved past, and nothing unordered has returned before it was invoked.
 */
function orderReads(history: KeyHistory, configuration: Configuration): Frontier {
  const done = new Set(configuration.done)
  let base = configuration.base
  for (;;) {
    while (done.delete(base)) base += 1
    const { enabled, returnsFirst } = frontierOf(history, base, done)
    const fitting = enabled.filter((index) => {
      const step = history.steps[index] as Step
      return step.isRead && step.value === configuration.value
    })
    if (fitting.length === 0) return { base, done, returnsFirst, enabled }
    for (const index of fitting) done.add(index)
  }
}

function frontierOf(history: KeyHistory, base: number, done: ReadonlySet<number>) {
  let returnsFirst = Number.POSITIVE_INFINITY
  const enabled: number[] = []
  for (let index = base; index < history.steps.length; index++) {
    const step = history.steps[index] as Step
    if (step.invokedAt > returnsFirst) break
    if (done.has(index)) continue
    if (step.returnedAt < returnsFirst) returnsFirst = step.returnedAt
    enabled.push(index)
  }
  // A step that returned early ends the front for those that were listed before its return was seen.
  const inFront = enabled.filter((index) => (history.steps[index] as Step).invokedAt <= returnsFirst)
  return { enabled: inFront, returnsFirst }
}

/**
 * Every configuration that one more write leads to, the most promising last.
 *
 * Enabled writes that no unordered read has seen are ordered together with it, right before it (fact 2). Why that loses
 * nothing: in any completing order no read follows such a write before the next write; moved to here it is overwritten at once,
 * and where it was taken from the value stays what it was before, until that next write.
 */
function successors(history: KeyHistory, current: Configuration, frontier: Frontier): Configuration[] {
  if (leavesReadsBehind(history, current)) return []
  const writes = frontier.enabled.filter((index) => !(history.steps[index] as Step).isRead)
  const isUnread = (index: number) => unorderedReads(history, current, (history.steps[index] as Step).value) === 0
  const unread = writes.filter(isUnread)
  const hidden = [...current.done, ...unread]
  const result: Configuration[] = []
  if (unread.length > 0) result.push({ ...current, done: hidden, value: UNREAD })
  const read = writes.filter((index) => !unread.includes(index))
  read.sort((a, b) => (history.steps[b] as Step).returnedAt - (history.steps[a] as Step).returnedAt)
  for (const index of read) {
    result.push({ ...current, done: [...hidden, index], value: (history.steps[index] as Step).value })
  }
  for (const value of unknownWanted(history, current, frontier)) {
    const used = new Map(current.used).set(value, (current.used.get(value) ?? 0) + 1)
    result.push({ base: current.base, done: hidden, value, used })
  }
  return result
}

/** True if the value that the next write replaces is still to be read and nothing can write it again. */
function leavesReadsBehind(history: KeyHistory, current: Configuration): boolean {
  const { value } = current
  if (value === UNREAD || unorderedReads(history, current, value) === 0) return false
  const unknown = (history.unknownOf.get(value)?.length ?? 0) - (current.used.get(value) ?? 0)
  const writes = countFrom(history.writesOf.get(value), current.base) - countDone(history, current, value, false)
  return unknown + writes === 0
}

function unorderedReads(history: KeyHistory, current: Configuration, value: number): number {
  return countFrom(history.readsOf.get(value), current.base) - countDone(history, current, value, true)
}

function countDone(history: KeyHistory, current: Configuration, value: number, isRead: boolean): number {
  let count = 0
  for (const index of current.done) {
    const step = history.steps[index] as Step
    if (step.value === value && step.isRead === isRead) count += 1
  }
  return count
}

/**
 * Values that an enabled read waits for and an unused unknown write could give (fact 3). Why no other place is worth a try: an
 * unknown write that is followed by a write, or by nothing, may as well never have taken effect.
 */
function unknownWanted(history: KeyHistory, current: Configuration, frontier: Frontier): Set<number> {
  const wanted = new Set<number>()
  for (const index of frontier.enabled) {
    const step = history.steps[index] as Step
    const invokedAt = history.unknownOf.get(step.value)
    if (!step.isRead || step.value === current.value || invokedAt === undefined) continue
    const next = invokedAt[current.used.get(step.value) ?? 0]
    if (next !== undefined && next <= frontier.returnsFirst) wanted.add(step.value)
  }
  return wanted
}

function violationAt(history: KeyHistory, key: string, best: Configuration): Violation {
  const { enabled, returnsFirst } = frontierOf(history, best.base, new Set(best.done))
  const operations = enabled.map((index) => (history.steps[index] as Step).operation)
  const stuckAt = operations.find((operation) => operation.returnedAt === returnsFirst) as Operation
  return {
    key,
    operations: history.steps.length + history.unknown,
    ordered: orderedIn(best),
    value: best.value === UNREAD ? '(one that nobody reads)' : history.values[best.value],
    stuckAt,
    overlapping: operations.filter((operation) => operation !== stuckAt).slice(0, 8),
  }
}
