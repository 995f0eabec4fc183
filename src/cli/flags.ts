/** Commands, operands and options as data: parsed by `args.ts`, shown by `help.ts`. */

/** They open the folder themselves if nobody has it open. */
const OPENING = [
  'start',
  'load',
  'get',
  'put',
  'del',
  'scan',
  'locate',
  'status',
  'plan',
  'join',
  'leave',
  'backup',
  'migrate',
  'import',
  'export',
] as const
/** They ask the process that has the folder open, or fail. */
const ASKING = ['top', 'crash', 'hang'] as const
const CLUSTER = [...OPENING, 'restore'] as const
const CREATING = ['start', 'load', 'put', 'restore', 'import'] as const
/** They work on a store in a Redis Cluster, too. */
const REACHING = ['get', 'put', 'del', 'scan', 'locate', 'status', 'load', 'import', 'export', 'migrate'] as const
const ALL = [...CLUSTER, ...ASKING, 'verify', 'bench', 'sim', 'demo', 'completion'] as const

export const COMMANDS = {
  start: 'open a cluster and keep it running: live status and a prompt on a terminal, log lines elsewhere',
  load: 'put the records of a TSV, CSV or JSONL file (also .gz; - is standard input)',
  import: 'put every record of a LevelDB folder, as classic-level makes them, into a cluster (--level DIR)',
  export: 'write every record of a cluster into a new LevelDB folder, for classic-level (--level DIR)',
  get: 'print the value of a key',
  put: 'set the value of a key (VALUE - reads standard input)',
  del: 'delete a key',
  scan: 'print keys and values in key order, all or those that begin with PREFIX',
  locate: 'print the slot, partition and owners of a key',
  status: 'print who owns what, the nodes and what they hold',
  top: 'watch a running cluster: rates, latencies, mailboxes, restarts, gossip, hints, transfers, repairs',
  plan: 'print what joins and leaves would copy; nothing is changed',
  join: 'start new nodes (1) and give them their share; COUNT may also be their ids, as node6,node7',
  leave: 'give the partitions of nodes to the others, end them, delete their stores (NODES as node2,node5)',
  backup: 'write one consistent cut of the cluster into a new folder DIR',
  migrate: 'move a cluster to a Redis or Valkey Cluster while it serves; goes on where it was after a death',
  restore: 'make a new cluster, with any number of nodes, of the backup in DIR',
  verify: 'check a backup, or the folder of a closed cluster, end to end',
  crash: 'end the thread of a node of a running cluster (only where faults are allowed)',
  hang: 'send a node of a running cluster into an endless loop (only where faults are allowed; 3,000 ms)',
  bench:
    'put, get and scan for a few seconds, and print rates and latencies (of a temporary cluster, or a running one)',
  sim: 'run the protocol in a simulated world, seed by seed, and check what it promises',
  demo: 'load 135,000 cities, then crash, hang and wipe nodes under traffic, and check every record',
  completion: 'print a script that completes commands, options and nodes in bash, zsh or fish',
} as const satisfies Record<string, string>

export type CommandName = keyof typeof COMMANDS

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[]

/** In brackets: may be left out. */
export const OPERANDS: Readonly<Record<CommandName, readonly string[]>> = {
  start: [],
  load: ['FILE'],
  import: [],
  export: [],
  get: ['KEY'],
  put: ['KEY', 'VALUE'],
  del: ['KEY'],
  scan: ['[PREFIX]'],
  locate: ['KEY'],
  status: [],
  top: [],
  plan: [],
  join: ['[COUNT]'],
  leave: ['NODES'],
  backup: ['DIR'],
  migrate: [],
  restore: ['DIR'],
  verify: ['DIR'],
  crash: ['NODE'],
  hang: ['NODE', '[MS]'],
  bench: [],
  sim: [],
  demo: [],
  completion: ['SHELL'],
}

export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  readonly operand?: string
  /** Where only these are allowed. */
  readonly choices?: readonly string[]
  readonly commands: readonly CommandName[]
  readonly about: string
}

