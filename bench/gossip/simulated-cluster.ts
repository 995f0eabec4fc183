/**
 * Many real membership machines on one virtual clock. Mail takes 1 to 5 ms and may be lost; a member may fall silent.
 * Deterministic for a seed. Unlike the tests' virtual cluster it is made for a thousand members: a member's next tick is an
 * event like a message, so that nothing is done per member and event.
 */

import type { MembershipMessage } from '../../src/protocol/membership/gossip.js'
import { Membership } from '../../src/protocol/membership/membership.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'
import type { MembershipOutput } from '../../src/protocol/membership/membership-output.js'
import { Prng } from '../../src/protocol/prng.js'
import { EventQueue } from './event-queue.js'
import { Traffic } from './traffic.js'

const MAIL_MS_MIN = 1
const MAIL_MS_SPREAD = 5
/** From this many members on, one message in 16 is serialized to learn its size. */
const MEMBERS_SAMPLED_MIN = 100
const SAMPLE_EVERY = 16

interface Member {
  readonly id: string
  readonly machine: Membership
  /** The tick that is in the queue; a tick at any other time is a leftover. */
  tickAtMs: number
  isSilent: boolean
}

type Event =
  | { readonly type: 'tick'; readonly member: Member }
  | { readonly type: 'mail'; readonly from: string; readonly to: Member; readonly message: MembershipMessage }

/** A status seen to change. */
export type StatusOutput = Extract<MembershipOutput, { readonly type: 'status' }>

export class SimulatedCluster {
  readonly ids: readonly string[]
  readonly prng: Prng
  nowMs = 0
  /** 0 … 1: how much of the mail is lost. */
  loss = 0
  traffic: Traffic
  /** Called after each input of a member that is not silent. */
  onInput: (id: string, machine: Membership) => void = () => undefined
  onStatus: (by: string, output: StatusOutput) => void = () => undefined
  readonly #members: ReadonlyMap<string, Member>
  readonly #queue = new EventQueue<Event>()

  /** Members that know each other and are up, their clocks apart as threads' are. */
  constructor(count: number, seed: number) {
    this.prng = new Prng(seed)
    this.ids = Array.from({ length: count }, (_, index) => `node${index + 1}`)
    this.traffic = this.#newTraffic()
    this.#members = new Map(
      this.ids.map((id, index) => [
        id,
        spawn(id, seed * 1_009 + index, this.prng.below(MEMBERSHIP_DEFAULTS.heartbeatMs)),
      ]),
    )
    for (const id of this.ids) this.feed(id, (machine) => machine.becomeUp(0))
    // What an exchange with each would have brought: views agree, and the members have yet to find that out.
    const members = this.ids.flatMap((id) => this.machine(id).memberOf(id) ?? [])
    for (const id of this.ids)
      this.feed(id, (machine) =>
        machine.onGossip({ type: 'gossip/ack2', members, epoch: 0 }, id === 'node1' ? 'node2' : 'node1', 0),
      )
  }

  machine(id: string): Membership {
    return this.#member(id).machine
  }

  /** The members that still speak. */
  speaking(): readonly string[] {
    return this.ids.filter((id) => !this.#member(id).isSilent)
  }

  /** From now on the member neither hears nor says anything, and nobody is told. */
  silence(id: string): void {
    this.#member(id).isSilent = true
  }

  feed(id: string, input: (machine: Membership) => MembershipOutput[]): void {
    const member = this.#member(id)
    this.#take(member, input(member.machine))
  }

  /** Counts from zero again. */
  startCounting(): void {
    this.traffic = this.#newTraffic()
  }

  runFor(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** Runs until the condition holds, asked after each event. False if it did not within the limit. */
  runUntil(isDone: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs
    while (!isDone()) {
      const next = this.#queue.takeUntil(endMs)
      if (next === undefined) {
        this.nowMs = endMs
        return false
      }
      this.nowMs = next.atMs
      this.#play(next.event)
    }
    return true
  }

  #play(event: Event): void {
    const member = event.type === 'tick' ? event.member : event.to
    if (member.isSilent) return
    if (event.type === 'mail') this.#take(member, deliver(event.message, event.from, member.machine, this.nowMs))
    else if (member.tickAtMs === this.nowMs) {
      member.tickAtMs = Number.POSITIVE_INFINITY
      const outputs = member.machine.onTick(this.nowMs)
      const syns = outputs.filter((output) => output.type === 'send' && output.message.type === 'gossip/syn').length
      if (syns > 0) this.traffic.onRound(syns)
      this.#take(member, outputs)
    }
  }

  #take(member: Member, outputs: readonly MembershipOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'status') this.onStatus(member.id, output)
      else if (output.type === 'send') this.#post(member.id, output.to, output.message)
    }
    const dueMs = member.machine.nextDeadline()
    if (dueMs < member.tickAtMs) {
      member.tickAtMs = Math.max(dueMs, this.nowMs)
      this.#queue.add(member.tickAtMs, { type: 'tick', member })
    }
    this.onInput(member.id, member.machine)
  }

  #post(from: string, to: string, message: MembershipMessage): void {
    this.traffic.onSent(message)
    const isLost = this.loss > 0 && this.prng.next() < this.loss
    const mailMs = MAIL_MS_MIN + this.prng.below(MAIL_MS_SPREAD)
    if (!isLost) this.#queue.add(this.nowMs + mailMs, { type: 'mail', from, to: this.#member(to), message })
  }

  #member(id: string): Member {
    const member = this.#members.get(id)
    if (member === undefined) throw new Error(`no ${id}`)
    return member
  }

  #newTraffic(): Traffic {
    return new Traffic(this.ids.length < MEMBERS_SAMPLED_MIN ? 1 : SAMPLE_EVERY)
  }
}

function spawn(id: string, seed: number, nowMs: number): Member {
  const machine = new Membership({ self: id, incarnation: 1, config: MEMBERSHIP_DEFAULTS, seed, nowMs })
  return { id, machine, tickAtMs: Number.POSITIVE_INFINITY, isSilent: false }
}

function deliver(message: MembershipMessage, from: string, machine: Membership, nowMs: number): MembershipOutput[] {
  return message.type === 'membership/heartbeat'
    ? machine.onHeartbeat(from, message.incarnation, message.counter, nowMs)
    : machine.onGossip(message, from, nowMs)
}
