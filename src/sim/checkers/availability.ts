/**
 * No call fails that its quorum allows to succeed. What is told at once must be so: too few owners that are not down for good. What
 * runs into its deadline had too few owners that were well and could be reached; and did not wait for owners that were down.
 *
 * It knows by itself who is well, since when, and which rows a call may have gone by. A quorum of owners that has been well for
 * so long that every silence is over, every table known and every message sent again must have been enough.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Failure, FailureCode } from '../../protocol/failure.js'
import type { GatewayConfig } from '../../protocol/gateway-contract.js'
import type { GatewayId, Key, NodeId, PartitionId } from '../../protocol/ids.js'
import { MAJORITY, readQuorumOf, writeQuorumOf } from '../../protocol/ring/quorum.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { isJoint, newOwnersOf, type PartitionTable, type Row } from '../../protocol/ring/table.js'
import type { Call } from '../call.js'
import type { Life } from '../sim-node.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'
import { Damage } from './damage.js'
import { RowHistory } from './row-history.js'

/** A silent peer is asked again after a second at most; some more for what follows. */
const RECOVERY_MS = 1_300
/** A call of less than this may end while it is sent a second time. */
const CALL_MS_MIN = 200
/** News of a death take so long. */
const NEWS_MS = 60
/** A request that can never have its quorum says so in the turn in which it is made; looked at once it is so old. */
const AT_ONCE_MS = 10

interface Health {
  life: Life | undefined
  /** When it was last seen not to be well; when it was last seen not to be down for good, and to be. */
  troubledAtMs: number
  notDownAtMs: number
  downAtMs: number
  /** When its store was last seen to take no writes. */
  fullAtMs: number
}

export class Availability extends Checker {
  readonly name = 'availability'
  readonly rule =
    'Quorums: strict requests wait for owners that restart, fail at once for those that are down, and never because owners change'
  readonly #rows = new RowHistory()
  readonly #damage = new Damage()
  readonly #health = new Map<NodeId, Health>()
  /** Calls that have not been looked at since they were made. */
  readonly #fresh = new Map<number, Call>()
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #world: SimWorld | undefined

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onPersisted(table: PartitionTable): void {
    this.#rows.onPersisted(table)
  }

  onPause(ms: number, { nowMs }: SimWorld): void {
    this.#pausedUntilMs = nowMs + ms
  }

  onNotice(from: string, notice: Parameters<Damage['onNotice']>[1]): void {
    const nowMs = this.#world?.nowMs ?? 0
    this.#damage.onNotice(from, notice, nowMs)
    if (notice.type === 'node:down') this.#healthOf(notice.node).downAtMs = nowMs
  }

  onSample(world: SimWorld): void {
    const { nowMs } = world
    this.#lookAtAll(world)
    for (const call of this.#fresh.values()) {
      if (nowMs - call.calledAtMs < AT_ONCE_MS) return
      this.#fresh.delete(call.number)
      if (this.#mustHaveFailedAtOnce(call, world))
        this.broken(`call ${call.number} (${call.kind} ${call.keys.join(' ')}) waits for owners that are down`)
    }
  }

  #lookAtAll(world: SimWorld): void {
    const { nowMs } = world
    for (const { id, phase } of world.supervisor.views()) {
      const node = world.nodes.get(id)
      if (node === undefined) continue
      const health = this.#healthOf(id)
      const { life, disk } = node
      // What was taken by a slow disk is worked off at its pace, and all that came after it waits for that.
      const isSlow = disk.slowMs > 0 || nowMs < disk.slowUntilMs
      const isWell = phase === 'up' && life?.hasFailed === false && !node.isFrozen() && !disk.isFull && !isSlow
      if (!isWell || life !== health.life) health.troubledAtMs = nowMs
      if (disk.isFull || life?.hasFailed === true) health.fullAtMs = nowMs
      health.life = life
      if (phase === 'down' || phase === 'salvaging' || phase === 'salvaged') health.downAtMs = nowMs
      else health.notDownAtMs = nowMs
    }
  }

  onCall(call: Call): void {
    if (this.#world === undefined) return
    this.#rows.onCall(call, this.#world)
    this.#fresh.set(call.number, call)
  }

  onVanished(call: Call): void {
    this.#forget(call)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    const world = this.#world
    if (world !== undefined) {
      // What has been so for less than a sample's time.
      if (outcome.type === 'failed') this.#lookAtAll(world)
      const reason =
        outcome.type === 'failed' ? this.#isWrong(call, outcome.failure, world) : this.#isTooGood(call, world)
      if (reason !== undefined) {
        const end = outcome.type === 'failed' ? outcome.failure.code : outcome.type
        const afterMs = (world.nowMs - call.calledAtMs).toFixed(0)
        this.broken(`call ${call.number} (${call.kind} ${call.keys.join(' ')}): ${end} after ${afterMs} ms, ${reason}`)
      }
    }
    this.#forget(call)
  }

  #forget(call: Call): void {
    this.#rows.onGone(call)
    this.#fresh.delete(call.number)
  }

