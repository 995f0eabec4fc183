/** Commands as data, as `args.ts` makes them of the arguments and the commands take them. */

import type { NodeId } from '../protocol/ids.js'
import type { GetOptions, PutOptions } from '../shared/api.js'
import type { ClusterOptions } from '../shared/options.js'
import type { CommandName } from './flags.js'
import type { ListenAddress } from './http/listen-address.js'
import type { RedisTarget } from './redis-target.js'

export interface StartCommand {
  readonly name: 'start'
  readonly cluster: ClusterOptions
  /** Undefined: allowed where somebody sits at the prompt, and nowhere else. */
  readonly faults: boolean | undefined
  /** Log lines as JSON, also on a terminal. */
  readonly json: boolean
  /** Where the dashboard listens; undefined: there is none. */
  readonly http: ListenAddress | undefined
}

export type InputFormat = 'tsv' | 'csv' | 'jsonl'

export interface LoadCommand {
  readonly name: 'load'
  readonly cluster: ClusterOptions
  /** A store in a Redis Cluster, not the folder. */
  readonly redis?: RedisTarget
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
  readonly json: boolean
}

/** Of a LevelDB folder `dir` into a cluster. */
export interface ImportCommand {
  readonly name: 'import'
  readonly cluster: ClusterOptions
  /** A store in a Redis Cluster, not the folder. */
  readonly redis?: RedisTarget
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
  /** A store in a Redis Cluster, not the folder. */
  readonly redis?: RedisTarget
  readonly dir: string
  readonly batchSize: number
  readonly r: number | undefined
  readonly json: boolean
}

export interface DemoCommand {
  readonly name: 'demo'
  /** Undefined: a temporary folder, removed at the end. */
  readonly location: string | undefined
  readonly json: boolean
}

/** Of a cluster's location, into `dir`. */
export interface BackupCommand {
  readonly name: 'backup'
  readonly cluster: ClusterOptions
  readonly dir: string
  readonly json: boolean
}

/** Of a cluster, to another engine. */
export interface MigrateCommand {
  readonly name: 'migrate'
  readonly cluster: ClusterOptions
  /** Undefined: where the one goes that is under way. */
  readonly to: RedisTarget | undefined
  /** Records a second at most. */
  readonly rate: number | undefined
  readonly isAbort: boolean
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

/** What joins and leaves would move. */
export interface PlanCommand {
  readonly name: 'plan'
  readonly cluster: ClusterOptions
  readonly join: Joining
  readonly leave: readonly NodeId[]
  readonly json: boolean
}

export interface JoinCommand {
  readonly name: 'join'
  readonly cluster: ClusterOptions
  readonly join: Joining
  readonly role: 'member' | 'standby'
  /** Folder of the backup that they are made of. */
  readonly from: string | undefined
  readonly json: boolean
}

export interface LeaveCommand {
  readonly name: 'leave'
  readonly cluster: ClusterOptions
  readonly nodes: readonly NodeId[]
  readonly json: boolean
}

export interface TopCommand {
  readonly name: 'top'
  readonly cluster: ClusterOptions
  readonly intervalMs: number
  /** Intervals; undefined: until it is ended. */
  readonly count: number | undefined
  readonly json: boolean
}

export interface BenchCommand {
  readonly name: 'bench'
  /** Of a temporary cluster. */
  readonly cluster: ClusterOptions
  /** Of a running one. */
  readonly location: string | undefined
  readonly seconds: number
  readonly concurrency: number
  readonly keys: number
  readonly valueBytes: number
  readonly json: boolean
}

export interface CompletionCommand {
  readonly name: 'completion'
  /** `nodes`: the ids of a running cluster's. */
  readonly shell: 'bash' | 'zsh' | 'fish' | 'nodes'
  readonly location: string
}

/** How many. `ids`: which ids they are expected to get. */
export interface Joining {
  readonly count: number
  readonly ids?: readonly NodeId[]
}

export type OneShotCommand =
  | {
      readonly name: 'get'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly key: string
      readonly json: boolean
      readonly call: GetOptions
    }
  | {
      readonly name: 'put'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly key: string
      /** `-`: standard input. */
      readonly value: string
      readonly json: boolean
      readonly call: PutOptions
    }
  | {
      readonly name: 'del'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly key: string
      readonly json: boolean
      readonly call: PutOptions
    }
  | {
      readonly name: 'scan'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly prefix: string
      readonly limit: number | undefined
      readonly reverse: boolean
      readonly json: boolean
      readonly call: { readonly r?: number }
    }
  | {
      readonly name: 'locate'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly key: string
      readonly json: boolean
    }
  | {
      readonly name: 'status'
      readonly cluster: ClusterOptions
      readonly redis?: RedisTarget
      readonly json: boolean
    }
  | {
      readonly name: 'crash'
      readonly cluster: ClusterOptions
      readonly node: NodeId
      readonly permanent: boolean
      readonly json: boolean
    }
  | {
      readonly name: 'hang'
      readonly cluster: ClusterOptions
      readonly node: NodeId
      readonly ms: number
      readonly json: boolean
    }

/** What was asked for, checked. */
export type Command =
  | { readonly name: 'help'; readonly topic?: CommandName }
  | { readonly name: 'version' }
  | StartCommand
  | LoadCommand
  | ImportCommand
  | ExportCommand
  | DemoCommand
  | BackupCommand
  | MigrateCommand
  | RestoreCommand
  | VerifyCommand
  | SimCommand
  | PlanCommand
  | JoinCommand
  | LeaveCommand
  | TopCommand
  | BenchCommand
  | CompletionCommand
  | OneShotCommand
