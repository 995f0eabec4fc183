/**
 * How an open cluster grows and shrinks, seen from the program: plans, joins, leaves. What is asked for is noted in the cluster's
 * metadata and carried out by the supervisor, whoever waits for it: it goes on after a crash of the process.
 *
 * Called by `OpenCluster`.
 */

import { readdir, stat } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { NodeSeeds } from '../../actors/runtime/member-changes.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import type { NodeId } from '../protocol/ids.js'
import { planClaim } from '../protocol/ring/claim.js'
import { MAJORITY, type Quorums, readQuorumOf, writeQuorumOf } from '../protocol/ring/quorum.js'
import { newOwnersOf, standbysOf } from '../protocol/ring/table.js'
import type { NodeRole } from '../protocol/supervision/supervisor-events.js'
import type { PlannedMove, ShapePlan } from '../shared/cluster-reports.js'
import { CoterieError } from '../shared/errors.js'
import { NODES_MAX } from '../shared/number-options.js'
import { checkNames, checkWhole, invalid } from '../shared/options.js'
import type { NodeEntry } from '../storage/cluster-folder.js'
import { nodeFolders } from '../storage/layout.js'
import { codeOf } from '../storage/store-error.js'
import type { Seeds } from './seed.js'
import { checkSomebodyLives } from './status.js'

/** How often what is awaited is looked at. */
const LOOK_MS = 5

export class ClusterShape {
  readonly #supervisor: SupervisorActor
  readonly #location: string
  readonly #isOpen: () => boolean
  readonly #quorums: Quorums
  readonly #seeds: Seeds
  readonly #clockNs: () => bigint
  /** Ids of nodes whose stores are being made. */
  readonly #reserved = new Set<NodeId>()

  constructor(options: {
    supervisor: SupervisorActor
    location: string
    quorums: Quorums
    seeds: Seeds
    clockNs: () => bigint
    isOpen: () => boolean
  }) {
    this.#quorums = options.quorums
    this.#seeds = options.seeds
    this.#clockNs = options.clockNs
    this.#supervisor = options.supervisor
    this.#location = options.location
    this.#isOpen = options.isOpen
  }

