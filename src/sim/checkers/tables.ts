/** The partition table: one for each epoch, on disk before anybody knows it, never older again, and balanced. */

import { type Address, type NodeId, SUPERVISOR } from '../../protocol/ids.js'
import { newOwnersOf, type PartitionTable } from '../../protocol/ring/table.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** At most one set of owners for each epoch, and none that is not on disk. */
export class OneTable extends Checker {
  readonly name = 'one-table'
  readonly rule = 'Epochs: at most one table for each epoch, fsynced before anyone learns of it'
  readonly #persisted = new Map<number, PartitionTable>()

  onPersisted(table: PartitionTable): void {
    const known = this.#persisted.get(table.epoch)
    if (known !== undefined && known !== table && JSON.stringify(known) !== JSON.stringify(table))
      this.broken(`two tables have epoch ${table.epoch}`)
    this.#persisted.set(table.epoch, table)
  }

  onSend({ from, to, message }: Mail): void {
    if (message.type !== 'table/announce') return
    const { table } = message
    const known = this.#persisted.get(table.epoch)
    if (known === undefined) this.broken(`${from} tells ${to} of epoch ${table.epoch}, which is not on disk`)
    else if (known !== table && JSON.stringify(known) !== JSON.stringify(table))
      this.broken(`${from} tells ${to} of another table with epoch ${table.epoch}`)
  }
}

/** Epochs only grow: of the table on disk, of what a node acts on, of what a gateway works by; over a node's lives too. */
export class EpochsGrow extends Checker {
  readonly name = 'epochs-grow'
  readonly rule = 'Epochs: the highest wins everywhere; a node stores an epoch before it acts on it'
  readonly #acted = new Map<Address, number>()
  readonly #storeIds = new Map<NodeId, string>()
  #persisted = 0
  #parsed: { readonly text: string; readonly epoch: number } = { text: '', epoch: 0 }

