/**
 * The faults that stay in effect until `heal`: of links, disks and wall clocks. Keeps them as one value, which every living
 * node thread is told and every later one is given with its assignment; a call resolves once all of them act on it.
 *
 * Called by `faults.ts`, which has checked that faults are allowed.
 */

import { ControlError } from '../actors/control.js'
import {
  type FaultRules,
  type LinkFault,
  type LinkRule,
  NO_FAULTS,
  sendersIn,
  withoutLinks,
} from '../actors/runtime/fault-rules.js'
import type { NodeThread } from '../actors/runtime/node-thread.js'
import type { SupervisorActor } from '../actors/supervisor.actor.js'
import { type Address, type NodeId, SUPERVISOR } from './protocol/ids.js'
import { CoterieError } from './shared/errors.js'
import { FAILPOINTS, type Failpoint } from './shared/failpoints.js'
import type { Ids } from './shared/fault-calls.js'
import { checkNames, checkWhole, invalid } from './shared/options.js'

const MS_MAX = 600_000
/** A year. */
const SKEW_MS_MAX = 31_536_000_000
/** Of the rules of links at a time: each counts once for every id on the side that it is from. */
const SENDERS_MAX = 4_096
/** Failpoints at a time, and how often a node may come by one before it dies. */
const DEATHS_MAX = 1_000
const NTH_MAX = 1_000_000_000
/** How long a thread may take to say that it acts on a fault: it may hang, or be starting. */
const ANSWER_TIMEOUT_MS = 5_000

export class StandingFaults {
  readonly #supervisor: SupervisorActor
  /** One change after the other: one that is taken back leaves what was before it. */
  #changing: Promise<void> = Promise.resolve()

  constructor(supervisor: SupervisorActor) {
    this.#supervisor = supervisor
  }

  async cut(idsA: Ids, idsB: Ids): Promise<void> {
    const there = this.#rule(idsA, idsB, { type: 'cut' }, ['idsA', 'idsB'])
    await this.#add([there, { from: there.to, to: there.from, fault: there.fault }])
  }

  async cutOneWay(from: Ids, to: Ids): Promise<void> {
    await this.#add([this.#rule(from, to, { type: 'cut' })])
  }

  async delay(from: Ids, to: Ids, options: { ms: number; jitterMs?: number }): Promise<void> {
    checkNames(options, ['ms', 'jitterMs'])
    const ms = checkWhole('ms', options.ms, 0, MS_MAX)
    const jitterMs = checkWhole('jitterMs', options.jitterMs ?? 0, 0, MS_MAX)
    await this.#add([this.#rule(from, to, { type: 'delay', ms, jitterMs })])
  }

  async drop(from: Ids, to: Ids, options: { share: number }): Promise<void> {
    await this.#add([this.#rule(from, to, { type: 'drop', share: shareIn(options, ['share']) })])
  }

  async duplicate(from: Ids, to: Ids, options: { share: number }): Promise<void> {
    await this.#add([this.#rule(from, to, { type: 'duplicate', share: shareIn(options, ['share']) })])
  }

  async reorder(from: Ids, to: Ids, options: { share: number; ms: number }): Promise<void> {
    const share = shareIn(options, ['share', 'ms'])
    const ms = checkWhole('ms', options.ms, 1, MS_MAX)
    await this.#add([this.#rule(from, to, { type: 'reorder', share, ms })])
  }

  async slow(node: NodeId, options: { ms: number }): Promise<void> {
    checkNames(options, ['ms'])
    const ms = checkWhole('ms', options.ms, 1, MS_MAX)
    this.#checkRuns(node)
    await this.#change((rules) => ({ ...rules, slow: { ...rules.slow, [node]: ms } }))
  }

  async skewClock(node: NodeId, ms: number): Promise<void> {
    checkWhole('ms', ms, -SKEW_MS_MAX, SKEW_MS_MAX)
    this.#checkRuns(node)
    await this.#change((rules) => ({ ...rules, skew: { ...rules.skew, [node]: ms } }))
  }

