/**
 * What a scenario shows of a simulated world: one line for each message when it is sent, for each thing that a store
 * accepts, for each notice. What several nodes do alike at the same time is one line.
 *
 * An observer; changes nothing. Called by `commands.ts`, which takes the lines of each block.
 */

import type { OperationOutcome } from '../../src/protocol/coordinator/request.js'
import type { Notice } from '../../src/protocol/effects.js'
import type { Address, Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import type { StoreWrite } from '../../src/protocol/store-contract.js'
import type { SupervisorNotice } from '../../src/protocol/supervision/supervisor-events.js'
import type { Call } from '../../src/sim/call.js'
import type { Mail, Observer } from '../../src/sim/observer.js'
import { describeFacts, describeMessage, describeOutcome, describeWrite } from '../../src/sim/trace.js'
import type { Focus } from './focus.js'

/** What can be shown beside messages; those go by their area, the word before the slash. */
const OTHER_TOPICS = ['call', 'store', 'life', 'notice', 'epoch']
const MESSAGE_TOPICS = [
  'replica',
  'coordinate',
  'link',
  'hint',
  'transfer',
  'exchange',
  'reap',
  'table',
  'peer',
  'gateway',
  'retire',
  'heal',
]
/** Most of what is said, and seldom what a scenario is about. */
const CHATTER = ['gossip', 'membership', 'member']
const WHO_WIDTH = 28

interface Line {
  readonly atMs: number
  readonly from: Address[]
  /** Empty: nothing is sent. */
  readonly arrow: '' | '→' | '✗'
  readonly to: Address[]
  readonly text: string
}

export class Transcript implements Observer {
  #lines: (Line | string)[] = []
  #beganAtMs = 0
  readonly #shown = new Set([...OTHER_TOPICS, ...MESSAGE_TOPICS])
  /** The last mail that was sent, and its line: it may turn out that the link was cut. */
  #last: { readonly mail: Mail; readonly place: number; readonly isMerged: boolean } | undefined
  /** Undefined: everything is looked at. */
  focus: Focus | undefined
  now: () => number = () => 0

  /** Errors: RangeError for what nobody ever says. */
  choose(verb: 'show' | 'hide' | 'only', topics: readonly string[]): void {
    const known = [...OTHER_TOPICS, ...MESSAGE_TOPICS, ...CHATTER]
    for (const topic of topics) if (!known.includes(topic)) throw new RangeError(`${verb} ${topic}: one of ${known}`)
    if (verb === 'only') this.#shown.clear()
    for (const topic of topics) verb === 'hide' ? this.#shown.delete(topic) : this.#shown.add(topic)
  }

  /** Times are counted from here. */
  begin(): void {
    this.#lines = []
    this.#beganAtMs = this.now()
  }

  /** What happens meanwhile is not shown. */
  quietly(run: () => void): void {
    const lines = this.#lines
    this.#lines = []
    run()
    this.#lines = lines
  }

  /** A line that is an answer, and no event. */
  say(text: string): void {
    this.#lines.push(text)
  }

  /** Something that happens to one or several. */
  note(topic: string, who: Address, text: string): void {
    if (this.#shown.has(topic)) this.#add({ atMs: this.now(), from: [who], arrow: '', to: [], text })
  }

  text(): string[] {
    return this.#lines.map((line) => (typeof line === 'string' ? line : this.#render(line)))
  }

  onEnd({ kind, keys, texts, gateway }: Call, outcome: OperationOutcome): void {
    const verb = kind !== 'put' ? kind : keys.length > 1 ? 'batch' : texts[0] === null ? 'delete' : 'put'
    this.note('call', gateway, `${[verb, ...keys].join(' ')} ends: ${describeOutcome(outcome)}`)
  }

  onSend(mail: Mail): void {
    this.#last = undefined
    const message = this.#shownOf(mail)
    if (message === undefined) return
    const { from, to } = mail
    const line: Line = { atMs: this.now(), from: [from], arrow: '→', to: [to], text: textOf(message) }
    this.#last = { mail, ...this.#add(line) }
  }

  onLost(mail: Mail): void {
    const message = this.#shownOf(mail)
    if (message === undefined) return
    const { from, to } = mail
    if (this.#last?.mail === mail) this.#takeBack(this.#last)
    this.#last = undefined
    this.#add({ atMs: this.now(), from: [from], arrow: '✗', to: [to], text: `${textOf(message)} is lost` })
  }

  onSpawn(node: NodeId, incarnation: Incarnation): void {
    this.note('life', node, `life ${incarnation} begins`)
  }

  onOpened(node: NodeId, { verdict, reason }: { readonly verdict: string; readonly reason: string }): void {
    this.note('life', node, `has opened its store: ${verdict} (${reason})`)
  }

  onBoot(node: NodeId, { epoch }: PartitionTable): void {
    this.note('life', node, `boots with epoch ${epoch}`)
  }

  onDeath(node: NodeId, reason: string): void {
    this.note('life', node, `ends: ${reason}`)
  }

  onLinkClosed(gateway: Address, node: NodeId, incarnation: number): void {
    this.note('life', gateway, `its link to ${node} life ${incarnation} is closed`)
  }

  onGateway(gateway: Address, isThere: boolean): void {
    this.note('life', gateway, isThere ? 'is there' : 'is gone')
  }

  onAccepted(node: NodeId, write: StoreWrite): void {
    const { meta } = write
    if (
      meta?.['table'] !== undefined &&
      this.focus?.hasEpoch((JSON.parse(meta['table']) as PartitionTable).epoch) === false
    )
      return
    const what = describeWrite(write)
    // An empty one is there for what stands before it.
    if (what !== '') this.note('store', node, `its store has ${what}`)
  }

  onPersisted(table: PartitionTable): void {
    this.focus?.onTable(table)
    const { epoch } = table
    if (this.focus?.hasEpoch(epoch) !== false) this.note('epoch', 'supervisor', `epoch ${epoch} is on disk`)
  }

  onNotice(from: Address, notice: Notice | SupervisorNotice): void {
    const { type, ...facts } = notice
    if (notice.type === 'epoch' && this.focus?.hasEpoch(notice.epoch) === false) return
    if (notice.type === 'transfer' && this.focus?.hasOneOf(notice.partitions) === false) return
    // In a transcript every message is there.
    if (type === 'transfer/progress') return
    if (type === 'member/status') {
      const { node, from: before, to } = facts as { node: NodeId; from: string; to: string }
      this.note('member', from, `sees ${node} go from ${before} to ${to}`)
      return
    }
    this.note('notice', from, `notice ${type}: ${describeFacts(facts)}`)
  }

  #shownOf(mail: Mail): Message | undefined {
    const { type } = mail.message
    if (!this.#shown.has(type.slice(0, type.indexOf('/')))) return undefined
    return this.focus === undefined ? mail.message : this.focus.narrow(mail)
  }

  /** Where it stands now; with another that says the same at the same time, if there is one. */
  #add(line: Line): { readonly place: number; readonly isMerged: boolean } {
    const place = this.#lines.findIndex((earlier) => typeof earlier !== 'string' && isLike(earlier, line))
    const like = this.#lines[place]
    if (like === undefined || typeof like === 'string') {
      this.#lines.push(line)
      return { place: this.#lines.length - 1, isMerged: false }
    }
    if (isSame(like.from, line.from)) like.to.push(...line.to)
    else like.from.push(...line.from)
    return { place, isMerged: true }
  }

  #takeBack({ mail, place, isMerged }: { mail: Mail; place: number; isMerged: boolean }): void {
    const line = this.#lines[place]
    if (line === undefined || typeof line === 'string') return
    if (!isMerged) this.#lines.splice(place, 1)
    else if (line.to.at(-1) === mail.to && line.to.length > 1) line.to.pop()
    else line.from.pop()
  }

  #render({ atMs, from, arrow, to, text }: Line): string {
    const time = (atMs - this.#beganAtMs).toFixed(1).padStart(8)
    const who = arrow === '' ? listOf(from) : `${listOf(from)} ${arrow} ${listOf(to)}`
    return `${time}  ${who.padEnd(WHO_WIDTH)}  ${text}`
  }
}

function isLike(a: Line, b: Line): boolean {
  if (a.atMs !== b.atMs || a.arrow !== b.arrow || a.text !== b.text) return false
  if (a.arrow === '') return !a.from.some((who) => b.from.includes(who))
  // One to many, or many to one: never a matrix, in which nobody could say who spoke to whom.
  const isOneToMany = isSame(a.from, b.from) && !a.to.some((who) => b.to.includes(who))
  return isOneToMany || (isSame(a.to, b.to) && a.to.length === 1 && !a.from.some((who) => b.from.includes(who)))
}

function isSame(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((who, place) => who === b[place])
}

function listOf(who: readonly Address[]): string {
  return [...who].sort().join(' ')
}

/** Without the message's number: what it answers can be seen. */
function textOf(message: Message): string {
  return describeMessage(message).replace(/^(\S+) (?:re )?#\S+/, '$1')
}
