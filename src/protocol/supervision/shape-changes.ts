/**
 * How the cluster grows and shrinks on purpose: nodes join and leave while it serves.
 *
 *   1. Whoever joins is started like any node, and owns nothing; whoever leaves says so by gossip, and goes on serving.
 *   2. Once nothing else moves, owners are planned anew for the members that there are to be (`planClaim`: balanced, and the
 *      fewest moves that this takes), and what changes becomes pending, all of it in one epoch. From there on it goes as with any
 *      change of owners: `owner-changes.ts`.
 *   3. Once it is nothing to any partition, one that leaves is told to retire: it keeps no new hints, hands over those that
 *      it has, ends what it coordinates, and says so. Only then does its thread end and its store go.
 *
 * What was begun goes on after a crash of the process: who joins and who leaves is in the cluster's metadata.
 *
 * A part of `SupervisorCore`, called by nobody else.
 */

import type { NodeId } from '../ids.js'
import { planClaim } from '../ring/claim.js'
import { type Quorums, writeQuorumOf } from '../ring/quorum.js'
import { newOwnersOf, type PartitionTable, type Row, standbysOf } from '../ring/table.js'
import { type Copies, isPlaceMissing, rowsWithEverybody, rowsWithoutLeavers } from './full-copies.js'
import { rowsAfterClaim } from './reassignment.js'
import type { Roster } from './roster.js'
import { isSalvage, type Supervised } from './supervised.js'
import type { NodeRole, OnTheWay } from './supervisor-events.js'
import type { SupervisorPost } from './supervisor-post.js'
import type { TableBook } from './table-book.js'

/** What shape changes need of the supervisor. */
export interface ShapeHost {
  readonly tables: TableBook
  readonly nodes: Roster
  readonly post: SupervisorPost
  readonly quorums: Quorums
  /** Rows are being filled, or a flip is not active yet. */
  isMoving(): boolean
  /** It is to be waited for by nobody: no exchange is owed by it or to it. */
  forget(node: NodeId): void
  /** Before its first orders: it holds nearly everything. */
  onPromoted(node: NodeId): void
  /** A standby that does not hold what the owners hold. */
  lacks(node: NodeId): boolean
  /** It holds nothing yet. */
  onNewStandby(node: NodeId): void
  /** A new epoch: persisted, then announced. */
  change(table: PartitionTable, reason: string): void
}

export class ShapeChanges {
  readonly #host: ShapeHost
  /** Somebody has come or wants to go since owners were planned. */
  #isPlanDue = false
  readonly #joining = new Set<NodeId>()
  /** Of these, those that are to be standbys. */
  readonly #standbys = new Set<NodeId>()
  /** Standbys that are to be members. */
  readonly #promoted = new Set<NodeId>()
  readonly #leaving = new Set<NodeId>()
  /** Of those that leave: told to retire in this life. */
  readonly #retiring = new Set<NodeId>()
  /** They owe nothing: their threads are to end. */
  readonly #retired = new Set<NodeId>()
  /** Looked at already: there are many rows, and many events. */
  #looked: { readonly table: PartitionTable; readonly members: string } | undefined
  /** The host is about it. */
  readonly #removing = new Set<NodeId>()

  constructor(host: ShapeHost) {
    this.#host = host
  }

  /** Nobody is on the way in or out. */
  get isSettled(): boolean {
    return this.#joining.size === 0 && this.#leaving.size === 0 && this.#promoted.size === 0
  }

  isLeaving(node: NodeId): boolean {
    return this.#leaving.has(node)
  }

  /** With what was begun under an earlier core. */
  goOn({ joining = [], standbys = [], promoted = [], leaving = [] }: OnTheWay): void {
    for (const node of promoted) this.onPromote(node)
    for (const node of joining) this.onJoin(node, standbys.includes(node) ? 'standby' : 'member')
    for (const node of leaving) this.onLeave(node)
  }

  /** It has been added to the roster. */
  onJoin(node: NodeId, role: NodeRole): void {
    this.#joining.add(node)
    if (role === 'standby') this.#standbys.add(node)
    this.#isPlanDue = true
  }

  /** A standby is to be a member. */
  onPromote(node: NodeId): void {
    this.#promoted.add(node)
    this.#isPlanDue = true
  }

