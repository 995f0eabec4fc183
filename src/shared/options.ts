/**
 * The options of `openCluster`: defaults, units, limits and validation, as one table of data. Every number is checked
 * before a thread starts, and the message says what is wrong and what is allowed.
 *
 * Called by the composition root only; everything below it gets a `ClusterConfig` in which nothing is optional.
 */

import { resolve } from 'node:path'
import { inspect } from 'node:util'
import type { ConflictMode } from '../protocol/versions/record.js'
import { CoterieError } from './errors.js'
import { NUMBER_OPTIONS, type NumberOptionName } from './number-options.js'

/** `'process'` survives the death of a thread or the process; `'disk'` a power cut too: one fsync before each ack. */
export type Durability = 'process' | 'disk'
/** Where the coordinator runs: in the caller's thread, or in the node that the request was sent to. */
export type CoordinationMode = 'client' | 'server'
/** When a node's files are verified before LevelDB opens them. See the README, "Damaged stores". */
export type VerificationMode = 'always' | 'changed' | 'never'

/** How many copies, and how many of them answer. */
export interface ReplicationOptions {
  /** Copies of each partition: 1…16, or `'all'`: every node a full copy. Default 3, or fewer if there are fewer nodes. Fixed at creation. */
  readonly n?: number | 'all'
  /** Owners that must answer a read. Default: a majority of n. */
  readonly r?: number
  /** Owners that must accept a write. Default: a majority of n. */
  readonly w?: number
}

/** Worker entries, for programs that are bundled into one file (native packages and piscina stay outside the bundle). */
export interface WorkerPaths {
  /** File URL or absolute path of `coterie/node.actor.js`. */
  readonly node?: string | URL
  /** File URL or absolute path of `coterie/verify.task.js`. */
  readonly verify?: string | URL
}

/** Everything `openCluster` takes. Only `location` is required. The numbers are in a table of their own, `NUMBER_OPTIONS`. */
export interface ClusterOptions extends Partial<Record<keyof typeof NUMBER_OPTIONS, number>> {
  /** Whose nodes: threads of this process (default), or those of a Redis Cluster, which has options of its own. */
  readonly engine?: 'embedded'
  /** Folder of the cluster; made if absent. One folder per node below it. */
  readonly location: string
  /** Copies and quorums. */
  readonly replication?: ReplicationOptions
  /** What an acknowledged write survives. Default `'process'`. */
  readonly durability?: Durability
  /** `'lww'`: the last write wins; `'siblings'`: concurrent writes are all kept. Fixed at creation. Default `'lww'`. */
  readonly conflict?: ConflictMode
  /** Who coordinates a request. Default `'client'`. */
  readonly coordination?: CoordinationMode
  /** When files are verified before they are opened. Default `'changed'`. */
  readonly verification?: VerificationMode
  /** True allows `cluster.faults`. Never in production. Default false. */
  readonly faults?: boolean
  /** For bundled programs. Default: the files of this package. */
  readonly workers?: WorkerPaths
}

/** Options after validation: nothing optional, all numbers in range. */
export interface ClusterConfig extends Readonly<Record<NumberOptionName, number>> {
  readonly location: string
  readonly n: number | 'all'
  readonly r: number | undefined
  readonly w: number | undefined
  /** True where the caller said so, so that a later open can tell "other" from "not said". */
  readonly said: ReadonlySet<string>
  readonly durability: Durability
  readonly conflict: ConflictMode
  readonly coordination: CoordinationMode
  readonly verification: VerificationMode
  readonly faults: boolean
  readonly workers: WorkerPaths
}

const CHOICES = {
  durability: ['process', 'disk'],
  conflict: ['lww', 'siblings'],
  coordination: ['client', 'server'],
  verification: ['always', 'changed', 'never'],
} as const

const OTHER_OPTIONS = ['engine', 'location', 'replication', 'faults', 'workers']

/** All that there are. */
export const CLUSTER_OPTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBER_OPTIONS),
  ...Object.keys(CHOICES),
  ...OTHER_OPTIONS,
])

/** Repairs, handoffs and exchanges have deadlines of their own, of two seconds at most. */
const GRACE_MS_MIN = 2_500