export const FLAGS = {
  location: {
    type: 'string',
    short: 'd',
    operand: 'FOLDER',
    commands: [...OPENING, ...ASKING, 'bench', 'demo', 'completion'],
    about: 'folder of the cluster (./data)',
  },
  data: { type: 'string', operand: 'LOCATION', commands: ['restore'], about: 'folder of the new cluster (./data)' },
  level: {
    type: 'string',
    operand: 'DIR',
    commands: ['import', 'export'],
    about: 'the LevelDB folder: for import, closed and whole; for export, new or empty',
  },
  without: {
    type: 'string',
    operand: 'NODES',
    commands: ['restore'],
    about: 'databases that are damaged, as node2,node5; the others must be enough',
  },
  nodes: {
    type: 'string',
    operand: 'COUNT',
    commands: [...CREATING, 'bench', 'sim'],
    about: 'nodes of a new cluster, each a thread (5); of `sim`: simulated nodes (5 to 7)',
  },
  partitions: {
    type: 'string',
    operand: 'COUNT',
    commands: [...CREATING, 'bench'],
    about: 'of a new cluster, a power of two (128)',
  },
  n: {
    type: 'string',
    operand: 'COUNT',
    commands: [...CREATING, 'bench'],
    about: 'copies in a new cluster, or all (3)',
  },
  r: {
    type: 'string',
    operand: 'COUNT',
    commands: ['start', 'get', 'scan', 'restore', 'export'],
    about: 'owners that must answer a read (a majority)',
  },
  w: {
    type: 'string',
    operand: 'COUNT',
    commands: ['start', 'load', 'put', 'del', 'restore', 'import'],
    about: 'owners that must accept a write (a majority)',
  },
  sloppy: {
    type: 'boolean',
    commands: ['get', 'put', 'del'],
    about: 'count the first n healthy nodes, not the owners only',
  },
  timeout: { type: 'string', operand: 'MS', commands: ['get', 'put', 'del'], about: 'deadline of the request' },
  durability: {
    type: 'string',
    operand: 'KIND',
    choices: ['process', 'disk'],
    commands: [...CLUSTER, 'bench'],
    about: 'process (default), or disk: one fsync before each ack',
  },
  conflict: {
    type: 'string',
    operand: 'KIND',
    choices: ['lww', 'siblings'],
    commands: ['start', 'load', 'put', 'restore'],
    about: 'of a new cluster: lww (default) or siblings',
  },
  coordination: {
    type: 'string',
    operand: 'KIND',
    choices: ['client', 'server'],
    commands: ['start', 'load'],
    about: 'client (default) or server',
  },
  verification: {
    type: 'string',
    operand: 'WHEN',
    choices: ['always', 'changed', 'never'],
    commands: CLUSTER,
    about: 'of store files: always, changed (default) or never',
  },
  set: {
    type: 'string',
    multiple: true,
    operand: 'NAME=NUMBER',
    commands: [...CLUSTER, 'bench'],
    about: 'any numeric option of openCluster, for example --set hungAfterMs=500',
  },
  faults: {
    type: 'boolean',
    commands: ['start'],
    about:
      'allow faults (default: at the prompt all but wipe, corrupt and crash --permanent, elsewhere none; --no-faults)',
  },
  http: {
    type: 'string',
    operand: '[HOST:]PORT',
    commands: ['start'],
    about: 'serve the dashboard, to this machine only unless a HOST is named; 0: any free port',
  },
  format: {
    type: 'string',
    operand: 'KIND',
    choices: ['tsv', 'csv', 'jsonl'],
    commands: ['load'],
    about: 'tsv, csv or jsonl (default: by the name of the file)',
  },
  key: {
    type: 'string',
    operand: 'COLUMN',
    commands: ['load'],
    about: 'column with the key, by name or number (the first)',
  },
  value: {
    type: 'string',
    operand: 'COLUMN',
    commands: ['load'],
    about: 'column with the value (default: the record as JSON)',
  },
  header: { type: 'boolean', commands: ['load'], about: 'the first line names the columns (default; --no-header)' },
  delimiter: { type: 'string', operand: 'CHAR', commands: ['load'], about: 'between the fields of CSV (,)' },
  batch: {
    type: 'string',
    operand: 'COUNT',
    commands: ['load', 'import', 'export'],
    about: 'records in one batch (500)',
  },
  concurrency: {
    type: 'string',
    operand: 'COUNT',
    commands: ['load', 'import', 'bench'],
    about: 'batches in flight (4); for bench: callers (16)',
  },
  'max-errors': {
    type: 'string',
    operand: 'COUNT',
    commands: ['load', 'import'],
    about: 'bad lines (or records that do not fit) to skip before giving up (0)',
  },
  limit: { type: 'string', operand: 'COUNT', commands: ['scan'], about: 'pairs at most' },
  reverse: { type: 'boolean', commands: ['scan'], about: 'from the last key to the first' },
  json: {
    type: 'boolean',
    commands: [...CLUSTER, ...ASKING, 'verify', 'bench', 'sim', 'demo'],
    about: 'print JSON, one value a line, errors too',
  },
  interval: { type: 'string', operand: 'MS', commands: ['top'], about: 'between two looks (1000)' },
  count: { type: 'string', operand: 'COUNT', commands: ['top'], about: 'intervals, then it ends (until q or Ctrl-C)' },
  join: {
    type: 'string',
    operand: 'NODES',
    commands: ['plan'],
    about: 'nodes that would join: how many, or their ids',
  },
  leave: { type: 'string', operand: 'NODES', commands: ['plan'], about: 'nodes that would leave, as node2,node5' },
  standby: {
    type: 'boolean',
    commands: ['join'],
    about: 'they get every write and serve nothing until they are promoted',
  },
  backup: { type: 'string', operand: 'DIR', commands: ['join'], about: 'make the store of a standby of this backup' },
  to: {
    type: 'string',
    operand: 'URL',
    commands: REACHING,
    about: 'redis-cluster://[user@]host:port[,host:port…][?name=…]; the password in COTERIE_REDIS_PASSWORD',
  },
  'tls-ca': {
    type: 'string',
    operand: 'FILE',
    commands: REACHING,
    about: 'of --to: who signs the certificates of its nodes',
  },
  'tls-cert': { type: 'string', operand: 'FILE', commands: REACHING, about: 'of --to: shown to its nodes' },
  'tls-key': { type: 'string', operand: 'FILE', commands: REACHING, about: 'of --to: that of --tls-cert' },
  'tls-name': {
    type: 'string',
    operand: 'NAME',
    commands: REACHING,
    about: 'of --to: whom the certificates are for, where it is not the address',
  },
  rate: {
    type: 'string',
    operand: 'RECORDS',
    commands: ['migrate'],
    about: 'records a second at most (no limit); it yields to callers anyway',
  },
  abort: {
    type: 'boolean',
    commands: ['migrate'],
    about: 'end the one that is under way, and clear what it has written',
  },
  permanent: {
    type: 'boolean',
    commands: ['crash'],
    about: 'it does not come back and others take over (`coterie start --faults` only)',
  },
  seconds: { type: 'string', operand: 'COUNT', commands: ['bench'], about: 'for each kind of call (3)' },
  keys: { type: 'string', operand: 'COUNT', commands: ['bench'], about: 'keys that are put and read (10000)' },
  'value-bytes': { type: 'string', operand: 'COUNT', commands: ['bench'], about: 'of each value (100)' },
  seeds: { type: 'string', operand: 'COUNT', commands: ['sim'], about: 'so many seeds, one after the other (100)' },
  from: { type: 'string', operand: 'SEED', commands: ['sim'], about: 'the first of them (1)' },
  seed: { type: 'string', operand: 'SEED', commands: ['sim'], about: 'only this one' },
  operations: { type: 'string', operand: 'COUNT', commands: ['sim'], about: 'calls of the clients in each run (500)' },
  only: {
    type: 'string',
    operand: 'NUMBERS',
    commands: ['sim'],
    about: 'with --seed: only these of its faults, as 3,9,14 (or none)',
  },
  clients: { type: 'string', operand: 'COUNT', commands: ['sim'], about: 'with --seed: so many clients' },
  gateways: { type: 'string', operand: 'COUNT', commands: ['sim'], about: 'with --seed: so many gateways' },
  trace: { type: 'boolean', commands: ['sim'], about: 'with --seed: print everything that happens' },
  gossip: { type: 'boolean', commands: ['sim'], about: 'with --trace: gossip and heartbeats too' },
  shrink: {
    type: 'boolean',
    commands: ['sim'],
    about: 'make a run that fails smaller while it still fails (default; --no-shrink)',
  },
  threads: { type: 'string', operand: 'COUNT', commands: ['sim'], about: 'worker threads (one for each core)' },
  parent: {
    type: 'boolean',
    commands: ['start'],
    about: 'restart the cluster if its process dies (default; --no-parent: run it in this process)',
  },
  help: { type: 'boolean', short: 'h', commands: ALL, about: 'print this' },
} as const satisfies Record<string, Flag>

export type FlagName = keyof typeof FLAGS

/** The options of one command. */
export function flagsOf(command: CommandName): [FlagName, Flag][] {
  return Object.entries<Flag>(FLAGS)
    .filter(([, flag]) => flag.commands.includes(command))
    .map(([name, flag]) => [name as FlagName, flag])
}
