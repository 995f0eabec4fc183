/**
 * A run as a person can read it: one line for each thing that happened, with its virtual time. The lines of one seed are the
 * same in every run, to the byte.
 *
 * An observer; changes nothing.
 */

import type { OperationOutcome, ScanPage } from '../protocol/coordinator/request.js'
import type { Notice } from '../protocol/effects.js'
import type { Address, GatewayId, Incarnation, NodeId } from '../protocol/ids.js'
import type { MemberState } from '../protocol/membership/member.js'
import { type Message, PURPOSE, type Purpose, REPLY } from '../protocol/messages.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { StoreWrite } from '../protocol/store-contract.js'
import type { SupervisorNotice } from '../protocol/supervision/supervisor-events.js'
import type { VersionRecord } from '../protocol/versions/record.js'
import type { Call, PageAsked } from './call.js'
import { textsOf } from './checkers/checker.js'
import type { Mail, Observer } from './observer.js'
import type { SimWorld } from './world.js'

const PURPOSE_NAMES = Object.fromEntries(Object.entries(PURPOSE).map(([name, purpose]) => [purpose, name]))
const STATUS_NAMES = Object.fromEntries(Object.entries(REPLY).map(([name, status]) => [status, name]))
/** Keys shown of a long list. */
const SHOWN_MAX = 6

/** Gossip and heartbeats are most of what is said. */
export interface TraceOptions {
  readonly isShown?: (message: Message) => boolean
}

export class Trace implements Observer {
  readonly lines: string[] = []
  readonly #isShown: (message: Message) => boolean
  #world: SimWorld | undefined

  constructor({ isShown = () => true }: TraceOptions = {}) {
    this.#isShown = isShown
  }

  onWorld(world: SimWorld): void {
    this.#world = world
  }

  onCall(call: Call): void {
    this.#add(`${call.gateway}  CALL ${call.number}  ${describeCall(call)}`)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    this.#add(`${call.gateway}  END ${call.number}  ${describeOutcome(outcome)}`)
  }

  onStrayEnd(gateway: GatewayId, number: number, outcome: OperationOutcome): void {
    this.#add(`${gateway}  END ${number} AGAIN  ${describeOutcome(outcome)}`)
  }