  async failpoint(node: NodeId, point: Failpoint, options: { nth?: number }): Promise<void> {
    checkNames(options, ['nth'])
    const nth = checkWhole('nth', options.nth ?? 1, 1, NTH_MAX)
    if (!FAILPOINTS.includes(point))
      throw invalid('point', point, 'receive: or send: and the type of a message, as receive:transfer/chunk')
    this.#checkRuns(node)
    const left = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    Atomics.store(new Int32Array(left), 0, nth)
    await this.#change((rules) => {
      // Those that have killed are done with.
      const deaths = rules.deaths.filter((death) => Atomics.load(new Int32Array(death.left), 0) > 0)
      if (deaths.length >= DEATHS_MAX)
        throw invalid('faults', deaths.length, `at most ${DEATHS_MAX} failpoints at a time; heal() ends them`)
      return { ...rules, deaths: [...deaths, { node, point, left }] }
    })
  }

  /** Rules of many links go on for the others. */
  async healLinks(idsA: Ids, idsB: Ids): Promise<void> {
    const a = this.#addresses('idsA', idsA)
    const b = this.#addresses('idsB', idsB)
    const isHealed = (from: Address, to: Address) =>
      (a.includes(from) && b.includes(to)) || (b.includes(from) && a.includes(to))
    await this.#changeLinks((links) => withoutLinks(links, isHealed), 'heals')
  }

  async clear(): Promise<void> {
    await this.#change(() => NO_FAULTS, 'heals')
  }

  get #rules(): FaultRules {
    return this.#supervisor.faultRules ?? NO_FAULTS
  }

  #rule(
    fromIds: Ids,
    toIds: Ids,
    fault: LinkFault,
    [fromName, toName]: readonly [string, string] = ['from', 'to'],
  ): LinkRule {
    const from = this.#addresses(fromName, fromIds)
    const to = this.#addresses(toName, toIds)
    const isLink = (a: Address, b: Address) =>
      a !== b && !(this.#supervisor.isGateway(a) && this.#supervisor.isGateway(b))
    if (!from.some((a) => to.some((b) => isLink(a, b))))
      throw invalid(toName, to.join(', '), 'ids that have a link to the other side: two nodes, or a gateway and a node')
    return { from, to, fault }
  }

  #addresses(name: string, ids: Ids): readonly Address[] {
    const list: readonly unknown[] = Array.isArray(ids) ? ids : [ids]
    if (list.length === 0) throw invalid(name, ids, 'at least one id')
    return [...new Set(list)].map((id) => {
      if (typeof id !== 'string') throw invalid(name, id, 'ids of nodes and gateways')
      if (id === SUPERVISOR) throw invalid(name, id, 'nodes and gateways; the supervisor is the process itself')
      if (this.#supervisor.factsOf(id) === undefined && !this.#supervisor.isGateway(id))
        throw new CoterieError('UNKNOWN_NODE', `there is no node or gateway ${id}`, { node: id })
      return id
    })
  }

  #checkRuns(node: NodeId): void {
    const view = this.#supervisor.nodes().find(({ id }) => id === node)
    if (view === undefined) throw new CoterieError('UNKNOWN_NODE', `there is no node ${node}`, { node })
    if (view.phase === 'down') throw new CoterieError('NODE_NOT_RUNNING', undefined, { node })
  }

  async #add(added: readonly LinkRule[]): Promise<void> {
    await this.#changeLinks((before) => {
      const links = [...before, ...added]
      const senders = sendersIn(links)
      if (senders > SENDERS_MAX)
        throw invalid(
          'faults',
          senders,
          `rules for at most ${SENDERS_MAX} ids at a time, each rule counting its senders (a cut both sides); heal() ends them`,
        )
      return links
    })
  }

  async #changeLinks(make: (links: readonly LinkRule[]) => readonly LinkRule[], effect?: 'heals'): Promise<void> {
    await this.#change((rules) => {
      const links = make(rules.links)
      const ids = links.flatMap(({ from, to }) => [...from, ...to])
      const gateways = [...new Set(ids)].filter((id) => this.#supervisor.factsOf(id) === undefined)
      return { ...rules, links, gateways }
    }, effect)
  }

  #change(make: (rules: FaultRules) => FaultRules, effect?: 'heals'): Promise<void> {
    const changed = this.#changing.then(() => this.#changeNow(make, effect))
    // Its own caller hears of it.
    this.#changing = changed.catch(() => undefined)
    return changed
  }

  /**
   * Threads that are not assigned yet are given it with their assignment; of one that ends, the next is. What some thread does not
   * act on in time is taken back everywhere, unless it heals; that one hears of both, one after the other.
   */
  async #changeNow(make: (rules: FaultRules) => FaultRules, effect: 'heals' | undefined): Promise<void> {
    const before = this.#rules
    const rules = make(before)
    this.#supervisor.faultRules = rules
    const threads = this.#threads()
    const told = await Promise.all(threads.map((thread) => tell(thread, rules)))
    const silent = threads.filter((_, index) => !told[index])
    if (silent.length === 0) return
    if (effect !== 'heals') {
      this.#supervisor.faultRules = before
      // Those that are silent are not waited for once more.
      for (const thread of silent) void Promise.allSettled([tell(thread, before)])
      await Promise.all(this.#threads().flatMap((thread) => (silent.includes(thread) ? [] : [tell(thread, before)])))
    }
    const nodes = silent.map(({ node }) => node)
    throw new CoterieError('NODE_NOT_RUNNING', `${nodes.join(', ')} did not act on it within ${ANSWER_TIMEOUT_MS} ms`, {
      nodes,
    })
  }

  #threads(): NodeThread[] {
    return this.#supervisor.nodes().flatMap(({ id }) => {
      const thread = this.#supervisor.factsOf(id)?.thread
      return thread?.node === id ? [thread] : []
    })
  }
}

/** False: it has not answered in time. */
async function tell(thread: NodeThread, rules: FaultRules): Promise<boolean> {
  try {
    await thread.control.faults(rules, ANSWER_TIMEOUT_MS)
    return true
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return error.code === 'CONTROL_EXIT'
  }
}

function shareIn(options: { share: number }, names: readonly string[]): number {
  checkNames(options, names)
  const { share } = options
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) throw invalid('share', share, 'a number from 0 to 1')
  return share
}
