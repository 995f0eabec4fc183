/** Redis servers of this machine: found, started on free loopback ports in folders of their own, ended by their process ids. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { PeerMissing } from './subject.js'

const LOOPBACK = '127.0.0.1'
/** How long a server may take to answer its first PING. */
const START_TIMEOUT_MS = 10_000
const LOOK_MS = 20

/** A server that runs. */
export interface RedisProcess {
  readonly port: number
  readonly busPort: number
  readonly process: ChildProcess
  /** A connection for administration. */
  readonly admin: Redis
  end(signal?: NodeJS.Signals): Promise<void>
}

/** Its configuration: as redis.conf has it, by name. */
export type RedisConfiguration = Readonly<Record<string, string>>

/**
 * Starts a server; resolves once it answers.
 *
 * Errors: PeerMissing if there is no `redis-server`.
 */
export async function startRedis(folder: string, configuration: RedisConfiguration): Promise<RedisProcess> {
  const [port, busPort] = [await freePort(), await freePort()]
  await mkdir(folder, { recursive: true })
  const settings = { port: String(port), bind: LOOPBACK, dir: folder, loglevel: 'warning', ...configuration }
  const bus = 'cluster-enabled' in configuration ? ['--cluster-port', String(busPort)] : []
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn('redis-server', [...options, ...bus], { stdio: 'ignore' })
  await spawned(child)
  const endAtExit = () => child.kill('SIGKILL')
  process.prependOnceListener('exit', endAtExit)
  const admin = new Redis({ port, host: LOOPBACK, maxRetriesPerRequest: null, retryStrategy: () => LOOK_MS })
  // Connections are refused until it listens, and again once it was killed: both are expected here.
  admin.on('error', () => undefined)
  await answered(admin, child)
  return {
    port,
    busPort,
    process: child,
    admin,
    end: async (signal = 'SIGTERM') => {
      admin.disconnect()
      process.off('exit', endAtExit)
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    },
  }
}

/** Of the server that is installed; undefined if there is none. */
export function redisVersion(): string | undefined {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(stdout ?? '')?.[1]
}

async function spawned(child: ChildProcess): Promise<void> {
  try {
    await once(child, 'spawn')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new PeerMissing('redis-server is not installed')
    throw error
  }
}

async function answered(admin: Redis, child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit').then(() => {
    throw new Error('redis-server ended before it answered')
  })
  const timeout = once(AbortSignal.timeout(START_TIMEOUT_MS), 'abort').then(() => {
    throw new Error(`redis-server did not answer within ${START_TIMEOUT_MS} ms`)
  })
  await Promise.race([admin.ping(), exit, timeout])
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
