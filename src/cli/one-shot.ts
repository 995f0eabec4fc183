/** The commands that open the folder, do one thing and close it again. */

import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { openCluster } from '../index.js'
import type { Cluster } from '../shared/api.js'
import type { OneShotCommand } from './args.js'
import { bytesText } from './terminal/format.js'
import { longStatus } from './terminal/live-status.js'
import { prefixRange } from './terminal/prefix-range.js'
import { stylerFor } from './terminal/style.js'

const NOT_FOUND = 1

export async function oneShotCommand(command: OneShotCommand): Promise<number> {
  const { location } = command.cluster
  if (command.name !== 'put' && !(await isThereCluster(location))) return 1
  const cluster = await openCluster(command.cluster)
  try {
    return await run(cluster, command)
  } finally {
    await cluster.close()
  }
}

/** A command that only looks must not leave a new cluster behind where the folder was misspelt. Says so if there is none. */
export async function isThereCluster(location: string): Promise<boolean> {
  if (await hasFiles(location)) return true
  process.stderr.write(
    `coterie: there is no cluster in ${location}; \`coterie start\` makes one, --location names another\n`,
  )
  return false
}

async function hasFiles(location: string): Promise<boolean> {
  try {
    return (await readdir(location)).length > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function run(cluster: Cluster, command: OneShotCommand): Promise<number> {
  switch (command.name) {
    case 'get': {
      const value = await cluster.get(command.key, command.call)
      if (value === undefined) {
        process.stderr.write('coterie: not found\n')
        return NOT_FOUND
      }
      process.stdout.write(value)
      if (process.stdout.isTTY) process.stdout.write('\n')
      return 0
    }
    case 'put':
      await cluster.put(command.key, command.value === '-' ? await buffer(process.stdin) : command.value, command.call)
      return 0
    case 'del':
      await cluster.delete(command.key, command.call)
      return 0
    case 'scan':
      return scan(cluster, command)
    case 'locate': {
      const { slot, partition, owners } = cluster.locate(command.key)
      process.stdout.write(`slot ${slot}, partition ${partition}, owners ${owners.join(', ')}\n`)
      return 0
    }
    case 'status': {
      const status = cluster.status()
      const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
      const lines = command.json ? [JSON.stringify(status)] : longStatus(status, width, stylerFor(process.stdout))
      process.stdout.write(`${lines.join('\n')}\n`)
      return 0
    }
    default:
      return command satisfies never
  }
}

/** Stops where the reader stopped reading (`| head`). */
async function scan(cluster: Cluster, command: OneShotCommand & { name: 'scan' }): Promise<number> {
  const { prefix, limit, reverse, json, call } = command
  const range = { ...prefixRange(prefix), ...(limit === undefined ? {} : { limit }), reverse, ...call }
  for await (const [key, value] of cluster.scan(range)) {
    const line = json ? jsonPair(key, value) : `${bytesText(key)}\t${bytesText(value)}`
    if (!(await written(`${line}\n`))) break
  }
  return 0
}

/** False once nobody reads any more. */
async function written(text: string): Promise<boolean> {
  if (!process.stdout.writable) return false
  if (process.stdout.write(text)) return true
  try {
    await once(process.stdout, 'drain')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false
    throw error
  }
}

function jsonPair(key: Uint8Array, value: Uint8Array): string {
  return JSON.stringify({ key: jsonBytes(key), value: jsonBytes(value) })
}

/** Text as a string; what is not UTF-8 as `{ base64 }`, so that nothing is lost. */
function jsonBytes(bytes: Uint8Array): string | { base64: string } {
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : { base64: Buffer.from(bytes).toString('base64') }
}
