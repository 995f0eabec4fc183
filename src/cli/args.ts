/**
 * The command line as data: which command, with which options. Everything that can be wrong about it is found here, before a
 * cluster is opened, and says what is allowed. It reads no file and opens nothing.
 */

import type { GetOptions, PutOptions } from '../shared/api.js'
import { NUMBER_OPTIONS } from '../shared/number-options.js'
import { type ClusterOptions, validateOptions } from '../shared/options.js'
import { COMMAND_NAMES, type CommandName } from './flags.js'
import { defined, Given, UsageError } from './given.js'

export interface StartCommand {
  readonly name: 'start'
  readonly cluster: ClusterOptions
  /** Undefined: allowed where somebody sits at the prompt, and nowhere else. */
  readonly faults: boolean | undefined
}

export type InputFormat = 'tsv' | 'csv' | 'jsonl'

export interface LoadCommand {
  readonly name: 'load'
  readonly cluster: ClusterOptions
  /** `-`: standard input. */
  readonly file: string
  readonly format: InputFormat
  readonly header: boolean
  /** Name or number (from 1) of the column with the key; undefined: the first. */
  readonly keyColumn: string | undefined
  /** The column with the value; undefined: the whole record as JSON. */
  readonly valueColumn: string | undefined
  /** Of CSV. */
  readonly delimiter: string
  readonly batchSize: number
  readonly concurrency: number
  readonly badLinesMax: number
  readonly w: number | undefined
}

/** Of a LevelDB folder `dir` into a cluster. */
export interface ImportCommand {
  readonly name: 'import'
  readonly cluster: ClusterOptions
  readonly dir: string
  readonly batchSize: number
  readonly concurrency: number
  readonly badLinesMax: number
  readonly w: number | undefined
  readonly json: boolean
}

/** Of a cluster into a LevelDB folder `dir`. */
export interface ExportCommand {
  readonly name: 'export'
  readonly cluster: ClusterOptions
  readonly dir: string
  readonly batchSize: number
  readonly r: number | undefined
  readonly json: boolean
}

export interface DemoCommand {
  readonly name: 'demo'
  /** Undefined: a temporary folder, removed at the end. */
  readonly location: string | undefined
}

/** Of a cluster's location, into `dir`. */
export interface BackupCommand {
  readonly name: 'backup'
  readonly cluster: ClusterOptions
  readonly dir: string
  readonly json: boolean
}

export interface RestoreCommand {
  readonly name: 'restore'
  readonly cluster: ClusterOptions
  readonly dir: string
  readonly without: readonly string[]
  readonly json: boolean
}

export interface VerifyCommand {
  readonly name: 'verify'
  readonly dir: string
  readonly json: boolean
}

export interface SimCommand {
  readonly name: 'sim'
  readonly seeds: readonly number[]
  readonly options: { readonly operations?: number; readonly nodes?: number }
  /** Of one seed: changes to its plan. */
  readonly only: readonly number[] | undefined
  readonly clients: number | undefined
  readonly gateways: number | undefined
  readonly trace: boolean
  readonly gossip: boolean
  readonly shrink: boolean
  readonly threads: number | undefined
  readonly json: boolean
}

export type OneShotCommand =
  | { readonly name: 'get'; readonly cluster: ClusterOptions; readonly key: string; readonly call: GetOptions }
  | {
      readonly name: 'put'
      readonly cluster: ClusterOptions
      readonly key: string
      /** `-`: standard input. */
      readonly value: string
      readonly call: PutOptions
    }
  | { readonly name: 'del'; readonly cluster: ClusterOptions; readonly key: string; readonly call: PutOptions }
  | {
      readonly name: 'scan'
      readonly cluster: ClusterOptions
      readonly prefix: string
      readonly limit: number | undefined
      readonly reverse: boolean
      readonly json: boolean
      readonly call: { readonly r?: number }
    }
  | { readonly name: 'locate'; readonly cluster: ClusterOptions; readonly key: string }
  | { readonly name: 'status'; readonly cluster: ClusterOptions; readonly json: boolean }

export type Command =
  | { readonly name: 'help'; readonly topic?: CommandName }
  | { readonly name: 'version' }
  | StartCommand
  | LoadCommand
  | ImportCommand
  | ExportCommand
  | DemoCommand
  | BackupCommand
  | RestoreCommand
  | VerifyCommand
  | SimCommand
  | OneShotCommand

