/** What a migration takes and gives, and the target as text. Touches nothing. */

import type { BulkProgress } from './backup-shapes.js'
import { CoterieError } from './errors.js'
import { checkNames, invalid } from './options.js'

/** The store that a cluster moves to, in a Redis or Valkey Cluster: as `openCluster` takes it, without the numbers, which stay. */
export interface MigrationTo {
  /** Of the store. */
  readonly engine: 'redis-cluster'
  /** Some of its nodes, as `redis://[user:password@]host:port`; `rediss://` with TLS. */
  readonly seeds: readonly string[]
  /** Of all nodes; default that of the first seed. */
  readonly username?: string
  /** Of all nodes; default that of the first seed. */
  readonly password?: string
  /** As the engine has it. */
  readonly tls?: {
    readonly ca?: string | readonly string[]
    readonly cert?: string
    readonly key?: string
    readonly serverName?: string
  }
  /** What all keys begin with there. Nothing may be there of that name. Default `'coterie'`. */
  readonly name?: string
  /** As the engine has it. */
  readonly replication?: { readonly n?: number; readonly r?: number; readonly w?: number }
}

/**
 * `dual-write`: from now on every write goes to both. `backfill`: what was there before is copied. `verify`: every record is compared.
 * `cutover`: the target has the say, and is made a store like any other. `done`: it is one. `aborted`: there is no migration any more.
 */
export type MigrationStage = 'dual-write' | 'backfill' | 'verify' | 'cutover' | 'done' | 'aborted'

/** How far a migration is. */
export interface MigrationProgress extends BulkProgress {
  /** That runs; `phase` is the same for people, with the pass. */
  readonly stage: MigrationStage
  /** Records a second, of the last seconds. */
  readonly perSecond: number
}

/** Options of `migrate`. */
export interface MigrateOptions {
  /** Where to, also as text: `redis-cluster://host:port,host:port?name=…`. Of one that is under way it need not be said again. */
  readonly to?: MigrationTo | string
  /**
   * Called a few times a second. What it throws, or rejects with, rejects this call of `migrate`; the migration goes on, and another
   * call waits for it.
   */
  readonly onProgress?: (progress: MigrationProgress) => void
  /** Of the backfill and the verification at most; default as fast as those who call allow, to whom both yield. */
  readonly recordsPerSecond?: number
  /** How long the target may be away, or take no writes, before the migration pauses, in milliseconds (default 10,000; 100 … 600,000). */
  readonly pauseAfterMs?: number
}

/** A migration that is done. */
export interface MigrationSummary {
  /** Without the login. */
  readonly to: string
  /** That the backfill has copied, in all its lives. */
  readonly copied: number
  /** That were compared in the last pass of the verification, which found no difference. */
  readonly verified: number
  /** Passes of the verification in this life. */
  readonly passes: number
  /** What earlier passes found different, and put right. */
  readonly mended: number
  /** For so long writes were held at the cutover. Reads were not. */
  readonly heldMs: number
  /** From the first call on. */
  readonly tookMs: number
  /** Records a second: of the backfill, and of the last pass. */
  readonly perSecond: { readonly backfill: number; readonly verify: number }
}

/** A migration in `status()`. */
export interface MigrationStatus {
  /** The newest that is on the disk. */
  readonly stage: MigrationStage
  /** Without the login. */
  readonly to: string
  /** Writes go to this cluster alone until `migrate` is called again. */
  readonly paused: boolean
  /** ISO 8601. */
  readonly startedAt: string
  /** Of the stage that it is in. */
  readonly records: number
  /** 0 … 1, more or less, of that stage. */
  readonly share: number
}

const ALLOWED = 'redis-cluster://[user:password@]host:port[,host:port…][?name=…&tls=true&n=…&r=…&w=…]'
const PARAMETERS = ['name', 'tls', 'n', 'r', 'w']

/** Errors: INVALID_OPTION. What the engine takes is its own to check. */
export function migrationToOf(to: unknown): MigrationTo {
  if (typeof to === 'string') return migrationToOfUrl(to)
  if (typeof to !== 'object' || to === null) throw invalid('to', to, ALLOWED)
  checkNames(to, ['engine', 'seeds', 'username', 'password', 'tls', 'name', 'replication'])
  const { engine } = to as MigrationTo
  if (engine !== 'redis-cluster') throw invalid('to.engine', engine, "'redis-cluster'")
  return to as MigrationTo
}

/** Without the login. */
export function textOfMigrationTo({ seeds, name = 'coterie' }: MigrationTo): string {
  const hosts = seeds.map((seed) => (URL.canParse(seed) ? new URL(seed).host : seed))
  return `redis-cluster://${hosts.join(',')}?name=${encodeURIComponent(name)}`
}

/** Also without certificates and keys; that it is encrypted stays. */
export function withoutLogin({ username: _, password: __, tls, ...to }: MigrationTo): MigrationTo {
  const seeds = to.seeds.map((seed) => {
    const url = new URL(tls === undefined ? seed : seed.replace(/^redis:/, 'rediss:'))
    url.username = ''
    url.password = ''
    return url.href
  })
  return { ...to, seeds }
}

/** Of what may be, or hold, a URL with a password, for an error that says what is wrong with it. */
export function shownWithoutLogin(value: unknown): string {
  if (typeof value !== 'string') return Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`
  // A password may hold whatever a URL may not.
  return value.replace(/^([a-z-]*:\/\/)?.*@/s, '$1…@')
}

/** For whoever opens it from now on. */
export function movedError(location: string, to: MigrationTo): CoterieError {
  const { seeds, name = 'coterie' } = withoutLogin(to)
  const options = `{ engine: 'redis-cluster', seeds: [${seeds.map((seed) => `'${seed}'`).join(', ')}], name: '${name}' }`
  const message = `the cluster of ${location} has moved; open it with openCluster(${options})`
  return new CoterieError('MIGRATED', message, { location, to: textOfMigrationTo(to), seeds, name })
}

function migrationToOfUrl(text: string): MigrationTo {
  const shown = shownWithoutLogin(text)
  const found = /^redis-cluster:\/\/(?:([^@/?]*)@)?([^/?]+)\/?(?:\?(.*))?$/.exec(text)
  if (found === null) throw invalid('to', shown, ALLOWED)
  const [, login, hosts = '', query = ''] = found
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys())
    if (!PARAMETERS.includes(name)) throw invalid('to', `with the unknown parameter ${name}`, ALLOWED)
  const scheme = parameters.get('tls') === 'true' ? 'rediss' : 'redis'
  const seeds = hosts.split(',').map((host) => `${scheme}://${login === undefined ? '' : `${login}@`}${host}`)
  for (const seed of seeds) if (!URL.canParse(seed)) throw invalid('to', shown, ALLOWED)
  const numbers = ['n', 'r', 'w'].flatMap((name) => {
    const value = parameters.get(name)
    return value === null ? [] : [[name, Number(value)] as const]
  })
  const name = parameters.get('name')
  return {
    engine: 'redis-cluster',
    seeds,
    ...(name === null ? {} : { name }),
    ...(numbers.length === 0 ? {} : { replication: Object.fromEntries(numbers) }),
  }
}