/** Errors: INVALID_OPTION, naming the option, the value and what is allowed. */
export function validateOptions(options: ClusterOptions): ClusterConfig {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object with a `location`')
  for (const name of Object.keys(options)) {
    if (!CLUSTER_OPTIONS.has(name))
      throw invalid(name, 'an unknown option', `one of ${[...CLUSTER_OPTIONS].sort().join(', ')}`)
  }
  if (options.engine !== undefined && options.engine !== 'embedded')
    throw invalid('engine', options.engine, 'embedded or redis-cluster')
  if (typeof options.location !== 'string' || options.location === '') {
    throw invalid('location', options.location, 'the path of a folder')
  }
  const numbers = {} as Record<NumberOptionName, number>
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOptionName[]) numbers[name] = numberOption(options, name)
  if ((numbers.partitions & (numbers.partitions - 1)) !== 0) {
    throw invalid('partitions', numbers.partitions, 'a power of two from 16 to 16384')
  }
  // Who hurts nodes wants to see it in every read.
  if (options.faults === true && options.nearCacheBytes === undefined) numbers.nearCacheBytes = 0
  const longestMs = Math.max(GRACE_MS_MIN, numbers.readTimeoutMs, numbers.writeTimeoutMs)
  if (numbers.tombstoneGraceMs !== 0 && numbers.tombstoneGraceMs < longestMs) {
    throw invalid(
      'tombstoneGraceMs',
      numbers.tombstoneGraceMs,
      `0, or at least ${longestMs}: no request may take longer`,
    )
  }
  return {
    ...numbers,
    ...validateReplication(options.replication ?? {}),
    location: options.location,
    durability: choiceOption(options, 'durability', 'process'),
    conflict: choiceOption(options, 'conflict', 'lww'),
    coordination: choiceOption(options, 'coordination', 'client'),
    verification: choiceOption(options, 'verification', 'changed'),
    faults: booleanOption(options.faults ?? false),
    workers: workersOption(options.workers ?? {}),
    said: new Set([...namesSaid(options), ...namesSaid(options.replication ?? {})]),
  }
}

/** r and w for a cluster of n copies: what was asked for, else a majority. Errors: INVALID_OPTION if above n. */
export function quorumsFor(
  n: number,
  asked: { r: number | undefined; w: number | undefined },
): { r: number; w: number } {
  const majority = Math.floor(n / 2) + 1
  const r = asked.r ?? majority
  const w = asked.w ?? majority
  if (r > n) throw invalid('replication.r', r, `at most n, which is ${n}`)
  if (w > n) throw invalid('replication.w', w, `at most n, which is ${n}`)
  return { r, w }
}

/** A whole number in a range, for options of single calls. Errors: INVALID_OPTION. */
export function checkWhole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(name, value, `a whole number from ${min} to ${max}`)
  }
  return value
}

/** The error of a bad option. */
export function invalid(name: string, value: unknown, allowed: string): CoterieError {
  // Whatever it is, also an object with a cycle.
  const shown =
    typeof value === 'string'
      ? JSON.stringify(value)
      : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
  return new CoterieError('INVALID_OPTION', `\`${name}\` is ${shown}; allowed: ${allowed}`, { option: name, allowed })
}

function unknownOption(name: string, names: readonly string[]): CoterieError {
  const allowed = names.join(', ')
  return new CoterieError('INVALID_OPTION', `\`${name}\` is an unknown option; allowed: ${allowed}`, {
    option: name,
    allowed,
  })
}

/** What is given as `undefined` is not said. */
function namesSaid(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))
}

/** The options of a call. Errors: INVALID_OPTION for what is no object, and for a name that is none of these. */
export function checkNames(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object')
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw unknownOption(name, names)
  }
}

function numberOption(options: ClusterOptions, name: NumberOptionName): number {
  const { byDefault, min, max } = NUMBER_OPTIONS[name]
  const value = options[name]
  return value === undefined ? byDefault : checkWhole(name, value, min, max)
}

function choiceOption<Name extends keyof typeof CHOICES>(
  options: ClusterOptions,
  name: Name,
  byDefault: (typeof CHOICES)[Name][number],
): (typeof CHOICES)[Name][number] {
  const value = options[name] ?? byDefault
  const allowed: readonly string[] = CHOICES[name]
  if (!allowed.includes(value)) throw invalid(name, value, allowed.join(' or '))
  return value
}

function validateReplication(replication: ReplicationOptions) {
  if (typeof replication !== 'object' || replication === null)
    throw invalid('replication', replication, 'an object { n, r, w }')
  for (const name of Object.keys(replication)) {
    if (!['n', 'r', 'w'].includes(name)) throw invalid(`replication.${name}`, 'an unknown option', 'n, r, w')
  }
  const n = replication.n ?? 3
  if (n !== 'all') checkWhole('replication.n', n, 1, 16)
  const max = n === 'all' ? NUMBER_OPTIONS.nodes.max : n
  for (const name of ['r', 'w'] as const) {
    if (replication[name] !== undefined) checkWhole(`replication.${name}`, replication[name], 1, max)
  }
  return { n, r: replication.r, w: replication.w }
}

function booleanOption(value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid('faults', value, 'true or false')
  return value
}

function workersOption(workers: WorkerPaths): WorkerPaths {
  if (typeof workers !== 'object' || workers === null) throw invalid('workers', workers, 'an object { node, verify }')
  const absolute: Record<string, string | URL> = {}
  for (const [name, path] of Object.entries(workers)) {
    if (name !== 'node' && name !== 'verify') throw invalid(`workers.${name}`, 'an unknown option', 'node, verify')
    if (typeof path !== 'string' && !(path instanceof URL)) throw invalid(`workers.${name}`, path, 'a file URL or path')
    absolute[name] = typeof path === 'string' ? (path.startsWith('file:') ? new URL(path) : resolve(path)) : path
  }
  return absolute
}
