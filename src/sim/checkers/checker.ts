/**
 * What every checker has in common. A checker is an observer of a simulated world with a state of its own; it watches one
 * rule of the design, and says what broke it. It must never hang on how the protocol does things, only on what may be seen.
 */

import type { Key, NodeId } from '../../protocol/ids.js'
import type { StoredRecord } from '../../protocol/store-contract.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import { decodeRecord } from '../../storage/record-codec.js'
import type { Observer } from '../observer.js'
import type { SimWorld } from '../world.js'

/** Every checker. `test/mutants` has at least one wrong version of the protocol for each, which it must catch. */
export const CHECKER_NAMES = [
  'acknowledgements',
  'availability',
  'batches',
  'bounds',
  'credits',
  'cuts',
  'deadlines',
  'dots',
  'earlier-lives',
  'ends',
  'epochs-grow',
  'fills',
  'gossip-bound',
  'hints',
  'late-requests',
  'late-watchers',
  'leftovers',
  'linearizability',
  'logged-batches',
  'lost-writes',
  'one-table',
  'owners',
  'placement',
  'quorums',
  'read-values',
  'reaps',
  'replicas-identical',
  'row-epochs',
  'scans',
  'siblings',
  'stamps',
  'trees',
] as const
export type CheckerName = (typeof CHECKER_NAMES)[number]

/** What finds a violation: a checker; the run itself, where it does not come to rest; an assertion of the protocol's own. */
export type Finder = CheckerName | 'liveness' | 'invariants'

export interface Violation {
  readonly checker: Finder
  /** The rule of the design that was broken. */
  readonly rule: string
  readonly detail: string
  readonly atMs: number
}

/** Told of each; after that it need not go on. */
export type Report = (violation: Omit<Violation, 'atMs'>) => void

export abstract class Checker implements Observer {
  abstract readonly name: CheckerName
  abstract readonly rule: string
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  onSettled?(world: SimWorld, isRead: boolean): void
  /** At the end of a run, once everything has been read. */
  atEnd?(world: SimWorld): void

  protected broken(detail: string): void {
    this.#report({ checker: this.name, rule: this.rule, detail })
  }
}

/** What the node's store has accepted of the key. */
export function stored(world: SimWorld, node: NodeId, key: Key): StoredRecord {
  const bytes = world.nodes.get(node)?.disk.content.records.get(key)
  return bytes === undefined ? undefined : decodeRecord(key, bytes)
}

const DECODER = new TextDecoder()

/** Values of a record as texts, sorted; tombstones are left out. */
export function textsOf(record: VersionRecord | undefined): string[] {
  if (record === undefined) return []
  const values =
    record.kind === 'lww' ? [record.value] : record.set.flatMap(({ siblings }) => siblings.map((s) => s.value))
  return values.flatMap((value) => (value === null ? [] : [DECODER.decode(value)])).sort()
}

/** For a message. */
export function describe(record: StoredRecord): string {
  if (record === undefined) return 'nothing'
  if (record === 'damaged') return 'a damaged record'
  if (record.kind === 'siblings')
    return `{${record.set.map((e) => `${e.actor}:${e.counter}`).join(' ')}} ${textsOf(record).join('|')}`
  return `${record.stamp} ${record.value === null ? 'deleted' : textsOf(record)[0]}`
}