  onPersisted({ epoch }: PartitionTable): void {
    if (epoch < this.#persisted) this.broken(`epoch ${epoch} is on disk after ${this.#persisted}`)
    this.#persisted = epoch
  }

  /** What forgot everything begins anew. */
  onOpened(node: NodeId, { storeId }: { readonly storeId: string }): void {
    if (this.#storeIds.get(node) !== storeId) this.#acted.delete(node)
    this.#storeIds.set(node, storeId)
  }

  onTurn(node: NodeId, world: SimWorld): void {
    const core = world.nodes.get(node)?.core
    if (core === undefined) return
    const { epoch } = core.table
    const before = this.#acted.get(node) ?? 0
    if (epoch === before) return
    if (epoch < before) this.broken(`${node} acts on epoch ${epoch} after ${before}`)
    this.#acted.set(node, epoch)
  }

  onDelivered({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'table/stored' || to !== SUPERVISOR) return
    const stored = this.#epochOf(world.nodes.get(from)?.disk.content.meta.get('table'))
    if (stored < message.epoch)
      this.broken(`${from} says that it has stored epoch ${message.epoch}; its store has ${stored}`)
  }

  /** One table after the other is stored by all. */
  #epochOf(text: string | undefined): number {
    if (text === undefined) return 0
    if (text !== this.#parsed.text) this.#parsed = { text, epoch: (JSON.parse(text) as PartitionTable).epoch }
    return this.#parsed.epoch
  }
}

/** Every row has n places on distinct nodes; no node has more of them than its share; and only the places of the dead change hands. */
export class Placement extends Checker {
  readonly name = 'placement'
  readonly rule =
    'Placement: n places on distinct nodes, no node owns more than ceil(Q n / S), nothing moves that need not'
  /** Also those that came back with a new process: their share stays with the others, until rows are moved by plan. */
  readonly #down = new Set<NodeId>()
  /** Who has joined, of those that were not there from the beginning. */
  readonly #members: Set<NodeId>
  readonly #areFullCopies: boolean
  #world: SimWorld | undefined
  #before: PartitionTable | undefined

  constructor(report: ConstructorParameters<typeof Checker>[0], nodes: number, areFullCopies: boolean) {
    super(report)
    this.#areFullCopies = areFullCopies
    this.#members = new Set(Array.from({ length: nodes }, (_, index) => `node${index + 1}`))
  }

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onNotice(_from: Address, notice: { readonly type: string; readonly node?: NodeId }): void {
    const { type, node } = notice
    if (node === undefined) return
    if (type === 'node:down') this.#down.add(node)
    if (type === 'node:joined') this.#members.add(node)
    if (type === 'node:removed') this.#members.delete(node)
  }

  override onSettled(world: SimWorld): void {
    if (this.#areFullCopies) this.#checkCopies(world)
    else this.#checkLiving(world)
  }

  /** Everybody owns everything; a place more there is only for one that is down for good. */
  #checkCopies({ supervisor }: SimWorld): void {
    const { rows } = supervisor.table
    const standbys = rows[0]?.standbys ?? []
    const living = [...this.#members].filter((node) => supervisor.phaseOf(node) === 'up' && !standbys.includes(node))
    const down = [...this.#members].filter((node) => supervisor.isDown(node))
    rows.forEach(({ owners }, partition) => {
      const lacking = living.filter((node) => !owners.includes(node))
      if (lacking.length > 0) this.broken(`${lacking.join(' ')} have no copy of partition ${partition}`)
      const others = owners.filter((owner) => owner === null || !living.includes(owner))
      const strange = others.filter((owner) => owner !== null && !down.includes(owner))
      if (strange.length > 0) this.broken(`${strange.join(' ')} still have places of partition ${partition}`)
      if (others.length > down.length)
        this.broken(`partition ${partition} has ${owners.length} places for ${living.length + down.length} members`)
    })
  }

  onPersisted(table: PartitionTable): void {
    const { rows, n, epoch } = table
    this.#checkMoves(table)
    const shares = new Map<NodeId, number>()
    rows.forEach((row, partition) => {
      if (!this.#areFullCopies && (row.owners.length !== n || row.pending.length !== n))
        this.broken(`partition ${partition} of epoch ${epoch} has not ${n} places`)
      for (const places of [row.owners, newOwnersOf(row)]) {
        const nodes = places.filter((node) => node !== null)
        if (new Set(nodes).size < nodes.length)
          this.broken(`partition ${partition} of epoch ${epoch} has a node twice: ${places.join(' ')}`)
      }
      for (const node of newOwnersOf(row)) if (node !== null) shares.set(node, (shares.get(node) ?? 0) + 1)
    })
    if (this.#areFullCopies) return
    const { joining = [], leaving = [] } = this.#world?.supervisor?.onTheWay ?? {}
    // Who comes or goes in the middle of other changes has its share when it is through.
    if (joining.length + leaving.length > 0) return
    const standbys = rows[0]?.standbys ?? []
    const living = [...this.#members].filter((node) => !this.#down.has(node) && !standbys.includes(node)).length
    const most = Math.ceil((rows.length * n) / Math.max(n, living))
    for (const [node, share] of shares)
      if (share > most && !this.#down.has(node))
        this.broken(`${node} has ${share} places of epoch ${epoch}, at most ${most} are its share of ${living} nodes`)
  }

  /** Every place has an owner that lives, as long as there are enough of them. */
  #checkLiving({ supervisor, nodes }: SimWorld): void {
    const isDown = (node: NodeId | null): boolean => node === null || supervisor.isDown(node)
    if ([...nodes.keys()].filter((node) => !isDown(node)).length < supervisor.table.n) return
    supervisor.table.rows.forEach(({ owners }, partition) => {
      if (owners.some(isDown)) this.broken(`partition ${partition} still belongs to ${owners.join(' ')}`)
    })
  }

  #checkMoves(table: PartitionTable): void {
    const { joining = [], leaving = [] } = this.#world?.supervisor?.onTheWay ?? {}
    const wasStandby = new Set(this.#before?.rows[0]?.standbys)
    const isPromotion = table.rows.some((row) => newOwnersOf(row).some((node) => node !== null && wasStandby.has(node)))
    // Places of the living move to those who join, from those who leave, and to a standby that is made a member.
    const isMeant = joining.length + leaving.length > 0 || isPromotion
    this.#before?.rows.forEach((row, partition) => {
      const now = table.rows[partition]
      if (isMeant || now === undefined || now === row) return
      const after = newOwnersOf(now)
      newOwnersOf(row).forEach((node, place) => {
        // Who was to have the place of one that keeps it takes another of the row.
        const isSwapped = row.owners[place] === after[place] && row.owners[place] !== node && after.includes(node)
        // Where everybody is a full copy, rows lose places, and those behind them move up.
        const isKept = this.#areFullCopies ? after.includes(node) : after[place] === node || isSwapped
        if (node !== null && !isKept && !this.#down.has(node))
          this.broken(`epoch ${table.epoch} takes place ${place} of partition ${partition} from ${node}, which lives`)
      })
    })
    this.#before = table
  }
}
