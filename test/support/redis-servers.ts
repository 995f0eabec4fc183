/**
 * A real Redis Cluster on loopback: processes of Debian's redis-server on free ports, in a folder of the test's own, ended by their
 * process ids. Where there is none of it, a test says loudly that it has not run; under `.ci/run`, which installs it, that is a failure.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval as ticks } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import type { TestContext } from './cluster.js'

const LOOK_MS = 20
const READY_MS = 30_000
/** Of the shortest failover that Redis can make; FACTS has what others cost. */
const NODE_TIMEOUT_MS = 1_000

/** `COTERIE_REDIS_SERVER`: another program than Debian's, as a Valkey. */
const PROGRAM = process.env['COTERIE_REDIS_SERVER'] ?? 'redis-server'

const isThere = spawnSync(PROGRAM, ['--version']).status === 0

/** For `test(name, options)`: skipped, with the reason, where there is no Redis and none is demanded. */
export const NEEDS_REDIS =
  isThere || process.env['COTERIE_CI'] === '1'
    ? {}
    : { skip: 'there is no redis-server here (apt-get install redis-server)' }

/** What each process has in common besides: options of redis-server, and how the test itself gets in. */
export interface Guard {
  readonly config: readonly string[]
  readonly entry: Pick<RedisOptions, 'username' | 'password' | 'tls'>
}

export class RedisServers {
  readonly #processes: ChildProcess[] = []
  readonly ports: readonly number[]
  readonly #folder: string

  readonly #guard: Guard | undefined

  private constructor(folder: string, ports: readonly number[], guard: Guard | undefined) {
    this.#folder = folder
    this.ports = ports
    this.#guard = guard
  }

  /** Three masters and three replicas, until the end. */
  static async start(
    atEnd: TestContext['teardown'],
    { count = 6, guard }: { readonly count?: number; readonly guard?: Guard } = {},
  ): Promise<RedisServers> {
    const folder = await mkdtemp(join(tmpdir(), 'coterie-redis-'))
    atEnd(() => rm(folder, { recursive: true, force: true }))
    const ports = await freePorts(2 * count)
    const servers = new RedisServers(folder, ports.slice(0, count), guard)
    atEnd(() => servers.#end())
    await Promise.all(servers.ports.map((_, index) => servers.launch(index, ports[count + index])))
    await servers.#join(ports.slice(count))
    return servers
  }

  get seeds(): string[] {
    return this.ports.map((port) => `redis://127.0.0.1:${port}`)
  }

  indexOf(nodeId: string): number {
    return this.ports.findIndex((port) => nodeId === `127.0.0.1:${port}`)
  }

  /** Also again, after its end: it finds its files. */
  async launch(index: number, busPort?: number): Promise<void> {
    const port = String(this.ports[index])
    const dir = join(this.#folder, port)
    await mkdir(dir, { recursive: true })
    const listens = this.#guard?.entry.tls === undefined ? ['--port', port] : ['--port', '0', '--tls-port', port]
    const args = [...listens, '--dir', dir, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    // A master waits five seconds for more replicas before it begins to copy, unless it is told not to.
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)]
    const copying = ['--repl-diskless-sync-delay', '0']
    const bus = busPort === undefined ? this.#busArgs[index] : ['--cluster-port', String(busPort)]
    this.#busArgs[index] = bus ?? []
    const guard = this.#guard?.config ?? []
    this.#processes[index] = spawn(PROGRAM, [...args, ...cluster, ...copying, ...(bus ?? []), ...guard], {
      stdio: 'ignore',
    })
    await this.#until(async () => {
      if (!this.#isAlive(index)) throw new Error(`${PROGRAM} has ended: ${args.join(' ')} …`)
      return (await this.ask(index, 'PING')) === 'PONG'
    })
  }

  readonly #busArgs: (readonly string[])[] = []

  /** At once, as a machine that is switched off. */
  async kill(index: number): Promise<void> {
    const child = this.#processes[index]
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    // One that was stopped takes note, too.
    child.kill('SIGKILL')
    await exit
  }

  /** It stands still, its connections open. */
  stop(index: number): void {
    this.#processes[index]?.kill('SIGSTOP')
  }

  continue(index: number): void {
    this.#processes[index]?.kill('SIGCONT')
  }

  /** One command to one process. */
  async ask(index: number, command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis({
      port: this.ports[index] as number,
      host: '127.0.0.1',
      lazyConnect: true,
      retryStrategy: null,
      ...this.#guard?.entry,
    })
    redis.on('error', () => undefined)
    try {
      await redis.connect()
      return await redis.call(command, ...args)
    } catch (error) {
      return error
    } finally {
      redis.disconnect()
    }
  }

  /** Resolves once every process that lives says that the cluster is whole. */
  whole(): Promise<void> {
    return this.#until(async () => {
      const living = this.ports.map((_, index) => index).filter((index) => this.#isAlive(index))
      const infos = await Promise.all(living.map((index) => this.ask(index, 'CLUSTER', 'INFO')))
      return infos.every((info) => String(info).includes('cluster_state:ok'))
    })
  }

  #isAlive(index: number): boolean {
    const child = this.#processes[index]
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** The first half are masters, each with a share of the slots; the others copy one each. */
  async #join(busPorts: readonly number[]): Promise<void> {
    const masters = Math.ceil(this.ports.length / 2)
    for (const [index, port] of this.ports.entries())
      if (index > 0) await this.ask(0, 'CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index] as number)
    for (let master = 0; master < masters; master++) {
      const [from, to] = [master, master + 1].map((share) => Math.ceil((16_384 * share) / masters))
      await this.ask(master, 'CLUSTER', 'ADDSLOTSRANGE', from as number, (to as number) - 1)
    }
    await this.whole()
    for (let replica = masters; replica < this.ports.length; replica++) {
      const master = String(await this.ask(replica - masters, 'CLUSTER', 'MYID'))
      await this.#until(async () => (await this.ask(replica, 'CLUSTER', 'REPLICATE', master)) === 'OK')
    }
    await this.#until(async () => {
      const roles = await Promise.all(this.ports.map((_, index) => this.ask(index, 'INFO', 'replication')))
      const copied = roles.filter((role) => String(role).includes('master_link_status:up')).length
      const nodes = await Promise.all(this.ports.map((_, index) => this.ask(index, 'CLUSTER', 'NODES')))
      const known = nodes.every(
        (text) =>
          String(text).split(' slave ').length - 1 + String(text).split(',slave ').length - 1 ===
          this.ports.length - masters,
      )
      return copied === this.ports.length - masters && known
    })
    await this.whole()
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + READY_MS
    for await (const _ of ticks(LOOK_MS)) {
      if (await isSo()) return
      if (performance.now() > endMs) throw new Error('Redis did not come to be as the test wants it')
    }
  }

  async #end(): Promise<void> {
    await Promise.all(this.ports.map((_, index) => this.kill(index)))
  }
}

/** All held at once, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => holdPort()))
  const ports = held.map((server) => (server.address() as { port: number }).port)
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function holdPort(): Promise<Server> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}
