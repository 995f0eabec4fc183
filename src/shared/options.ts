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

/** `'process'` survives the death of a thread or the process; `'disk'` a power cut too: one fsync before each ack. */
export type Durability = 'process' | 'disk'
/** Where the coordinator runs: in the caller's thread, or in the node that the request was sent to. */
export type CoordinationMode = 'client' | 'server'
/** When a node's files are verified before LevelDB opens them. See the README, "Damaged stores". */
export type VerificationMode = 'always' | 'changed' | 'never'

export interface ReplicationOptions {
  /** Copies of each partition: 1…16, or `'all'`: every node a full copy. Default 3, or fewer if there are fewer nodes. */
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

/** Everything `openCluster` takes. Only `location` is required. Numbers: see `NUMBER_OPTIONS` for unit, default, range. */
export interface ClusterOptions extends Partial<Record<keyof typeof NUMBER_OPTIONS, number>> {
  /** Folder of the cluster; made if absent. One folder per node below it. */
  readonly location: string
  readonly replication?: ReplicationOptions
  readonly durability?: Durability
  readonly conflict?: ConflictMode
  readonly coordination?: CoordinationMode
  readonly verification?: VerificationMode
  /** True allows `cluster.faults`. Never in production. Default false. */
  readonly faults?: boolean
  readonly workers?: WorkerPaths
}

interface NumberOption {
  readonly byDefault: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly about: string
}

/** Node threads of one cluster at most. */
export const NODES_MAX = 64

/** Every numeric option: default, range, unit, meaning (what zero means, where zero is allowed). */
export const NUMBER_OPTIONS = {
  nodes: {
    byDefault: 5,
    min: 1,
    max: NODES_MAX,
    unit: 'threads',
    about: 'node threads at creation; later opens find what is there',
  },
  partitions: { byDefault: 128, min: 16, max: 16_384, unit: 'partitions', about: 'a power of two, fixed at creation' },
  standbys: {
    byDefault: 0,
    min: 0,
    max: 16,
    unit: 'nodes',
    about: 'hot standbys at creation, beside `nodes`: they get every write and serve nothing until promoted; 0: none',
  },
  readTimeoutMs: { byDefault: 1_000, min: 1, max: 600_000, unit: 'ms', about: 'deadline of a read without timeoutMs' },
  writeTimeoutMs: {
    byDefault: 2_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    about: 'deadline of a write without timeoutMs',
  },
  closeTimeoutMs: {
    byDefault: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'how long close() waits for nodes before it terminates them',
  },
  openTimeoutMs: {
    byDefault: 30_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    about: 'how long openCluster waits for a quorum of nodes',
  },
  valueBytesMax: { byDefault: 8_388_608, min: 1, max: 536_870_912, unit: 'bytes', about: 'longest value' },
  requestsInFlightMax: {
    byDefault: 16_384,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    about: 'past it a request is refused: OVERLOADED',
  },
  bytesInFlightMax: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'keys and values of unanswered requests of one gateway',
  },
  hedgeBudgetPercent: {
    byDefault: 5,
    min: 0,
    max: 100,
    unit: 'percent',
    about: 'extra reads sent to a second replica before the first was silent for avoidAfterMs; 0: none',
  },
  avoidAfterMs: {
    byDefault: 50,
    min: 5,
    max: 10_000,
    unit: 'ms',
    about: 'a replica silent for so long with mail outstanding is avoided',
  },
  hungAfterMs: {
    byDefault: 500,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'a thread whose loop stood still for so long is terminated and restarted',
  },
  heartbeatMs: { byDefault: 250, min: 10, max: 60_000, unit: 'ms', about: 'heartbeats to ring neighbours' },
  gossipMs: {
    byDefault: 200,
    min: 10,
    max: 60_000,
    unit: 'ms',
    about: 'gossip rounds while not converged; once converged five times as long',
  },
  restartsMax: {
    byDefault: 5,
    min: 0,
    max: 1_000,
    unit: 'restarts',
    about: 'within restartWindowMs; one more and the node is down for good; 0: the first death is final',
  },
  restartWindowMs: { byDefault: 60_000, min: 100, max: 3_600_000, unit: 'ms', about: 'window of restartsMax' },
  hintWindowMs: {
    byDefault: 10_800_000,
    min: 0,
    max: 2_592_000_000,
    unit: 'ms',
    about: 'no new hints for a node absent for longer; 0: no hints for missed writes',
  },
  hintBytesMax: {
    byDefault: 67_108_864,
    min: 0,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'hints a node keeps; past it it refuses new ones; 0: none',
  },
  transferBytesPerSecond: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about:
      'records that one node takes and gives by fills and exchanges, all together; a backup reads as much beside them',
  },
  transfersMax: {
    byDefault: 2,
    min: 1,
    max: 64,
    unit: 'transfers',
    about: 'sources that one node is filled from at a time, and nodes that it gives to at a time',
  },
  tombstoneGraceMs: {
    byDefault: 86_400_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'how long a deleted key is remembered at least, then until every copy is known to; no timeout may be longer; 0: for ever',
  },
  antiEntropyIntervalMs: {
    byDefault: 15_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'pause between two comparisons of Merkle trees that a node begins by itself, with each peer in turn; 0: it begins none',
  },
  scrubIntervalMs: {
    byDefault: 604_800_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about: 'pause between scrubs, which verify the tables of open stores again, node by node; 0: none',
  },
  scrubBytesPerSecond: {
    byDefault: 8_388_608,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about: 'read by a scrub, more or less',
  },
  recordCacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'records read or written lately, kept by the nodes, divided by them, at most 1 GiB each; 0: none',
  },
  cacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'LevelDB block caches, divided by the nodes',
  },
  openFilesMax: {
    byDefault: 1_000,
    min: 50,
    max: 1_000_000,
    unit: 'files',
    about: 'LevelDB table files, divided by the nodes',
  },
  writeBufferBytes: {
    byDefault: 4_194_304,
    min: 65_536,
    max: 1_073_741_824,
    unit: 'bytes',
    about: 'LevelDB write buffer of each node (twice in use)',
  },
  nodeHeapMb: {
    byDefault: 256,
    min: 16,
    max: 65_536,
    unit: 'MB',
    about: 'old-generation heap of a node thread; a node over it dies alone and is restarted',
  },
  seed: {
    byDefault: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: '',
    about: 'seed of every choice by chance; 0: drawn at opening',
  },
} as const satisfies Record<string, NumberOption>

export type NumberOptionName = keyof typeof NUMBER_OPTIONS

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

const OTHER_OPTIONS = ['location', 'replication', 'faults', 'workers']

/** Repairs, handoffs and exchanges have deadlines of their own, of two seconds at most. */
const GRACE_MS_MIN = 2_500

/** Errors: INVALID_OPTION, naming the option, the value and what is allowed. */
export function validateOptions(options: ClusterOptions): ClusterConfig {
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object with a `location`')
  const known = new Set([...Object.keys(NUMBER_OPTIONS), ...Object.keys(CHOICES), ...OTHER_OPTIONS])
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw invalid(name, 'an unknown option', `one of ${[...known].sort().join(', ')}`)
  }
  if (typeof options.location !== 'string' || options.location === '') {
    throw invalid('location', options.location, 'the path of a folder')
  }
  const numbers = {} as Record<NumberOptionName, number>
  for (const name of Object.keys(NUMBER_OPTIONS) as NumberOptionName[]) numbers[name] = numberOption(options, name)
  if ((numbers.partitions & (numbers.partitions - 1)) !== 0) {
    throw invalid('partitions', numbers.partitions, 'a power of two from 16 to 16384')
  }
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