  onSend({ from, to, message }: Mail): void {
    if (this.#isShown(message)) this.#add(`${from} → ${to}  ${describeMessage(message)}`)
  }

  onDelivered({ from, to, message }: Mail): void {
    if (this.#isShown(message)) this.#add(`${to} ← ${from}  ${labelOf(message)}`)
  }

  onLost({ from, to, message }: Mail): void {
    if (this.#isShown(message)) this.#add(`${from} ✗ ${to}  ${labelOf(message)} is lost`)
  }

  onSpawn(node: NodeId, incarnation: Incarnation): void {
    this.#add(`${node}  life ${incarnation} begins`)
  }

  onOpened(node: NodeId, { verdict, reason }: { readonly verdict: string; readonly reason: string }): void {
    this.#add(`${node}  opened its store: ${verdict} (${reason})`)
  }

  onBoot(node: NodeId, { epoch }: PartitionTable): void {
    this.#add(`${node}  boots with epoch ${epoch}`)
  }

  onDeath(node: NodeId, reason: string): void {
    this.#add(`${node}  ends: ${reason}`)
  }

  onLinkClosed(gateway: GatewayId, node: NodeId, incarnation: Incarnation): void {
    this.#add(`${gateway}  its link to ${node} life ${incarnation} is closed`)
  }

  onAccepted(node: NodeId, write: StoreWrite): void {
    this.#add(`${node}  store has ${describeWrite(write)}`)
  }

  onPersisted({ epoch }: PartitionTable): void {
    this.#add(`supervisor  epoch ${epoch} is on disk`)
  }

  onNotice(from: Address, notice: Notice | SupervisorNotice): void {
    const { type, ...facts } = notice
    this.#add(`${from}  NOTICE ${type} ${describeFacts(facts)}`)
  }

  onGateway(gateway: GatewayId, isThere: boolean): void {
    this.#add(`${gateway}  ${isThere ? 'is there' : 'is gone'}`)
  }

  onFault(text: string): void {
    this.#add(`FAULT  ${text}`)
  }

  #add(text: string): void {
    this.lines.push(`${(this.#world?.nowMs ?? 0).toFixed(3).padStart(10)}  ${text}`)
  }
}

function describeCall(call: Call): string {
  const { kind, keys, texts, quorum, sloppy, context } = call
  const options = `${kind === 'put' ? 'w' : 'r'}=${quorum || 'majority'}${sloppy ? ' sloppy' : ''}${context === undefined ? '' : ` context ${JSON.stringify(context)}`}`
  if (kind === 'scan') return `scan ${describePage(call.page)} ${options}`
  if (kind === 'get') return `get ${listOf(keys)} ${options}`
  const pairs = keys.map((key, place) => `${key}=${texts[place] ?? 'deleted'}`)
  return `put ${listOf(pairs)} ${options}`
}

function describePage({ range, limit }: PageAsked): string {
  const { from, fromExclusive, to, toExclusive, reverse } = range
  const low = from === undefined ? '' : `${from}${fromExclusive === true ? ' excluded' : ''} `
  const high = to === undefined ? '' : ` ${to}${toExclusive === true ? ' excluded' : ''}`
  return `${low}…${high}${reverse ? ' reverse' : ''}, at most ${limit}`
}

export function describeOutcome(outcome: OperationOutcome): string {
  switch (outcome.type) {
    case 'value':
      return `value ${describeRecord(outcome.record)}`
    case 'page':
      return `page of ${describeRows(outcome.page)}${outcome.page.next === undefined ? '' : `, more after ${outcome.page.next}`}`
    case 'failed': {
      const { code, ...facts } = outcome.failure
      return `${code} ${describeFacts(facts)}`
    }
    default:
      return outcome.type
  }
}

function describeRows({ keys, records }: ScanPage): string {
  const rows = keys.map((key, place) => `${key}=${describeRecord(records[place])}`)
  return rows.length === 0 ? '0' : `${rows.length}: ${listOf(rows)}`
}

function labelOf(message: Message): string {
  const id =
    'id' in message ? ` #${shortId(message.id)}` : 'replyTo' in message ? ` re #${shortId(message.replyTo)}` : ''
  return `${message.type}${id}`
}

/** Numbers of a node's messages begin at 2^32 times its life. */
function shortId(id: number): string {
  const life = Math.floor(id / 2 ** 32)
  return life === 0 ? String(id) : `${life}.${id % 2 ** 32}`
}

/** Everything that tells one message from another of its type. */
export function describeMessage(message: Message): string {
  const label = labelOf(message)
  switch (message.type) {
    case 'replica/read':
      return `${label}  ${listOf(message.keys)}${message.fallback ? ' from hints' : ''}`
    case 'replica/read-reply': {
      const answers = message.statuses.map((status, place) =>
        status === REPLY.ok ? describeRecord(message.records[place]) : (STATUS_NAMES[status] ?? '?'),
      )
      return `${label}  ${listOf(answers)}`
    }
    case 'replica/write':
      return `${label}  ${listOf(message.keys.map((key, place) => `${key}=${describeRecord(message.records[place])}`))}${purposeOf(message.purposes)}`
    case 'replica/write-reply':
    case 'hint/stored':
      return `${label}  ${listOf(message.statuses.map((status) => STATUS_NAMES[status] ?? '?'))}`
    case 'hint/store':
      return `${label}  ${listOf(message.keys.map((key, place) => `${key} for ${message.targets[place]}`))}`
    case 'coordinate/requests':
      return `${label}  ${listOf(message.requests.map((request) => `${request.kind} ${request.kind === 'get' ? request.key : request.keys.join(' ')}`))}`
    case 'coordinate/replies':
      return `${label}  ${listOf(message.outcomes.map(describeOutcome))}`
    case 'peer/changed':
      return `${label}  ${message.node} life ${message.incarnation} ${message.status}`
    case 'gateway/lost':
      return `${label}  ${message.gateway}`
    case 'member/declared':
      return `${label}  ${message.node} ${message.status}`
    case 'table/announce':
      return `${label}  epoch ${message.table.epoch}`
    case 'table/request':
    case 'table/stored':
    case 'table/activate':
      return `${label}  epoch ${message.epoch}`
    case 'transfer/start':
      return `${label}  ${listOf(message.orders.map(({ partition, sources }) => `partition ${partition} from ${sources.join(' and ')}`))}`
    case 'transfer/pull':
    case 'transfer/done':
      if ('roots' in message) return `${label}  roots of partitions ${listOf(message.partitions.map(String))}`
      return `${label}  partitions ${listOf(message.partitions.map(String))}`
    case 'transfer/chunk':
      if (message.isBlind === true) return `${label}  there are no trees`
      if (message.equal?.length === 0) return `${label}  none are equal`
      if (message.equal !== undefined) return `${label}  equal: partitions ${listOf(message.equal.map(String))}`
      return `${label}  ${STATUS_NAMES[message.status]} ${listOf(message.keys)}${message.next === undefined ? ', the last' : ''}`
    case 'exchange/start':
    case 'exchange/done':
      return `${label}  ${listOf(message.peers)}`
    case 'exchange/hashes':
      return `${label}  level ${message.level}, ${message.nodes.length} nodes`
    case 'exchange/unequal':
      return `${label}  ${message.places.length === 0 ? 'all equal' : `${message.places.length} not equal`}`
    case 'exchange/compare':
      return `${label}  ${listOf(message.keys)}`
    case 'exchange/differ':
      return `${label}  ${STATUS_NAMES[message.status]} ${listOf(message.keys)}${message.lacking.length === 0 ? '' : `, lacks ${listOf(message.lacking)}`}`
    case 'reap/start':
      return label
    case 'reap/ask':
    case 'reap/drop':
      return `${label}  ${listOf(message.keys)}`
    case 'reap/held':
      return `${label}  ${message.places.length} of them`
    case 'hint/lost':
      return `${label}  for ${listOf(message.targets)}`
    case 'heal/stuck': {
      const hopeless = message.hopeless.length === 0 ? '' : `, hopeless ${listOf(message.hopeless.map(String))}`
      return `${label}  partitions ${listOf(message.partitions.map(String))}${hopeless}`
    }
    case 'heal/start': {
      const { partition, salvaged, accepted } = message
      return `${label}  partition ${partition}, ${accepted ? 'the loss is accepted' : `with ${salvaged.join(' and ')}`}`
    }
    case 'gossip/syn':
      return `${label}  digests of ${listOf(message.digests.map(({ id }) => id))}`
    case 'gossip/ack':
      return `${label}  ${describeMembers(message.members)}${message.wanted.length === 0 ? '' : `; wants ${listOf(message.wanted)}`}`
    case 'gossip/ack2':
      return `${label}  ${describeMembers(message.members)}`
    case 'membership/heartbeat':
      return `${label}  beat ${message.counter}`
    default:
      return label
  }
}

/** Why it writes, where that is no caller's write. */
function purposeOf(purposes: readonly Purpose[]): string {
  const names = [...new Set(purposes)]
    .filter((purpose) => purpose !== PURPOSE.write)
    .map((purpose) => PURPOSE_NAMES[purpose])
  return names.length === 0 ? '' : ` (${names.join(', ')})`
}

function describeMembers(members: readonly MemberState[]): string {
  return members.length === 0 ? 'knows nothing better' : listOf(members.map(({ id, status }) => `${id} is ${status}`))
}

function describeRecord(record: VersionRecord | undefined): string {
  if (record === undefined) return 'nothing'
  const texts = textsOf(record)
  return texts.length === 0 ? 'deleted' : texts.join('|')
}

export function describeWrite({
  keys,
  records,
  keysDropped = [],
  hintsKept = [],
  hintsDropped = [],
  meta,
  sync,
}: StoreWrite): string {
  const parts: string[] = []
  if (keys.length > 0) parts.push(listOf(keys.map((key, place) => `${key}=${describeRecord(records[place])}`)))
  if (keysDropped.length > 0) parts.push(`dropped ${listOf(keysDropped)}`)
  if (hintsKept.length > 0) parts.push(`hints ${listOf(hintsKept.map(({ key, target }) => `${key} for ${target}`))}`)
  if (hintsDropped.length > 0)
    parts.push(`dropped hints ${listOf(hintsDropped.map(({ key, target }) => `${key} for ${target}`))}`)
  if (meta?.table !== undefined) parts.push(`the table of epoch ${(JSON.parse(meta.table) as PartitionTable).epoch}`)
  else if (meta?.['unclean'] !== undefined && parts.length === 0)
    parts.push(meta['unclean'] === '[]' ? 'nothing left to drop' : 'what it is to drop')
  // What asks for nothing but that everything before it is on the disk.
  return parts.length === 0 && sync === true ? 'all of it on the disk' : parts.join(', ')
}

function listOf(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN_MAX).join(', ')
  return texts.length <= SHOWN_MAX ? shown : `${shown} and ${texts.length - SHOWN_MAX} more`
}

export function describeFacts(facts: object): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name} ${Array.isArray(value) ? (value.length > SHOWN_MAX ? `${value.length} of them` : value.join(' ')) : value}`,
    )
    .join(', ')
}