  async plan(change: { join?: number; leave?: NodeId | readonly NodeId[] } = {}): Promise<ShapePlan> {
    this.#check()
    checkNames(change, ['join', 'leave'])
    const joining = this.#newIds(change.join ?? 0, 0)
    const leaving = typeof change.leave === 'string' ? [change.leave] : (change.leave ?? [])
    if (!Array.isArray(leaving)) throw invalid('leave', change.leave, 'the id of a node, or an array of them')
    for (const node of leaving) this.#memberOf(node)
    const { table } = this.#supervisor
    const members = [...this.#staying().filter((id) => !leaving.includes(id)), ...joining]
    if (joining.length > 0) this.#checkQuorums(members.length)
    this.#checkEnough(members.length, leaving)
    const current = table.rows.map(newOwnersOf)
    const n = this.#areFullCopies ? members.length : table.n
    const { rows, moves } = planClaim({ partitions: table.rows.length, n, members, current, evenly: true })
    const bytesOf = await this.#replicaBytes()
    const planned: PlannedMove[] = moves.map(({ partition, from, to }) => {
      const source = from ?? table.rows[partition]?.owners.find((owner) => owner !== null) ?? null
      return { partition, from, to, bytes: source === null ? 0 : (bytesOf.get(source) ?? 0) }
    })
    const replicas: Record<NodeId, number> = {}
    for (const node of members.sort()) replicas[node] = rows.filter((row) => row.includes(node)).length
    return { joining, leaving: [...leaving], moves: planned, bytes: sumOf(planned.map(({ bytes }) => bytes)), replicas }
  }

  async join(options: { count?: number; role?: NodeRole; from?: string } = {}): Promise<NodeId[]> {
    this.#check()
    checkNames(options, ['count', 'role', 'from'])
    const { role = 'member', from } = options
    if (role !== 'member' && role !== 'standby') throw invalid('role', role, "'member' or 'standby'")
    const ids = this.#newIds(options.count ?? 1, 1)
    if (role === 'member') this.#checkQuorums(this.#staying().length + ids.length)
    if (from !== undefined && (typeof from !== 'string' || from === ''))
      throw invalid('from', from, 'the folder of a backup')
    if (from !== undefined && role === 'member' && !this.#areFullCopies)
      throw invalid(
        'from',
        from,
        "nothing for a member, which owns a share: join it with role 'standby', and promote it",
      )
    if (from === undefined) await this.#supervisor.members.join(ids, role)
    else await this.#seed(from, ids, (seeds) => this.#supervisor.members.join(ids, role, seeds))
    await this.#until(() => ids.every((id) => this.#entryOf(id)?.status !== 'joining'))
    const failed = ids.filter((id) => this.#entryOf(id)?.status !== 'member')
    if (failed.length > 0)
      throw new CoterieError(
        'JOIN_FAILED',
        `${failed.join(', ')} went down for good, or was told to leave, before it was a member`,
        {
          nodes: failed,
        },
      )
    return ids
  }

  /** Errors: BACKUP_INCOMPLETE, BACKUP_DAMAGED, BACKUP_MISMATCH, JOIN_FAILED, CLOSED. */
  async #seed(from: string, nodes: readonly NodeId[], joinWith: (seeds: NodeSeeds) => Promise<void>): Promise<void> {
    const target = () => {
      const { clusterId, partitions, reapedBeforeNs = '0' } = this.#supervisor.metadata
      return { clusterId, partitions, clockNs: this.#clockNs(), reapedNs: BigInt(reapedBeforeNs) }
    }
    for (const node of nodes) this.#reserved.add(node)
    try {
      await this.#seeds.make(from, nodes, target, async (seeds) => {
        this.#check()
        await joinWith(seeds)
      })
    } catch (error) {
      this.#check()
      if (error instanceof CoterieError) throw error
      throw new CoterieError('JOIN_FAILED', `no store could be made of ${from}`, { nodes }, { cause: error })
    } finally {
      for (const node of nodes) this.#reserved.delete(node)
    }
  }

  /** What is being made for nodes that join ends. */
  stop(): Promise<void> {
    return this.#seeds.stop()
  }

  async promote(node: NodeId): Promise<void> {
    this.#check()
    this.#memberOf(node)
    if (this.#standbys().includes(node)) this.#checkQuorums(this.#staying().length + 1)
    else throw invalid('node', node, `a standby: ${this.#standbys().join(', ') || 'there is none'}`)
    await this.#supervisor.members.promote(node)
    const isDown = () => this.#entryOf(node)?.status !== 'member'
    await this.#until(() => isDown() || (!this.#standbys().includes(node) && this.#supervisor.isQuiet()))
    if (isDown()) throw new CoterieError('NODE_NOT_RUNNING', `${node} is no member any more`, { node })
  }

  async leave(node: NodeId): Promise<void> {
    this.#check()
    const entry = this.#memberOf(node)
    if (entry.status !== 'leaving') {
      const staying = this.#staying()
      // A standby leaves no place.
      if (staying.includes(node)) this.#checkEnough(staying.length - 1, [node])
      await this.#supervisor.members.leave(node)
    }
    await this.#until(() => this.#entryOf(node)?.status === 'removed' && this.#supervisor.factsOf(node) === undefined)
  }

  /** Members that are not on the way out. One that is down for good takes no place. */
  #staying(): NodeId[] {
    const { nodes } = this.#supervisor.metadata
    const isStaying = ({ status, role }: NodeEntry) =>
      status === 'member' || (status === 'joining' && role !== 'standby')
    const standbys = this.#standbys()
    return nodes.filter((entry) => isStaying(entry) && !standbys.includes(entry.id)).map(({ id }) => id)
  }

  #standbys(): readonly NodeId[] {
    return standbysOf(this.#supervisor.table)
  }

  /** Ids are never used again. */
  #newIds(count: number, least: number): NodeId[] {
    const { nodes } = this.#supervisor.metadata
    const living = nodes.filter(({ status }) => status !== 'removed').length + this.#reserved.size
    checkWhole('count', count, least, NODES_MAX - living)
    const ids = [...nodes.map(({ id }) => id), ...this.#reserved]
    const highest = Math.max(...ids.map((id) => Number(id.slice('node'.length))))
    return Array.from({ length: count }, (_, index) => `node${highest + 1 + index}`)
  }

  #memberOf(node: NodeId): NodeEntry {
    const entry = this.#entryOf(node)
    if (entry === undefined || entry.status === 'removed')
      throw new CoterieError('UNKNOWN_NODE', `there is no node ${String(node)}`, { node })
    return entry
  }