const DEFAULT_LOCATION = './data'

/** Errors: `UsageError`. */
export function parseCommand(args: readonly string[]): Command {
  const [first, ...rest] = args
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    return rest[0] !== undefined && isCommandName(rest[0]) ? { name: 'help', topic: rest[0] } : { name: 'help' }
  }
  if (first === '--version' || first === '-v') return { name: 'version' }
  if (!isCommandName(first)) {
    const what = first.startsWith('-') ? `the option ${first} comes after a command` : `unknown command "${first}"`
    throw new UsageError(`${what}; the commands are ${COMMAND_NAMES.join(', ')}`)
  }
  const given = new Given(first, rest)
  return given.flag('help') === true ? { name: 'help', topic: first } : BUILD[first](given)
}

function isCommandName(text: string): text is CommandName {
  return (COMMAND_NAMES as readonly string[]).includes(text)
}

const BUILD: { readonly [Name in CommandName]: (given: Given) => Command } = {
  start: (given) => ({ name: 'start', cluster: clusterOptions(given), faults: given.flag('faults') }),
  load: loadCommand,
  import: (given) => ({
    name: 'import',
    cluster: clusterOptions(given),
    dir: levelFolder(given),
    ...batches(given),
    w: given.whole('w', 1, 64),
    json: given.flag('json') ?? false,
  }),
  export: (given) => ({
    name: 'export',
    cluster: clusterOptions(given),
    dir: levelFolder(given),
    batchSize: batches(given).batchSize,
    r: given.whole('r', 1, 64),
    json: given.flag('json') ?? false,
  }),
  get: (given) => ({ name: 'get', cluster: clusterOptions(given), key: given.operand('KEY'), call: readCall(given) }),
  put: (given) => ({
    name: 'put',
    cluster: clusterOptions(given),
    key: given.operand('KEY'),
    value: given.operand('VALUE'),
    call: writeCall(given),
  }),
  del: (given) => ({ name: 'del', cluster: clusterOptions(given), key: given.operand('KEY'), call: writeCall(given) }),
  scan: (given) => ({
    name: 'scan',
    cluster: clusterOptions(given),
    prefix: given.optionalOperand('PREFIX') ?? '',
    limit: given.whole('limit', 0, Number.MAX_SAFE_INTEGER),
    reverse: given.flag('reverse') ?? false,
    json: given.flag('json') ?? false,
    call: readCall(given),
  }),
  locate: (given) => ({ name: 'locate', cluster: clusterOptions(given), key: given.operand('KEY') }),
  status: (given) => ({ name: 'status', cluster: clusterOptions(given), json: given.flag('json') ?? false }),
  backup: (given) => ({
    name: 'backup',
    cluster: clusterOptions(given),
    dir: given.operand('DIR'),
    json: given.flag('json') ?? false,
  }),
  restore: (given) => ({
    name: 'restore',
    cluster: clusterOptions(given),
    dir: given.operand('DIR'),
    without: given.text('without')?.split(',') ?? [],
    json: given.flag('json') ?? false,
  }),
  verify: (given) => ({ name: 'verify', dir: given.operand('DIR'), json: given.flag('json') ?? false }),
  sim: simCommand,
  demo: (given) => ({ name: 'demo', location: given.text('location') }),
}

function loadCommand(given: Given): LoadCommand {
  const file = given.operand('FILE')
  const delimiter = given.text('delimiter') ?? ','
  if (delimiter.length !== 1) throw given.wrong('delimiter', delimiter, 'one character')
  return {
    name: 'load',
    cluster: clusterOptions(given),
    file,
    format: given.choice('format', ['tsv', 'csv', 'jsonl']) ?? formatOf(file, given.command),
    header: given.flag('header') ?? true,
    keyColumn: given.text('key'),
    valueColumn: given.text('value'),
    delimiter,
    ...batches(given),
    w: given.whole('w', 1, 64),
  }
}

function batches(given: Given): Pick<LoadCommand, 'batchSize' | 'concurrency' | 'badLinesMax'> {
  return {
    batchSize: given.whole('batch', 1, 10_000) ?? 500,
    concurrency: given.whole('concurrency', 1, 64) ?? 4,
    badLinesMax: given.whole('max-errors', 0, Number.MAX_SAFE_INTEGER) ?? 0,
  }
}