  /** In place of one that is down for good. */
  onReplaced(node: NodeId): void {
    this.#standbys.delete(node)
    if (this.#joining.delete(node)) this.#host.post.notice({ type: 'node:joined', node })
  }

  onLeave(node: NodeId): void {
    this.#joining.delete(node)
    this.#leaving.add(node)
    this.#isPlanDue = true
    this.declare(this.#host.nodes.get(node))
  }

  /** It has a new life, which knows of nothing. */
  onUp(node: Supervised): void {
    this.#retiring.delete(node.id)
    this.#retired.delete(node.id)
    this.declare(node)
  }

  /** It owes nothing to anybody. */
  onRetired(node: NodeId): void {
    if (this.#retiring.has(node)) this.#retired.add(node)
  }

  onDown(node: NodeId): void {
    this.#joining.delete(node)
    this.#promoted.delete(node)
    this.#retiring.delete(node)
  }

  /** Its thread has ended and it is no member any more. */
  onRemoved(node: NodeId): void {
    this.#leaving.delete(node)
    this.#retiring.delete(node)
    this.#retired.delete(node)
    this.#removing.delete(node)
    this.#host.post.notice({ type: 'node:removed', node })
  }

  /** Everything that may go on now. */
  advance(): void {
    if (this.#host.isMoving() || this.#host.tables.isPersisting) return
    if (this.#host.quorums.n === 'all' && this.#isPlaceMissing()) this.#isPlanDue = true
    if (this.isSettled && !this.#isPlanDue) return
    if (this.#isPlanDue && !this.#plan()) return
    this.#welcome()
    if (this.#host.quorums.n === 'all' && this.#shrink()) return
    this.#dismiss()
  }

  declare(node: Supervised | undefined): void {
    if (node === undefined || !this.#leaving.has(node.id)) return
    this.#host.post.declare(node, 'leaving')
  }

  /** True: there was nothing to change, and what waits for that may go on. */
  #plan(): boolean {
    const { nodes, tables } = this.#host
    // One that starts may turn out not to: it would be given places that it then has to be relieved of.
    if ([...this.#joining].some((id) => nodes.get(id)?.phase !== 'up')) return false
    this.#isPlanDue = false
    const table = tables.newest
    const standbys = this.#standbysOf(table)
    const members = nodes.living().filter((id) => !this.#leaving.has(id) && !standbys.includes(id))
    if (members.length === 0) return false
    const names = [
      ...[...this.#joining].sort().map((id) => `${id} joins`),
      ...[...this.#leaving].sort().map((id) => `${id} leaves`),
      ...[...this.#promoted].sort().map((id) => `${id} is promoted`),
    ]
    this.#host.change(this.#planned(table, members, standbys), names.join(', ') || 'a node is back')
    for (const id of standbys) if (this.#joining.has(id)) this.#host.onNewStandby(id)
    for (const id of this.#promoted) this.#host.onPromoted(id)
    return this.#host.tables.newest === table
  }

  #planned(table: PartitionTable, members: readonly NodeId[], standbys: readonly NodeId[]): PartitionTable {
    const { n } = this.#host.quorums
    if (n === 'all') return rowsWithEverybody(table, this.#copies(members), standbys)
    const current = table.rows.map(newOwnersOf)
    const { rows } = planClaim({ partitions: table.rows.length, n, members, current, evenly: true })
    return rowsAfterClaim(table, rows, standbys)
  }

  // --- every member a full copy -----------------------------------------------------------------------------------------

  #copies(members: readonly NodeId[]): Copies {
    const { nodes } = this.#host
    const dead = nodes.sorted.filter((node) => node.phase === 'down' || isSalvage(node)).map(({ id }) => id)
    return { members, dead: new Set(dead), leaving: this.#leaving }
  }

  /** Somebody is alive who has no copy: it was down for good, and another took its place. */
  #isPlaceMissing(): boolean {
    const { nodes, tables } = this.#host
    const standbys = this.#standbysOf(tables.newest)
    const isMember = (id: NodeId) => !this.#leaving.has(id) && !this.#joining.has(id) && !standbys.includes(id)
    const members = nodes.living().filter((id) => nodes.isUp(id) && isMember(id))
    const looked = { table: tables.newest, members: members.join() }
    if (looked.table === this.#looked?.table && looked.members === this.#looked.members) return false
    this.#looked = looked
    return isPlaceMissing(tables.newest, members)
  }

  /** True: the places of those who leave are about to go. */
  #shrink(): boolean {
    const { nodes, tables, quorums } = this.#host
    const { newest } = tables
    if (this.#leaving.size === 0) return false
    const standbys = this.#standbysOf(newest)
    const members = nodes.living().filter((id) => !this.#leaving.has(id) && !standbys.includes(id))
    const table = rowsWithoutLeavers(newest, this.#copies(members), (places) => writeQuorumOf(quorums, places))
    const names = [...this.#leaving].sort().map((id) => `${id} leaves`)
    if (table !== newest) this.#host.change(table, `fewer copies: ${names.join(', ')}`)
    return table !== newest
  }

  /** As they are to be. */
  #standbysOf(table: PartitionTable): readonly NodeId[] {
    const isStandby = (id: NodeId) => !this.#leaving.has(id) && !this.#promoted.has(id)
    // One may have been promoted before it had joined, under this core or an earlier one.
    const isOwner = (id: NodeId) => table.rows.some((row) => row.owners.includes(id) || row.pending.includes(id))
    const joining = [...this.#joining].filter((id) => this.#standbys.has(id) && !isOwner(id))
    return [...new Set([...standbysOf(table), ...joining])].filter(isStandby).sort()
  }

  /** Everything that was planned for them has been filled. */
  #welcome(): void {
    for (const node of [...this.#joining].sort()) {
      if (this.#host.lacks(node)) continue
      this.#joining.delete(node)
      this.#standbys.delete(node)
      this.#host.post.notice({ type: 'node:joined', node })
    }
    for (const node of [...this.#promoted].sort()) {
      this.#promoted.delete(node)
      this.#host.post.notice({ type: 'node:promoted', node })
    }
  }

  #dismiss(): void {
    const { nodes, post, tables } = this.#host
    for (const id of [...this.#leaving].sort()) {
      const node = nodes.get(id)
      if (node === undefined || tables.persisted.rows.some((row) => isNamed(row, id))) continue
      if (isSalvage(node)) continue
      if (this.#removing.has(id)) continue
      if (node.phase === 'up' && !this.#retiring.has(id)) {
        this.#retiring.add(id)
        post.send(id, { type: 'retire/start' })
      } else if (node.phase === 'down' || this.#retired.has(id)) this.#remove(node)
    }
  }

  /** From here on its thread is not one that dies: it is not restarted. */
  #remove(node: Supervised): void {
    const { post } = this.#host
    this.#removing.add(node.id)
    if (node.phase !== 'down') {
      node.phase = 'down'
      post.broadcastPeer(node)
    }
    this.#host.forget(node.id)
    post.declare(node, 'removed')
    post.effect({ type: 'remove', node: node.id, incarnation: node.incarnation })
  }
}

function isNamed({ owners, pending, standbys }: Row, node: NodeId): boolean {
  return owners.includes(node) || pending.includes(node) || standbys.includes(node)
}
