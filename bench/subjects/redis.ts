/** One Redis server through ioredis: as it is, and with auto-pipelining, which sends what a turn has gathered at once. */

import { Redis } from 'ioredis'
import { startRedis } from './redis-process.js'
import { loadRedis, redisSubject } from './redis-subject.js'
import type { Host, HostInput } from './subject.js'

/**
 * Starts a server. In memory alone, unless `fsync`: then each write is in a file that is synced before it is acknowledged.
 *
 * Errors: PeerMissing.
 */
export async function openRedis({ folder, data }: HostInput, { fsync = false } = {}): Promise<Host> {
  const log: Record<string, string> = fsync ? { appendonly: 'yes', appendfsync: 'always' } : { appendonly: 'no' }
  const server = await startRedis(folder, { save: '', ...log })
  const client = (enableAutoPipelining: boolean) => new Redis({ port: server.port, enableAutoPipelining })
  const [plain, pipelined] = [client(false), client(true)]
  const name = fsync ? 'Redis appendfsync always' : 'Redis'
  return {
    subjects: [
      redisSubject(plain, data, { name, isOneServer: true }),
      redisSubject(pipelined, data, { name: `${name}, auto-pipelined`, isOneServer: true }),
    ],
    load: () => loadRedis(pipelined, data, true),
    close: async () => {
      plain.disconnect()
      pipelined.disconnect()
      await server.end()
    },
  }
}
