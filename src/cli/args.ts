/**
 * The command line as data: which command, with which options. Everything that can be wrong about it is found here, before a
 * cluster is opened, and says what is allowed. It reads no file and opens nothing.
 */

import type { GetOptions, PutOptions } from '../shared/api.js'
import { migrationToOf } from '../shared/migration-shapes.js'
import { NODES_MAX, NUMBER_OPTIONS } from '../shared/number-options.js'
import { type ClusterOptions, validateOptions } from '../shared/options.js'
import type { Command, InputFormat, Joining, LoadCommand, PlanCommand, SimCommand } from './commands.js'
import { COMMAND_NAMES, type CommandName, FLAGS } from './flags.js'
import { defined, Given, UsageError } from './given.js'
import { type ListenAddress, listenAddressOf } from './http/listen-address.js'
import type { RedisTarget } from './redis-target.js'

const DEFAULT_LOCATION = './data'
/** `nodes` is what the scripts of the others ask for. */
const SHELLS = ['bash', 'zsh', 'fish', 'nodes'] as const
const NODE_ID = /^node\d+$/
const HANG_MS = 3_000
const HANG_MS_MAX = 600_000

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
  start: (given) => ({ name: 'start', ...common(given), faults: given.flag('faults'), http: httpAddress(given) }),
  load: loadCommand,
  import: (given) => ({
    name: 'import',
    ...reached(given),
    dir: levelFolder(given),
    ...batches(given),
    w: given.whole('w', 1, 64),
  }),
  export: (given) => ({
    name: 'export',
    ...reached(given),
    dir: levelFolder(given),
    batchSize: batches(given).batchSize,
    r: given.whole('r', 1, 64),
  }),
  get: (given) => ({ name: 'get', ...reached(given), key: given.operand('KEY'), call: readCall(given) }),
  put: (given) => ({
    name: 'put',
    ...reached(given),
    key: given.operand('KEY'),
    value: given.operand('VALUE'),
    call: writeCall(given),
  }),
  del: (given) => ({ name: 'del', ...reached(given), key: given.operand('KEY'), call: writeCall(given) }),
  scan: (given) => ({
    name: 'scan',
    ...reached(given),
    prefix: given.optionalOperand('PREFIX') ?? '',
    limit: given.whole('limit', 0, Number.MAX_SAFE_INTEGER),
    reverse: given.flag('reverse') ?? false,
    call: readCall(given),
  }),
  locate: (given) => ({ name: 'locate', ...reached(given), key: given.operand('KEY') }),
  status: (given) => ({ name: 'status', ...reached(given) }),
  top: (given) => ({
    name: 'top',
    ...common(given),
    intervalMs: given.whole('interval', 100, 600_000) ?? 1_000,
    count: given.whole('count', 1, Number.MAX_SAFE_INTEGER),
  }),
  plan: planCommand,
  join: (given) => ({
    name: 'join',
    ...common(given),
    join: joiningOf(given.optionalOperand('COUNT') ?? '1', 'COUNT', given.command),
    role: given.flag('standby') === true ? 'standby' : 'member',
    from: given.text('backup'),
  }),
  leave: (given) => ({
    name: 'leave',
    ...common(given),
    nodes: nodesOf(given.operand('NODES'), 'NODES', given.command),
  }),
  backup: (given) => ({ name: 'backup', ...common(given), dir: given.operand('DIR') }),
  migrate: (given) => ({
    name: 'migrate',
    ...common(given),
    to: redisTarget(given),
    rate: given.whole('rate', 1, 1_000_000_000),
    isAbort: given.flag('abort') ?? false,
  }),
  restore: (given) => ({
    name: 'restore',
    ...common(given),
    dir: given.operand('DIR'),
    without: given.text('without')?.split(',') ?? [],
  }),
  verify: (given) => ({ name: 'verify', dir: given.operand('DIR'), json: given.flag('json') ?? false }),
  crash: (given) => ({
    name: 'crash',
    ...common(given),
    node: given.operand('NODE'),
    permanent: given.flag('permanent') ?? false,
  }),
  hang: (given) => ({ name: 'hang', ...common(given), node: given.operand('NODE'), ms: hangMs(given) }),
  bench: (given) => ({
    name: 'bench',
    ...common(given),
    location: given.text('location'),
    seconds: given.whole('seconds', 1, 3_600) ?? 3,
    concurrency: given.whole('concurrency', 1, 1_024) ?? 16,
    keys: given.whole('keys', 1, 10_000_000) ?? 10_000,
    valueBytes: given.whole('value-bytes', 0, NUMBER_OPTIONS.valueBytesMax.byDefault) ?? 100,
  }),
  sim: simCommand,
  demo: (given) => ({ name: 'demo', location: given.text('location'), json: given.flag('json') ?? false }),
  completion: (given) => {
    const shell = SHELLS.find((known) => known === given.operand('SHELL'))
    if (shell === undefined)
      throw new UsageError(`SHELL is "${given.operand('SHELL')}"; allowed: ${SHELLS.join(', ')}`, given.command)
    return { name: 'completion', shell, location: given.text('location') ?? DEFAULT_LOCATION }
  },
}

