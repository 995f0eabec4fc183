/**
 * Takes one request to its end: to whom, what a refusal means, when to try again, with which error it ends.
 *
 * A refusal is definite, and is tried again within the deadline: at the node that Redis names, or after another look at the topology.
 * A write that was sent and not answered is never sent again: the second one could come back over a newer value.
 *
 * Errors: those of `KeyValueStore`.
 */

import { inSpan } from '../../observe/spans.js'
import type { PartitionId } from '../../protocol/ids.js'
import { CoterieError, type ErrorFacts } from '../../shared/errors.js'
import type { Answer, Argument, Reply } from './connection.js'
import type { Connections } from './connections.js'
import type { KeyNames } from './key-names.js'
import type { RedisAddress } from './options.js'
import { type Place, placeOf } from './placement.js'
import { type Refusal, refusalOf } from './refusals.js'
import type { Script } from './scripts.js'
import type { Topology } from './topology.js'
import type { TopologyWatch } from './topology-watch.js'
import { within } from './within.js'
import { type Landing, type Write, WriteLane } from './write-lane.js'

interface RequesterOptions {
  readonly names: KeyNames
  readonly connections: Connections
  readonly watch: TopologyWatch
  readonly isClosed: () => boolean
}

/** A write of one partition. */
export interface WriteRequest {
  readonly partition: PartitionId
  readonly script: Script
  readonly keys: readonly Argument[]
  readonly args: readonly Argument[]
  readonly bytes: number
  readonly w: number
  readonly deadlineMs: number
  /** Much of it, and no caller waits for it. */
  readonly isBulk?: boolean
}

/** A read of one partition. */
export interface ReadRequest {
  readonly partition: PartitionId
  readonly command: readonly [name: string, ...args: Argument[]]
  /** By which a node that does not know its digest is asked instead. */
  readonly asText?: readonly [name: string, ...args: Argument[]]
  /** What is done instead while its keys are at two nodes. */
  readonly whileMoving?: () => Promise<Reply>
  readonly r: number
  readonly deadlineMs: number
}

/** Where the next attempt goes, if Redis has named a node. */
interface Redirection {
  readonly address: RedisAddress
  readonly isAsk: boolean
}

export class Requester {
  readonly #options: RequesterOptions
  readonly #lanes = new Map<string, { readonly address: RedisAddress; readonly lane: WriteLane }>()
  #turn = 0

  constructor(options: RequesterOptions) {
    this.#options = options
  }

