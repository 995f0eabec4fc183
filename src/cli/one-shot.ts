/** The commands that ask a cluster for one thing, wherever it is open. */

import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { accessCluster, type ClusterAccess, runningCluster } from './access.js'
import type { OneShotCommand } from './commands.js'
import { jsonOfBytes } from './control/json-bytes.js'
import { EXIT } from './exit-codes.js'
import { bytesText, duration } from './terminal/format.js'
import { longStatus } from './terminal/live-status.js'
import { prefixRange } from './terminal/prefix-range.js'
import { stylerFor } from './terminal/style.js'

export async function oneShotCommand(command: OneShotCommand): Promise<number> {
  const isFault = command.name === 'crash' || command.name === 'hang'
  const cluster = isFault
    ? await runningCluster(command.cluster.location)
    : await accessCluster(command.cluster, { mayCreate: command.name === 'put', redis: command.redis })
  try {
    return await run(cluster, command)
  } finally {
    await cluster.close()
  }
}

async function run(cluster: ClusterAccess, command: OneShotCommand): Promise<number> {
  switch (command.name) {
    case 'get': {
      const value = await cluster.get(command.key, command.call)
      if (command.json)
        say(command.json, { key: command.key, found: value !== undefined, value: value && jsonOfBytes(value) })
      else if (value === undefined) process.stderr.write('coterie: not found\n')
      else await written(process.stdout.isTTY ? Buffer.concat([value, Buffer.from('\n')]) : value)
      return value === undefined ? EXIT.notFound : EXIT.done
    }
    case 'put':
      await cluster.put(command.key, command.value === '-' ? await buffer(process.stdin) : command.value, command.call)
      if (command.json) say(true, { key: command.key, put: true })
      return EXIT.done
    case 'del':
      await cluster.delete(command.key, command.call)
      if (command.json) say(true, { key: command.key, deleted: true })
      return EXIT.done
    case 'scan':
      return scan(cluster, command)
    case 'locate': {
      const { slot, partition, owners } = await cluster.locate(command.key)
      say(command.json, { key: command.key, slot, partition, owners }, [
        `slot ${slot}, partition ${partition}, owners ${owners.join(', ')}`,
      ])
      return EXIT.done
    }
    case 'status': {
      const [status, ring] = await Promise.all([cluster.status(), cluster.ring()])
      // Into a file or a pipe: as for a terminal of the usual width, but nothing is cut off.
      const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY
      say(command.json, { ...status, ring }, longStatus(status, ring, { columns, style: stylerFor(process.stdout) }))
      return EXIT.done
    }
    case 'crash':
      await cluster.crash(command.node, command.permanent)
      say(command.json, { node: command.node, crashed: true }, [
        command.permanent
          ? `${command.node} is gone for good; its partitions go to the others`
          : `${command.node} has crashed; its supervisor brings it back`,
      ])
      return EXIT.done
    case 'hang':
      await cluster.hang(command.node, command.ms)
      say(command.json, { node: command.node, hangsMs: command.ms }, [
        `${command.node} hangs for ${duration(command.ms)}; past hungAfterMs it is terminated and restarted`,
      ])
      return EXIT.done
    default:
      return command satisfies never
  }
}

/** One JSON value, or lines for people. */
function say(json: boolean, value: unknown, lines: readonly string[] = []): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`)
}

/** Stops where the reader stopped reading (`| head`). */
async function scan(cluster: ClusterAccess, command: OneShotCommand & { name: 'scan' }): Promise<number> {
  const { prefix, limit, reverse, json, call } = command
  const range = { ...prefixRange(prefix), ...(limit === undefined ? {} : { limit }), reverse, ...call }
  for await (const [key, value] of cluster.scan(range)) {
    const line = json
      ? JSON.stringify({ key: jsonOfBytes(key), value: jsonOfBytes(value) })
      : `${bytesText(key)}\t${bytesText(value)}`
    if (!(await written(`${line}\n`))) break
  }
  return EXIT.done
}

/** False once nobody reads any more. */
async function written(text: string | Uint8Array): Promise<boolean> {
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
