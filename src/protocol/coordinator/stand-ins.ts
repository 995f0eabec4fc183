/**
 * The fallbacks that stand in for owners in a sloppy put: each keeps hints for one owner, one for each key of the put, and counts
 * once it has accepted all of them.
 *
 * It must never say that nobody may keep a hint while somebody may. A part of `PutRequest`, called by nobody else.
 */

import type { Incarnation, Key, NodeId, PartitionId } from '../ids.js'
import { REPLY, type ReplyStatus } from '../messages.js'
import { fallbacksOf } from '../ring/preference-list.js'
import type { Row } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import type { Desk, HintAnswer, LostLeg, Request } from './request.js'

interface StandIn {
  readonly keeper: NodeId
  readonly target: NodeId
  /** The keeper's life. */
  readonly askedIn: Incarnation
  /** Keys that it has not accepted; of those, keys that it refused. */
  readonly waiting: Set<Key>
  readonly refused: Set<Key>
  /** Some have left for the keeper, which has fallen silent since. */
  hasLeft: boolean
  /** `refused`: it has none of them, and takes none. `lost`: it may have some. `taken-back`: so it may, and may be asked again. */
  state: 'sent' | 'accepted' | 'lost' | 'taken-back' | 'refused'
}

export class StandIns {
  readonly #partition: PartitionId
  readonly #keys: readonly Key[]
  readonly #records: readonly VersionRecord[]
  #all: StandIn[] = []

  constructor({
    partition,
    keys,
    records,
  }: { partition: PartitionId; keys: readonly Key[]; records: readonly VersionRecord[] }) {
    this.#partition = partition
    this.#keys = keys
    this.#records = records
  }

  /** Somebody keeps a hint, or may. */
  get mayKeep(): boolean {
    return this.#all.some(({ state }) => state !== 'refused')
  }

  /** Some keeper failed in a way that may pass. */
  get mayBeAskedAgain(): boolean {
    return this.#all.some(({ state }) => state === 'lost' || state === 'taken-back')
  }

  isAsked(node: NodeId): boolean {
    return this.#all.some(({ keeper }) => keeper === node)
  }

  isKeptFor(owner: NodeId): boolean {
    return this.#all.some(({ target, state }) => target === owner && state === 'accepted')
  }

  /** The put begins anew under another row. */
  clear(): void {
    this.#all = []
  }

  /**
   * Asks a keeper for each of these owners that has none. By a keeper that has fallen silent, and may still answer, an owner has
   * none. False: there was no keeper left for one of them.
   */
  ask(desk: Desk, request: Request, row: Row, absent: readonly NodeId[], has: (owner: NodeId) => boolean): boolean {
    const without = absent.filter((owner) => !this.#isSeenTo(desk, owner))
    if (without.length === 0) return true
    const keepers = fallbacksOf(this.#partition, row, desk.healthyNodes(), row.owners.length + this.#all.length)
    for (const target of without) {
      const keeper = keepers.find((node) => this.#isFree(node, has))
      if (keeper === undefined) return false
      this.#send(desk, request, keeper, target)
    }
    return true
  }

  /** Keeps nothing that counts: what it keeps, its owner has itself, or somebody else keeps too. */
  #isFree(node: NodeId, has: (owner: NodeId) => boolean): boolean {
    return this.#all.every(({ keeper, target, state }, place) => {
      if (keeper !== node) return true
      if (state !== 'accepted') return false
      return (
        has(target) ||
        this.#all.some((other, at) => at < place && other.target === target && other.state === 'accepted')
      )
    })
  }

  #isSeenTo(desk: Desk, owner: NodeId): boolean {
    return this.#all.some(
      ({ target, keeper, state }) =>
        target === owner && (state === 'accepted' || (state === 'sent' && desk.peer(keeper)?.healthy === true)),
    )
  }

  #send(desk: Desk, request: Request, keeper: NodeId, target: NodeId): void {
    const askedIn = desk.peer(keeper)?.incarnation ?? 0
    const [waiting, refused] = [new Set(this.#keys), new Set<Key>()]
    const standIn: StandIn = { keeper, target, askedIn, waiting, refused, hasLeft: false, state: 'sent' }
    this.#all.push(standIn)
    const partition = this.#partition
    this.#keys.forEach((key, index) => {
      const record = this.#records[index] as VersionRecord
      if (!desk.sendHint(request, { keeper, target, partition, key, record })) standIn.state = 'lost'
    })
  }

  /**
   * What became of the keeper; undefined: nothing that was waited for. By key, not by count: an answer to what was asked before the
   * keeper fell silent may come among those to what was asked since.
   */
  onReply(keeper: NodeId, status: ReplyStatus, { key, isRepeated }: HintAnswer): 'counted' | 'over' | undefined {
    const standIn = this.#asked(keeper)
    if (standIn === undefined) return undefined
    const { waiting, refused } = standIn
    if (status === REPLY.ok) {
      waiting.delete(key)
      refused.delete(key)
    } else if (status === REPLY.refused && !isRepeated) refused.add(key)
    else standIn.state = 'lost'
    if (standIn.state === 'sent' && waiting.size === refused.size)
      standIn.state = refused.size === 0 ? 'accepted' : refused.size === this.#keys.length ? 'refused' : 'lost'
    return standIn.state === 'sent' || standIn.state === 'accepted' ? 'counted' : 'over'
  }

  /** The keeper's life has ended, or it is silent. */
  onLost(keeper: NodeId, { silent, sent }: LostLeg): void {
    const standIn = this.#asked(keeper)
    if (standIn === undefined) return
    const { waiting, refused, hasLeft } = standIn
    if (silent && sent) standIn.hasLeft = true
    else if (sent) standIn.state = 'lost'
    // What only waited for the keeper is nowhere; of several keys some may have left before the others.
    else if (hasLeft || waiting.size < this.#keys.length || refused.size > 0) standIn.state = 'taken-back'
    else this.#all = this.#all.filter((other) => other !== standIn)
  }

  /**
   * A keeper that died, or whose store refused, may be asked again in its next life; one that was silent, once it answers. What it
   * kept before it keeps twice. True: one that is forgotten may keep something.
   */
  forget(desk: Desk): boolean {
    const isOver = ({ keeper, askedIn, state }: StandIn): boolean => {
      if (state === 'sent' || state === 'accepted') return false
      const peer = desk.peer(keeper)
      return (state === 'taken-back' && peer?.healthy === true) || (peer?.incarnation ?? 0) > askedIn
    }
    const over = this.#all.filter(isOver)
    if (over.length > 0) this.#all = this.#all.filter((standIn) => !over.includes(standIn))
    return over.some(({ state }) => state !== 'refused')
  }

  #asked(node: NodeId): StandIn | undefined {
    return this.#all.find(({ keeper, state }) => keeper === node && state === 'sent')
  }
}