  /** Writes that wait for their node, by its id. */
  waitingAt(node: string): number {
    let waiting = 0
    for (const [id, { lane }] of this.#lanes) if (id.startsWith(`${node} `)) waiting += lane.waiting
    return waiting
  }

  /** Whoever is a master no more gets nothing more, and what it has not answered is not waited for. */
  onTopology({ nodes }: Topology): void {
    for (const [id, { address, lane }] of this.#lanes) {
      const node = nodes.find(({ host, port }) => host === address.host && port === address.port)
      if (node !== undefined && node.role === 'master' && node.health !== 'down') continue
      this.#lanes.delete(id)
      lane.turnBack()
      this.#options.connections.end(address)
    }
  }

  /** Resolves with the script's reply once w copies have it. */
  async write(request: WriteRequest): Promise<Reply> {
    const { partition, w, deadlineMs, isBulk = false } = request
    let redirection: Redirection | undefined
    for (;;) {
      const place = await this.#placeFor(partition, deadlineMs)
      if (redirection === undefined && place.replicas.length < w - 1)
        throw failure('QUORUM_UNAVAILABLE', { partition, needed: w, got: 1 + place.replicas.length })
      const address: RedisAddress = redirection?.address ?? place.master
      const send = () => this.#laneTo(address, { w, isBulk }).send(writeOf(request, redirection?.isAsk === true))
      const landing = await inSpan('replica write', factsOf(address, partition), send, ({ type }) =>
        type === 'written' ? 'ok' : type,
      )
      if (landing.type === 'written' && landing.copies >= w) return landing.reply as Reply
      redirection = redirectionOf(this.#refusalOfLanding(landing, partition, w))
      await this.#beforeNext(redirection, { partition, deadlineMs })
    }
  }

  /** Resolves with the reply of a copy: of the master if r is more than one. */
  async read(request: ReadRequest): Promise<Reply> {
    const { partition, deadlineMs, r } = request
    let redirection: Redirection | undefined
    let command = request.command
    for (let attempt = 0; ; attempt++) {
      const place = await this.#placeFor(partition, deadlineMs)
      const to = redirection ?? this.#copyFor(place, r, attempt)
      const answer = await inSpan(
        'replica read',
        factsOf(to.address, partition),
        () => this.#ask(to, command, deadlineMs),
        (asked) => (asked === undefined ? 'unanswered' : asked.type === 'reply' ? 'ok' : asked.type),
      )
      if (answer === undefined) throw this.#late(partition)
      if (answer.type === 'reply') return answer.reply
      const refusal = answer.type === 'refused' ? refusalOf(answer.text) : LATER
      if (refusal.type === 'definite') throw definite(refusal.code, answer, partition)
      if (refusal.type === 'script' && request.asText !== undefined) {
        command = request.asText
        continue
      }
      if (refusal.type === 'moving' && request.whileMoving !== undefined) return request.whileMoving()
      redirection = redirectionOf(refusal)
      await this.#beforeNext(redirection, { partition, deadlineMs })
    }
  }

  /** Undefined: the deadline has passed. */
  async #ask(
    to: { readonly address: RedisAddress; readonly isAsk?: boolean; readonly isReplica?: boolean },
    command: ReadRequest['command'],
    deadlineMs: number,
  ): Promise<Answer | undefined> {
    const connection = this.#options.connections.get(to.address, to.isReplica === true ? 'read-replica' : 'read')
    if (connection === undefined) return { type: 'lost' }
    return within(deadlineMs - performance.now(), async () => {
      if (!connection.isReady && !((await connection.ready) && connection.isReady)) return { type: 'lost' as const }
      if (to.isAsk === true) void connection.send('ASKING')
      return connection.send(...command)
    })
  }

  /** What keeps a write for so many copies from being sent now: there is no master, or too few replicas. Undefined: nothing. */
  lackOf(partition: PartitionId, w: number): 'away' | 'copies' | undefined {
    const place = placeOf(this.#options.watch.topology, this.#options.names, partition)
    if (place === undefined) return 'away'
    return place.replicas.length < w - 1 ? 'copies' : undefined
  }

  /** Waits for a topology in which the partition has a master. Errors: TIMEOUT, CLOSED. */
  async #placeFor(partition: PartitionId, deadlineMs: number): Promise<Place> {
    const { watch, names, isClosed } = this.#options
    for (;;) {
      if (isClosed()) throw new CoterieError('CLOSED')
      const place = placeOf(watch.topology, names, partition)
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw this.#late(partition)
      if (place !== undefined) return place
      await watch.lookAgain(leftMs)
    }
  }

  /** With r = 1 the replicas take turns; one that could not be asked is followed by the next one, and at last by the master. */
  #copyFor({ master, replicas }: Place, r: number, attempt: number): { address: RedisAddress; isReplica: boolean } {
    if (r > 1 || replicas.length === 0 || attempt >= replicas.length) return { address: master, isReplica: false }
    this.#turn = (this.#turn + 1) % 1_000_000
    const replica = replicas[(this.#turn + attempt) % replicas.length]
    return replica === undefined ? { address: master, isReplica: false } : { address: replica, isReplica: true }
  }

  #laneTo({ host, port }: RedisAddress, use: { readonly w: number; readonly isBulk: boolean }): WriteLane {
    const id = `${host}:${port} w${use.w}${use.isBulk ? '-bulk' : ''}`
    const known = this.#lanes.get(id)
    if (known !== undefined) return known.lane
    const lane = new WriteLane(this.#options.connections, { host, port }, use)
    this.#lanes.set(id, { address: { host, port }, lane })
    return lane
  }

  /** What is to be tried again. Throws what is not. */
  #refusalOfLanding(landing: Landing, partition: PartitionId, w: number): Refusal {
    const { isClosed } = this.#options
    if (landing.type === 'refused') {
      const refusal = refusalOf(landing.text)
      if (refusal.type === 'definite') throw definite(refusal.code, landing, partition)
      return refusal
    }
    if (landing.type === 'unsent') return LATER
    if (landing.type === 'late' && !landing.wasSent) throw this.#late(partition)
    if (isClosed() && landing.type === 'unknown') throw failure('OUTCOME_UNKNOWN', { partition, closed: true })
    throw failure('OUTCOME_UNKNOWN', {
      partition,
      needed: w,
      ...(landing.type === 'written' ? { got: landing.copies } : {}),
    })
  }

  /** A node that Redis names is asked at once; otherwise another look at the topology comes first. */
  async #beforeNext(
    redirection: Redirection | undefined,
    { partition, deadlineMs }: { readonly partition: PartitionId; readonly deadlineMs: number },
  ): Promise<void> {
    const leftMs = deadlineMs - performance.now()
    if (leftMs <= 0) throw this.#late(partition)
    const looked = this.#options.watch.lookAgain(leftMs)
    if (redirection === undefined) await looked
  }

  #late(partition: PartitionId): CoterieError {
    return this.#options.isClosed() ? new CoterieError('CLOSED') : failure('TIMEOUT', { partition })
  }
}

function factsOf({ host, port }: RedisAddress, partition: PartitionId) {
  return {
    'coterie.node': `${host}:${port}`,
    'coterie.partition': partition,
    'server.address': host,
    'server.port': port,
  }
}

const LATER: Refusal = { type: 'later' }

function writeOf({ script, keys, args, bytes, deadlineMs }: WriteRequest, isAsking: boolean): Write {
  return { script, keys, args, bytes, deadlineMs, isAsking }
}

function redirectionOf(refusal: Refusal): Redirection | undefined {
  if (refusal.type !== 'elsewhere') return undefined
  const { address, isAsk } = refusal
  const colon = address.lastIndexOf(':')
  return { address: { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }, isAsk }
}

function definite(code: CoterieError['code'], answer: { readonly type: string }, partition: PartitionId): CoterieError {
  if (!('text' in answer)) return failure(code, { partition })
  return new CoterieError(code, `Redis refuses: ${answer.text}`, { partition, reply: answer.text })
}

export function failure(code: CoterieError['code'], facts: ErrorFacts): CoterieError {
  return new CoterieError(code, undefined, facts)
}