function levelFolder(given: Given): string {
  const dir = given.text('level')
  if (dir === undefined) throw new UsageError('--level DIR is missing: the LevelDB folder', given.command)
  return dir
}

/** The largest whose multiples are exact. */
const SEED_MAX = 2 ** 43

function simCommand(given: Given): SimCommand {
  const seed = given.whole('seed', 0, SEED_MAX)
  const count = given.whole('seeds', 1, 10_000_000) ?? 100
  const from = given.whole('from', 0, SEED_MAX) ?? 1
  const trace = given.flag('trace') ?? false
  const only = given.text('only')
  const numbers = only === undefined ? undefined : only === 'none' ? [] : only.split(',').map(Number)
  if (numbers?.some((number) => !Number.isInteger(number)) === true)
    throw given.wrong('only', only ?? '', 'numbers of faults between commas, or none')
  const clients = given.whole('clients', 1, 100)
  const gateways = given.whole('gateways', 1, 20)
  const ofOne = trace || numbers !== undefined || clients !== undefined || gateways !== undefined
  if (seed === undefined && ofOne) throw new UsageError('--trace, --only, --clients and --gateways need --seed', 'sim')
  if (seed !== undefined && (given.text('seeds') ?? given.text('from')) !== undefined)
    throw new UsageError('--seed is one seed; --seeds and --from are for many', 'sim')
  return {
    name: 'sim',
    seeds: seed === undefined ? Array.from({ length: count }, (_, place) => from + place) : [seed],
    options: defined({ operations: given.whole('operations', 1, 100_000), nodes: given.whole('nodes', 3, 32) }),
    only: numbers,
    clients,
    gateways,
    trace,
    gossip: given.flag('gossip') ?? false,
    shrink: given.flag('shrink') ?? true,
    threads: given.whole('threads', 1, 64),
    json: given.flag('json') ?? false,
  }
}

function formatOf(file: string, command: CommandName): InputFormat {
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase()
  if (extension === 'tsv' || extension === 'tab') return 'tsv'
  if (extension === 'csv') return 'csv'
  if (extension === 'jsonl' || extension === 'ndjson') return 'jsonl'
  const what =
    file === '-' ? 'standard input has no name to tell the format from' : `${file} does not end in .tsv, .csv or .jsonl`
  throw new UsageError(`${what}; say --format tsv, csv or jsonl`, command)
}

function readCall(given: Given): GetOptions {
  return defined({
    r: given.whole('r', 1, 64),
    sloppy: given.flag('sloppy'),
    timeoutMs: given.whole('timeout', 1, 600_000),
  })
}

function writeCall(given: Given): PutOptions {
  return defined({
    w: given.whole('w', 1, 64),
    sloppy: given.flag('sloppy'),
    timeoutMs: given.whole('timeout', 1, 600_000),
  })
}

/** Only what was said is passed on: an existing cluster is then opened as it was created. */
function clusterOptions(given: Given): ClusterOptions {
  // r and w are the cluster's at `start` and `restore`; everywhere else they are options of the call.
  const isTheirs = given.command === 'start' || given.command === 'restore'
  const quorum = isTheirs ? { r: given.whole('r', 1, 64), w: given.whole('w', 1, 64) } : {}
  const replication = defined({ n: copies(given), ...quorum })
  const options = defined({
    location: given.text(given.command === 'restore' ? 'data' : 'location') ?? DEFAULT_LOCATION,
    nodes: given.whole('nodes', NUMBER_OPTIONS.nodes.min, NUMBER_OPTIONS.nodes.max),
    partitions: given.whole('partitions', NUMBER_OPTIONS.partitions.min, NUMBER_OPTIONS.partitions.max),
    replication: Object.keys(replication).length === 0 ? undefined : replication,
    durability: given.choice('durability', ['process', 'disk']),
    conflict: given.choice('conflict', ['lww', 'siblings']),
    coordination: given.choice('coordination', ['client', 'server']),
    verification: given.choice('verification', ['always', 'changed', 'never']),
    ...given.settings(),
  })
  try {
    validateOptions(options)
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message.replace(/^INVALID_OPTION: /, '') : String(error),
      given.command,
    )
  }
  return options
}

function copies(given: Given): number | 'all' | undefined {
  return given.text('n') === 'all' ? 'all' : given.whole('n', 1, 16)
}
