/** What `openCluster({ engine: 'redis-cluster' })` takes: types, defaults, validation. Whatever only the embedded engine can do is refused. */

import { createSecureContext } from 'node:tls'
import { CoterieError } from '../../shared/errors.js'
import { shownWithoutLogin } from '../../shared/migration-shapes.js'
import { NUMBER_OPTIONS } from '../../shared/number-options.js'
import { checkNames, checkWhole, invalid } from '../../shared/options.js'

/** Numbers that mean the same to both engines. */
const NUMBERS = [
  'partitions',
  'readTimeoutMs',
  'writeTimeoutMs',
  'openTimeoutMs',
  'closeTimeoutMs',
  'valueBytesMax',
  'requestsInFlightMax',
  'bytesInFlightMax',
] as const
type NumberName = (typeof NUMBERS)[number]

const OTHERS = ['engine', 'seeds', 'username', 'password', 'tls', 'name', 'conflict', 'replication']

/** Copies of a slot at most: a master and its replicas. */
const COPIES_MAX = 16
const NAME_CHARS_MAX = 100

/** Options of `openCluster` for a Redis or Valkey Cluster. Its nodes are processes of their own, which somebody else runs. */
export interface RedisClusterOptions extends Partial<Record<NumberName, number>> {
  /** Whose nodes: those of a Redis Cluster. */
  readonly engine: 'redis-cluster'
  /** Some nodes, as URLs: `redis://[user:password@]host:port`, `rediss://` with TLS. One that answers is enough; the login is for all. */
  readonly seeds: readonly string[]
  /** Of all nodes; default that of the first seed. */
  readonly username?: string
  /** Of all nodes; default that of the first seed. */
  readonly password?: string
  /** All connections are encrypted, as with `rediss://`; `{}`: nothing of it differs from what Node.js does. */
  readonly tls?: RedisTls
  /** What all keys of this store begin with: several share a Redis Cluster under different names. No braces. Default `'coterie'`. */
  readonly name?: string
  /** `'lww'`: there are no siblings in Redis. */
  readonly conflict?: 'lww'
  /** n: copies of a slot, default what the cluster shows at the opening; r, w: default a majority of n. */
  readonly replication?: { readonly n?: number; readonly r?: number; readonly w?: number }
}

/** How connections are encrypted; certificates and keys as PEM text. */
export interface RedisTls {
  /** Who may have signed the nodes' certificates; default whom Node.js trusts. */
  readonly ca?: string | readonly string[]
  /** Shown to nodes that ask for one (`tls-auth-clients`). */
  readonly cert?: string
  /** That of `cert`. */
  readonly key?: string
  /** The name that the nodes' certificates are for, where it is not their address. */
  readonly serverName?: string
}

/** A node to begin with, or one of a topology. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** What each connection is made with, besides the address. */
export interface RedisLogin {
  readonly username?: string
  readonly password?: string
  /** Undefined: not encrypted. */
  readonly tls?: RedisTls
}

/** After validation; r and w follow once n is known. */
export interface RedisClusterConfig extends Readonly<Record<NumberName, number>> {
  readonly seeds: readonly RedisAddress[]
  readonly login: RedisLogin
  readonly name: string
  readonly n: number | undefined
  readonly r: number | undefined
  readonly w: number | undefined
  /** True where the caller said how many. */
  readonly saidPartitions: boolean
}

/** Those that there are. */
const REDIS_CLUSTER_OPTIONS: ReadonlySet<string> = new Set([...NUMBERS, ...OTHERS])

/** Errors: INVALID_OPTION. */
export function validateRedisOptions(options: RedisClusterOptions): RedisClusterConfig {
  for (const [name, value] of Object.entries(options)) {
    if (!REDIS_CLUSTER_OPTIONS.has(name) && value !== undefined)
      throw invalid(
        name,
        "not an option of the engine 'redis-cluster'",
        `one of ${[...REDIS_CLUSTER_OPTIONS].sort().join(', ')}`,
      )
  }
  if (options.conflict !== undefined && options.conflict !== 'lww')
    throw invalid('conflict', options.conflict, "'lww': the engine 'redis-cluster' keeps one value a key")
  const numbers = {} as Record<NumberName, number>
  for (const name of NUMBERS) {
    const { byDefault, min, max } = NUMBER_OPTIONS[name]
    numbers[name] = options[name] === undefined ? byDefault : checkWhole(name, options[name], min, max)
  }
  if ((numbers.partitions & (numbers.partitions - 1)) !== 0)
    throw invalid('partitions', numbers.partitions, 'a power of two from 16 to 16384')
  return {
    ...numbers,
    ...seedsOf(options),
    ...replicationOf(options.replication ?? {}),
    name: nameOf(options.name ?? 'coterie'),
    saidPartitions: options.partitions !== undefined,
  }
}