  #entryOf(node: NodeId): NodeEntry | undefined {
    return this.#supervisor.metadata.nodes.find(({ id }) => id === node)
  }

  get #areFullCopies(): boolean {
    return this.#quorums.n === 'all'
  }

  /**
   * With more copies, an r and a w that were given must still meet: a cluster that is linearizable does not cease to be because a
   * node joins. Errors: INVALID_OPTION.
   */
  #checkQuorums(members: number): void {
    if (!this.#areFullCopies) return
    const meetIn = (copies: number) => {
      const r = readQuorumOf(this.#quorums, copies)
      return r + writeQuorumOf(this.#quorums, copies) > copies && 2 * r > copies
    }
    if (meetIn(members) || !meetIn(this.#supervisor.table.n)) return
    const { r, w } = this.#quorums
    const said = [r === MAJORITY ? '' : `r=${r}`, w === MAJORITY ? '' : `w=${w}`].filter((text) => text !== '')
    const allowed = `quorums that meet among ${members} full copies; ${said.join(' and ')} were given when it was opened`
    throw invalid('count', members, allowed)
  }

  /** A row has n places, whoever leaves; or as many as there are members, and they must be a quorum. Errors: TOO_FEW_NODES. */
  #checkEnough(staying: number, leaving: readonly NodeId[]): void {
    if (leaving.length === 0) return
    if (this.#areFullCopies) return this.#checkCopies(staying, leaving)
    const { n } = this.#supervisor.table
    if (staying >= n) return
    const message = `without ${leaving.join(', ')} there are ${staying} nodes, and each partition has ${n} copies; join others first`
    throw new CoterieError('TOO_FEW_NODES', message, { staying, n })
  }

  /** Of those that stay a quorum must be alive: it is to hold everything before the others go. */
  #checkCopies(staying: number, leaving: readonly NodeId[]): void {
    const owners = new Set(this.#supervisor.table.rows.flatMap((row) => row.owners.filter((owner) => owner !== null)))
    const isDown = (id: NodeId) => this.#supervisor.nodes().some((node) => node.id === id && node.phase === 'down')
    const down = [...owners].filter((id) => isDown(id) && !leaving.includes(id)).length
    const copies = staying + down
    const { r, w } = this.#quorums
    const needed = copies === 0 ? 1 : Math.max(r, writeQuorumOf(this.#quorums, copies), w)
    if (staying >= needed) return
    const message = `without ${leaving.join(', ')} there are ${staying} nodes for ${copies} copies, and a quorum is ${needed}; join others first`
    throw new CoterieError('TOO_FEW_NODES', message, { staying, copies, needed })
  }

  #check(): void {
    if (!this.#isOpen()) throw new CoterieError('CLOSED')
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      this.#check()
      checkSomebodyLives(this.#supervisor)
      await delay(LOOK_MS)
    }
  }

  /** What one replica of each node takes on the disk, on the average: keys lie in the user's order, not by partition. */
  async #replicaBytes(): Promise<ReadonlyMap<NodeId, number>> {
    const { rows } = this.#supervisor.table
    const bytes = new Map<NodeId, number>()
    for (const { id, status } of this.#supervisor.metadata.nodes) {
      const replicas = rows.filter(({ owners }) => owners.includes(id)).length
      if (status === 'removed' || replicas === 0) continue
      bytes.set(id, Math.round((await folderBytes(nodeFolders(this.#location, id).store)) / replicas))
    }
    return bytes
  }
}

/** LevelDB deletes files while it runs: one that is gone takes no room. */
async function folderBytes(folder: string): Promise<number> {
  const files = await ignoreAbsence(readdir(folder), [])
  const sizes = files.map(async (file) => (await ignoreAbsence(stat(joinPath(folder, file)), undefined))?.size ?? 0)
  return sumOf(await Promise.all(sizes))
}

async function ignoreAbsence<T, Otherwise>(found: Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
  try {
    return await found
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return otherwise
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