/** What every command that works on a cluster has. */
function common(given: Given): { readonly cluster: ClusterOptions; readonly json: boolean } {
  return { cluster: clusterOptions(given), json: given.flag('json') ?? false }
}

/** Of those that also work on a store in a Redis Cluster. */
function reached(given: Given) {
  const redis = redisTarget(given)
  if (redis !== undefined && given.text('location') !== undefined)
    throw new UsageError('--location is a folder, --to a store in a Redis Cluster: say one of them', given.command)
  return { ...common(given), ...defined({ redis }) }
}

function redisTarget(given: Given): RedisTarget | undefined {
  const url = given.text('to')
  const tls = defined({
    caFile: given.text('tls-ca'),
    certFile: given.text('tls-cert'),
    keyFile: given.text('tls-key'),
    serverName: given.text('tls-name'),
  })
  if (url === undefined) {
    if (Object.keys(tls).length > 0) throw new UsageError('--tls-… is for what --to names', given.command)
    return undefined
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together', given.command)
  try {
    migrationToOf(url)
  } catch (error) {
    throw usageOf(error, given.command)
  }
  return { url, ...tls }
}

function usageOf(error: unknown, command: CommandName): UsageError {
  return new UsageError(
    error instanceof Error ? error.message.replace(/^INVALID_OPTION: /, '') : String(error),
    command,
  )
}

function httpAddress(given: Given): ListenAddress | undefined {
  const text = given.text('http')
  const address = text === undefined ? undefined : listenAddressOf(text)
  if (text !== undefined && address === undefined)
    throw given.wrong('http', text, 'a port, or HOST:PORT for those who reach HOST')
  return address
}

function planCommand(given: Given): PlanCommand {
  const { command } = given
  const [join, leave] = [given.text('join'), given.text('leave')]
  if (join === undefined && leave === undefined) throw new UsageError('say --join, --leave or both', command)
  return {
    name: 'plan',
    ...common(given),
    join: join === undefined ? { count: 0 } : joiningOf(join, '--join', command),
    leave: leave === undefined ? [] : nodesOf(leave, '--leave', command),
  }
}

/** `2`, or the ids that the new nodes will get: `node6,node7`. */
function joiningOf(text: string, what: string, command: CommandName): Joining {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= NODES_MAX) return { count: Number(text) }
  const ids = text.split(',')
  if (ids.every((id) => NODE_ID.test(id))) return { count: ids.length, ids }
  throw new UsageError(
    `${what} is "${text}"; allowed: how many nodes (1 to ${NODES_MAX}), or their ids as node6,node7`,
    command,
  )
}

function nodesOf(text: string, what: string, command: CommandName): readonly string[] {
  const ids = text.split(',')
  if (ids.every((id) => NODE_ID.test(id))) return ids
  throw new UsageError(`${what} is "${text}"; allowed: ids of nodes between commas, as node2,node5`, command)
}

function hangMs(given: Given): number {
  const text = given.optionalOperand('MS') ?? String(HANG_MS)
  const ms = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (ms >= 1 && ms <= HANG_MS_MAX) return ms
  throw new UsageError(`MS is "${text}"; allowed: a whole number from 1 to ${HANG_MS_MAX}`, given.command)
}

function loadCommand(given: Given): LoadCommand {
  const file = given.operand('FILE')
  const delimiter = given.text('delimiter') ?? ','
  if (delimiter.length !== 1) throw given.wrong('delimiter', delimiter, 'one character')
  return {
    name: 'load',
    ...reached(given),
    file,
    format: given.choice('format', FLAGS.format.choices) ?? formatOf(file, given.command),
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
    durability: given.choice('durability', FLAGS.durability.choices),
    conflict: given.choice('conflict', FLAGS.conflict.choices),
    coordination: given.choice('coordination', FLAGS.coordination.choices),
    verification: given.choice('verification', FLAGS.verification.choices),
    ...given.settings(),
  })
  try {
    validateOptions(options)
  } catch (error) {
    throw usageOf(error, given.command)
  }
  return options
}

function copies(given: Given): number | 'all' | undefined {
  return given.text('n') === 'all' ? 'all' : given.whole('n', 1, 16)
}