/** r and w once it is known how many copies there are. Errors: INVALID_OPTION. */
export function quorumsOf({ n, r, w }: Pick<RedisClusterConfig, 'n' | 'r' | 'w'>, copies: number) {
  const all = n ?? copies
  const majority = Math.floor(all / 2) + 1
  return {
    n: all,
    r: r === undefined ? majority : checkWhole('replication.r', r, 1, all),
    w: w === undefined ? majority : checkWhole('replication.w', w, 1, all),
  }
}

function seedsOf({ seeds, username, password, tls }: RedisClusterOptions): Pick<RedisClusterConfig, 'seeds' | 'login'> {
  const allowed = "URLs of nodes, as in ['redis://127.0.0.1:7000']"
  if (!Array.isArray(seeds) || seeds.length === 0) throw invalid('seeds', shownWithoutLogin(seeds), allowed)
  const urls = seeds.map((seed) => {
    const url = typeof seed === 'string' && URL.canParse(seed) ? new URL(seed) : undefined
    if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
      throw invalid('seeds[]', shownWithoutLogin(seed), allowed)
    return url
  })
  const [first] = urls as [URL]
  if (urls.some(({ protocol }) => protocol !== first.protocol))
    throw invalid('seeds', 'some with TLS and some without', 'either redis:// or rediss:// for all')
  const login = {
    username: textOf('username', username) ?? decodeURIComponent(first.username),
    password: textOf('password', password) ?? decodeURIComponent(first.password),
    tls: tls === undefined && first.protocol === 'redis:' ? undefined : tlsOf(tls ?? {}),
  }
  return {
    seeds: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 6379 : Number(port),
    })),
    // What is empty or not there is not said.
    login: Object.fromEntries(Object.entries(login).filter(([, value]) => value !== '' && value !== undefined)),
  }
}

/** What it is stays unsaid: it may be secret. */
function textOf(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw invalid(name, `a ${typeof value}`, 'a text')
  return value
}

function tlsOf(tls: RedisTls): RedisTls {
  if (typeof tls !== 'object' || tls === null) throw invalid('tls', tls, 'an object { ca, cert, key, serverName }')
  checkNames(tls, ['ca', 'cert', 'key', 'serverName'])
  const { ca, cert, key, serverName } = tls
  for (const one of Array.isArray(ca) ? ca : [ca]) textOf('tls.ca', one)
  textOf('tls.serverName', serverName)
  if ((textOf('tls.cert', cert) === undefined) !== (textOf('tls.key', key) === undefined))
    throw invalid('tls', 'a certificate without its key, or a key alone', 'both `cert` and `key`, or neither')
  try {
    createSecureContext(secretsOf(tls))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : ''
    throw new CoterieError('INVALID_OPTION', `\`tls\` cannot be used: ${why}`, { option: 'tls' }, { cause })
  }
  return tls
}

/** As Node.js takes them. */
export function secretsOf({ ca, cert, key }: RedisTls) {
  return {
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

function replicationOf(replication: NonNullable<RedisClusterOptions['replication']>) {
  if (typeof replication !== 'object' || replication === null)
    throw invalid('replication', replication, 'an object { n, r, w }')
  for (const name of Object.keys(replication))
    if (!['n', 'r', 'w'].includes(name)) throw invalid(`replication.${name}`, 'an unknown option', 'n, r, w')
  const { n, r, w } = replication
  if (n !== undefined) checkWhole('replication.n', n, 1, COPIES_MAX)
  if (r !== undefined) checkWhole('replication.r', r, 1, n ?? COPIES_MAX)
  if (w !== undefined) checkWhole('replication.w', w, 1, n ?? COPIES_MAX)
  return { n, r, w }
}

function nameOf(name: unknown): string {
  const isName = typeof name === 'string' && name.length > 0 && name.length <= NAME_CHARS_MAX && !/[{}]/.test(name)
  if (!isName) throw invalid('name', name, `a text of 1 to ${NAME_CHARS_MAX} chars without braces`)
  return name
}

/** For calls that the engine has not. */
export function notSupported(what: string, instead: string): CoterieError {
  return new CoterieError('NOT_SUPPORTED', `the engine 'redis-cluster' has no ${what}: ${instead}`, { what })
}