  /** r and w do not shrink with the cluster: a place without an owner counts as one whose owner is down. */
  #isTooGood(call: Call, { options }: SimWorld): string | undefined {
    if (call.sloppy) return undefined
    const isVacant = ({ owners }: Row): boolean =>
      owners.filter((owner) => owner !== null).length < askedOf(call, owners.length, options.config)
    const isWrong = partitionsOf(call, options.config.partitions).some((partition) =>
      this.#rows.rowsOf(call, partition).every(isVacant),
    )
    return isWrong ? 'though its row has fewer owners than were asked for' : undefined
  }

  #isWrong(call: Call, failure: Failure, world: SimWorld): string | undefined {
    const { code } = failure
    const partitions = partitionsBehind(call, failure, world.options.config.partitions)
    switch (code) {
      case 'QUORUM_UNAVAILABLE':
      case 'PARTITION_LOST':
        return this.#isQuorumGone(call, code, partitions, world) ? undefined : 'enough of its owners are not down'
      case 'OVERLOADED':
        return isOverloaded(call.gateway, world) ? undefined : 'its gateway had room'
      case 'CLOCK_UNAVAILABLE':
        return world.clock.readNs(world.nowMs) > world.clock.storedCeilingNs ? undefined : 'the ceiling is on disk'
      case 'TIMEOUT':
      case 'OUTCOME_UNKNOWN':
      case 'STORE_FAILED':
        if (this.#isTooSoon(call, code, partitions, world)) return 'it did not wait for owners that may come back'
        return this.#wasAllWell(call, partitions, world) ? 'a quorum of its owners was well' : undefined
      default:
        return undefined
    }
  }

  /** By some row that it may have gone by, of some of its partitions. */
  #isQuorumGone(call: Call, code: FailureCode, partitions: readonly PartitionId[], { options }: SimWorld): boolean {
    const isLeft = (node: NodeId | null): boolean => {
      if (node === null) return false
      const { downAtMs, notDownAtMs } = this.#healthOf(node)
      // Down still, or lately.
      return downAtMs <= notDownAtMs && downAtMs < call.calledAtMs - NEWS_MS
    }
    const isGone = (row: Row): boolean =>
      placesOf(call, row).some((places) => places.filter(isLeft).length < quorumOf(call, places.length, options.config))
    return partitions.some((partition) =>
      this.#rows.rowsOf(call, partition).some((row) => isGone(row) && (code !== 'PARTITION_LOST' || row.lost)),
    )
  }

  /** Of a call whose coordinator is its gateway: before its deadline, though nobody is down or takes no writes. */
  #isTooSoon(call: Call, code: FailureCode, partitions: readonly PartitionId[], world: SimWorld): boolean {
    const { coordination, conflict } = world.options.config
    if (coordination === 'server' || conflict === 'siblings') return false
    if (world.nowMs >= call.deadlineMs || this.#isQuorumGone(call, code, partitions, world)) return false
    const isFull = (node: NodeId | null): boolean =>
      node !== null && (this.#health.get(node)?.fullAtMs ?? Number.NEGATIVE_INFINITY) >= call.calledAtMs - RECOVERY_MS
    return !partitions.some((partition) =>
      this.#rows.rowsOf(call, partition).some((row) => row.owners.some(isFull) || row.pending.some(isFull)),
    )
  }

  /** Of a strict call whose coordinator is its gateway: too few owners, all the time. */
  #mustHaveFailedAtOnce(call: Call, world: SimWorld): boolean {
    const { config } = world.options
    const { partitions, coordination, conflict } = config
    if (call.sloppy || coordination === 'server' || conflict === 'siblings') return false
    if (this.#pausedUntilMs > call.calledAtMs) return false
    const isLeft = (node: NodeId | null): boolean =>
      node !== null && (this.#health.get(node)?.notDownAtMs ?? world.nowMs) >= call.calledAtMs - NEWS_MS
    const isGone = (partition: PartitionId): boolean => {
      const rows = this.#rows.rowsOf(call, partition)
      return rows.every((row) =>
        placesOf(call, row).some((places) => places.filter(isLeft).length < askedOf(call, places.length, config)),
      )
    }
    const all = partitionsOf(call, partitions)
    // The parts of a batch are each written, those of a logged one after the log; it ends when all of them have ended.
    if (call.logged && all.length > 1) return false
    return call.kind === 'put' ? all.every(isGone) : all.some(isGone)
  }

  #wasAllWell(call: Call, partitions: readonly PartitionId[], world: SimWorld): boolean {
    const { nowMs, options } = world
    const { coordination, conflict } = options.config
    const sinceMs = nowMs - RECOVERY_MS
    if (nowMs - call.calledAtMs < CALL_MS_MIN || this.#pausedUntilMs > sinceMs) return false
    // An update is sent once, and so is its outcome.
    const isOnce = conflict === 'siblings' && call.kind === 'put'
    if (coordination === 'server' || conflict === 'siblings')
      return this.#isEverybodyWell(call, isOnce ? Math.min(sinceMs, call.calledAtMs) : sinceMs, world)
    return partitions.every((partition) => this.#isEnough(call, partition, sinceMs, world))
  }

  #isEnough(call: Call, partition: PartitionId, sinceMs: number, world: SimWorld): boolean {
    const { config } = world.options
    const keys = call.keys.filter((key) => partitionOf(key, config.partitions) === partition)
    const neededOf = (places: number): number =>
      call.kind === 'put' ? askedOf(call, places, config) : quorumOf(call, places, config)
    const rows = this.#rows.rowsOf(call, partition)
    return rows.every((row, place) => {
      // Who has just been filled does not serve at once.
      const before = rows[place - 1]?.owners ?? row.owners
      const isWell = (node: NodeId | null, isServing: boolean): boolean =>
        node !== null &&
        (!isServing || before.includes(node)) &&
        this.#isWell(node, sinceMs) &&
        isReachable(call.gateway, node, sinceMs, world) &&
        !keys.some((key) => this.#damage.isDamagedSince(node, key, sinceMs, world))
      const owners = row.owners.filter((node) => isWell(node, true)).length
      if (owners < neededOf(row.owners.length)) return false
      const after = newOwnersOf(row)
      return (
        call.kind !== 'put' ||
        !isJoint(row) ||
        after.filter((node) => isWell(node, false)).length >= neededOf(after.length)
      )
    })
  }

  /** Where any node may be the coordinator. */
  #isEverybodyWell(call: Call, sinceMs: number, world: SimWorld): boolean {
    const nodes = [...world.nodes.keys()]
    const all = [call.gateway, ...nodes]
    return (
      nodes.every((node) => this.#isWell(node, sinceMs)) &&
      all.every((from) => nodes.every((to) => from === to || isReachable(from, to, sinceMs, world))) &&
      !call.keys.some((key) => nodes.some((node) => this.#damage.isDamagedSince(node, key, sinceMs, world)))
    )
  }

  #isWell(node: NodeId, sinceMs: number): boolean {
    const health = this.#health.get(node)
    return health !== undefined && health.troubledAtMs < sinceMs
  }

  #healthOf(node: NodeId): Health {
    const never = Number.NEGATIVE_INFINITY
    const times = { troubledAtMs: never, notDownAtMs: never, downAtMs: never, fullAtMs: never }
    const health = this.#health.get(node) ?? { life: undefined, ...times }
    this.#health.set(node, health)
    return health
  }
}

/** Owners, of so many, that a call asks for. */
function askedOf({ kind, quorum }: Call, places: number, config: GatewayConfig): number {
  if (quorum !== MAJORITY) return quorum
  return kind === 'put' ? writeQuorumOf(config, places) : readQuorumOf(config, places)
}

/** Owners that it needs. A read of several may have to write back; without a shared clock a write asks for stamps first. */
function quorumOf(call: Call, places: number, config: GatewayConfig): number {
  const { sharedClock, conflict } = config
  const asked = askedOf(call, places, config)
  const w = writeQuorumOf(config, places)
  if (call.kind === 'put')
    return sharedClock || conflict === 'siblings'
      ? asked
      : Math.max(asked, readQuorumOf(config, places), places - w + 1)
  return call.quorum === 1 ? 1 : Math.max(asked, w, places - asked + 1)
}

/** Places that a call needs a quorum of: of a write of a row that changes, the old and the new. */
function placesOf({ kind }: Call, row: Row): readonly (readonly (NodeId | null)[])[] {
  return kind === 'put' && isJoint(row) ? [row.owners, newOwnersOf(row)] : [row.owners]
}

/** Those that a failure can come of: of a logged batch also that of its log, which the failure names. */
function partitionsBehind(call: Call, { partition }: Failure, count: number): readonly PartitionId[] {
  const own = partitionsOf(call, count)
  if (!call.logged || own.length < 2) return own
  return partition === undefined ? Array.from({ length: count }, (_, each) => each) : [...new Set([...own, partition])]
}

function partitionsOf({ kind, keys }: Call, partitions: number): readonly PartitionId[] {
  if (kind === 'scan') return Array.from({ length: partitions }, (_, partition) => partition)
  return [...new Set(keys.map((key: Key) => partitionOf(key, partitions)))]
}

function isReachable(from: GatewayId | NodeId, to: NodeId, sinceMs: number, { network }: SimWorld): boolean {
  return network.healthySinceMs(from, to) < sinceMs && network.healthySinceMs(to, from) < sinceMs
}

function isOverloaded(id: GatewayId, world: SimWorld): boolean {
  const { requestsInFlightMax, bytesInFlightMax } = world.options.config
  const load = world.gateways.get(id)?.core.load()
  return load === undefined || load.running >= requestsInFlightMax || load.bytes >= bytesInFlightMax
}
