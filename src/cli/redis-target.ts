/**
 * A store in a Redis or Valkey Cluster, as a command is told of it: a URL, and files with what TLS needs. The password comes from the
 * environment: the arguments of a command are seen by every user of the machine, and kept by shells.
 *
 * Called by `access.ts` for commands that work on such a store, and by `coterie migrate`, which hands it to the cluster that moves.
 */

import { readFile } from 'node:fs/promises'
import { type MigrationTo, migrationToOf, textOfMigrationTo } from '../shared/migration-shapes.js'
import type { ClusterOptions } from '../shared/options.js'

const PASSWORD_VARIABLE = 'COTERIE_REDIS_PASSWORD'

export interface RedisTarget {
  readonly url: string
  /** PEM; any of these says that connections are encrypted. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly serverName?: string
}

/** With its login. Errors: INVALID_OPTION, those of fs. */
export async function readRedisTarget(target: RedisTarget): Promise<MigrationTo> {
  const to = migrationToOf(target.url)
  const password = process.env[PASSWORD_VARIABLE]
  const isSaid = to.seeds.some((seed) => new URL(seed).password !== '')
  const tls = await readTls(target)
  return {
    ...to,
    ...(password === undefined || isSaid ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** For people: the folder, or the store without its login. */
export function whereOf({
  cluster,
  redis,
}: {
  readonly cluster: ClusterOptions
  readonly redis?: RedisTarget
}): string {
  return redis === undefined ? cluster.location : textOfMigrationTo(migrationToOf(redis.url))
}

async function readTls({ caFile, certFile, keyFile, serverName }: RedisTarget): Promise<MigrationTo['tls']> {
  const files = { ca: caFile, cert: certFile, key: keyFile }
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (given.length === 0 && serverName === undefined) return undefined
  const texts = await Promise.all(given.map(async ([name, file]) => [name, await readFile(file, 'utf8')] as const))
  return { ...Object.fromEntries(texts), ...(serverName === undefined ? {} : { serverName }) }
}
