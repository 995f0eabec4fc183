/**
 * The membership machine of one node: who is in the cluster, in which status, and who can be reached.
 *
 * It decides when to beat and to gossip and with whom, when a silent peer becomes suspect, and it refutes when others
 * suspect this node. It must never give a member up ('down', 'removed') or give out an incarnation: those are the
 * supervisor's words, which arrive by `onDeclared` and `onPeerUp` and outrank every guess.
 *
 * How a status comes about:
 * - joining, up: the member's own word (the constructor, `becomeUp`), spread by gossip.
 * - suspect: by a watcher whose detector found silence; at once by everyone told of the thread's exit, which is certain
 *   and cannot be refuted, because the exited member will be restarted (as 'joining', next incarnation) or declared down.
 * - back from suspect: only by the member's own refutation, a higher statusVersion. A watcher that hears a suspect beat
 *   tells it so; it does not speak for it, or two watchers, one behind a one-way cut, would contradict each other for ever.
 * - leaving, down, removed: the supervisor. A node that is down, removed or superseded by a later life of itself falls silent.
 *
 * Inputs return plain outputs. Called by the node machine, which delivers `send` and asks for the table on
 * `table-behind`; a message to a peer it has no port to is dropped there.
 */

import { assert } from '../assert.js'
import type { Address, Epoch, Incarnation, NodeId } from '../ids.js'
import { Prng } from '../prng.js'
import { FailureDetector } from './failure-detector.js'
import {
  ack2Of,
  ackOf,
  chooseGossipPeers,
  type GossipMessage,
  learnedFromDigests,
  type MembershipMessage,
  synOf,
  type ViewDigest,
} from './gossip.js'
import { GossipCadence } from './gossip-cadence.js'
import { isAuthoritative, type MemberState, mergeMember, precedenceOf, withStatus } from './member.js'
import { becomes, isAddressable, isSuspectable } from './member-status.js'
import { type MembershipConfig, TABLE_ASK_AGAIN_MS, TOMBSTONE_MS } from './membership-config.js'
import type { DeclaredMember, MembershipOutput } from './membership-output.js'
import { inferredMember, type MemberChange, MembershipView } from './membership-view.js'
import { heartbeatSources, heartbeatTargets, type RingWalk } from './ring-neighbours.js'

export class Membership {
  readonly #self: NodeId
  readonly #config: MembershipConfig
  readonly #prng: Prng
  readonly #view = new MembershipView()
  readonly #detector: FailureDetector
  readonly #cadence: GossipCadence
  /** Monotonic ms at which each tombstone was learned. */
  readonly #removedAtMs = new Map<NodeId, number>()
  #nextHeartbeatMs: number
  /** A later life of this node has been heard of. */
  #superseded = false
  #askedEpoch: Epoch = 0
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** Beats and exits that spoke of an earlier life. */
  #staleMail = 0

  /** A node that is joining. Units: `nowMs` monotonic ms. */
  constructor(options: {
    readonly self: NodeId
    readonly incarnation: Incarnation
    readonly config: MembershipConfig
    readonly seed: number
    readonly nowMs: number
  }) {
    const { self, incarnation, config, seed, nowMs } = options
    this.#self = self
    this.#config = config
    this.#prng = new Prng(seed)
    this.#detector = new FailureDetector(config, nowMs)
    // Nodes that start together would gossip in step, all at once, for ever.
    this.#cadence = new GossipCadence(config, nowMs, nowMs + this.#prng.below(config.gossipMs))
    this.#nextHeartbeatMs = nowMs
    this.#view.put(withStatus(inferredMember(self, incarnation, 'joining'), 'joining'))
  }

  /** Monotonic ms at which `onTick` is wanted; infinite once the node has fallen silent. */
  nextDeadline(): number {
    return this.#isSilenced() ? Number.POSITIVE_INFINITY : Math.min(this.#nextHeartbeatMs, this.#cadence.nextRoundMs)
  }

  /** This node serves from now on. No move if it is up already, or was told to leave meanwhile. */
  becomeUp(nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    if (this.#own().status === 'joining') this.#apply(this.#view.step(this.#self, 'up'), nowMs, outputs)
    return outputs
  }

  /** This node has stored a partition table; the epoch rides on all gossip. Lower ones are ignored. */
  onTableStored(epoch: Epoch, nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    const own = this.#own()
    if (epoch > own.epochStored) this.#apply(this.#view.put({ ...own, epochStored: epoch }), nowMs, outputs)
    return outputs
  }

  /** A peer's thread was spawned in this life and can be sent to. It is 'joining' until it says otherwise. */
  onPeerUp(id: NodeId, incarnation: Incarnation, nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    this.#learn(inferredMember(id, incarnation, 'joining'), nowMs, outputs)
    return outputs
  }

  /** A peer's thread is gone: certain, so it is suspect at once and this life cannot refute it. */
  onPeerExit(id: NodeId, incarnation: Incarnation, nowMs: number): MembershipOutput[] {
    assert(id !== this.#self, 'nobody hears of the own exit', { id, incarnation })
    const outputs: MembershipOutput[] = []
    if ((this.#view.get(id)?.incarnation ?? 0) > incarnation) this.#staleMail++
    this.#apply(this.#view.learnExit(id, incarnation), nowMs, outputs)
    if (this.#view.hasExited(id)) this.#detector.forget(id)
    return outputs
  }

  /**
   * The supervisor's word on a member, self included: leaving, down, removed; also suspect, for a node it found hung. It
   * goes into the view as the next word on that life; an earlier life, or less than what is known already, is ignored.
   */
  onDeclared(declared: DeclaredMember, nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    const { id, incarnation, status } = declared
    const known = this.#view.get(id)
    const base = known?.incarnation === incarnation ? known : inferredMember(id, incarnation, status)
    if (base === known && known.status === status) return outputs
    // A removal is remembered even of a member that was never seen here, else late gossip would introduce it.
    if (known === undefined && status === 'removed') {
      this.#learn(inferredMember(id, incarnation, 'down'), nowMs, outputs)
      if (this.#view.get(id) === undefined) return outputs
    }
    this.#learn(withStatus(base, status), nowMs, outputs)
    return outputs
  }

  /** A peer's own beat. */
  onHeartbeat(from: NodeId, incarnation: Incarnation, counter: number, nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    if (this.#isSilenced() || from === this.#self) return outputs
    if ((this.#view.get(from)?.incarnation ?? 0) > incarnation) this.#staleMail++
    const known = this.#view.get(from)
    const base = known?.incarnation === incarnation ? known : inferredMember(from, incarnation, 'joining')
    this.#learn({ ...base, heartbeat: Math.max(base.heartbeat, counter) }, nowMs, outputs)
    const member = this.#view.get(from)
    if (member?.status === 'suspect' && member.incarnation === incarnation && !this.#view.hasExited(from))
      this.#send(from, ack2Of([member], [from], this.#own().epochStored), outputs)
    return outputs
  }

  /** A leg of an exchange; see gossip.ts. */
  onGossip(message: GossipMessage, from: Address, nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    if (this.#isSilenced() || from === this.#self) return outputs
    this.#noticeTable(message.epoch, from, nowMs, outputs)
    switch (message.type) {
      case 'gossip/syn': {
        const isSame = message.view === this.#view.digest()
        for (const said of learnedFromDigests(this.#view.members(), message.digests)) this.#learn(said, nowMs, outputs)
        const ack = ackOf(this.#view.members(), message, this.#own().epochStored, this.#view.digest())
        if (isSame) this.#cadence.onAgreement()
        else if (ack.wanted.length === 0) this.#cadence.onDifference(nowMs)
        else this.#cadence.onNewsToCome()
        this.#send(from, ack, outputs)
        break
      }
      case 'gossip/ack': {
        this.#compare(message.view, nowMs)
        for (const said of message.members) this.#learn(said, nowMs, outputs)
        if (message.wanted.length > 0)
          this.#send(from, ack2Of(this.#view.members(), message.wanted, this.#own().epochStored), outputs)
        break
      }
      case 'gossip/ack2': {
        for (const said of message.members) this.#learn(said, nowMs, outputs)
        break
      }
      default:
        message satisfies never
    }
    return outputs
  }

  /** Beats, judges, gossips, as far as due. Call it at `nextDeadline()`; being late is noticed and forgiven to the peers. */
  onTick(nowMs: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = []
    if (this.#isSilenced()) return outputs
    this.#detector.onOwnTick(nowMs)
    if (nowMs >= this.#nextHeartbeatMs) {
      // From now on, not from when it was due: after a pause, beats are not made up for.
      this.#nextHeartbeatMs = nowMs + this.#config.heartbeatMs
      const walk = this.#ringWalk()
      this.#beat(walk, outputs)
      this.#judge(walk, nowMs, outputs)
      this.#dropOldTombstones(nowMs)
    }
    if (nowMs >= this.#cadence.nextRoundMs) this.#gossip(nowMs, outputs)
    return outputs
  }

  /** Everyone heard of, self and tombstones included. Shape: sorted by id. */
  members(): readonly MemberState[] {
    return this.#view.members()
  }

  memberOf(id: NodeId): MemberState | undefined {
    return this.#view.get(id)
  }

  /**
   * True if mail to the member is worth sending: joining, up or leaving, its thread has not exited, and our own detector
   * trusts it. Says more than the status for a leaving member, which never becomes suspect.
   */
  isReachable(id: NodeId): boolean {
    const status = this.#view.get(id)?.status
    if (status === undefined || status === 'suspect' || !isAddressable(status)) return false
    return id === this.#self || (!this.#view.hasExited(id) && this.#detector.isTrusted(id))
  }

  /** To compare views from outside; heartbeats do not count. */
  viewDigest(): ViewDigest {
    return this.#view.digest()
  }

  /** True once the last exchanges agreed; a node without peers has nobody to disagree with. */
  isConverged(): boolean {
    return this.#cadence.isConverged(this.#peers().length)
  }

  /** phi of a watched peer, for a status page. */
  phiOf(id: NodeId, nowMs: number): number | undefined {
    return this.#detector.phiOfPeer(id, nowMs)
  }

  /** For the metrics. */
  counters(): { readonly staleMail: number; readonly refusedMembers: number } {
    return { staleMail: this.#staleMail, refusedMembers: this.#view.refused }
  }

  #learn(said: MemberState, nowMs: number, outputs: MembershipOutput[]): void {
    if (said.id === this.#self) this.#learnAboutSelf(said, nowMs, outputs)
    else this.#apply(this.#view.learn(said), nowMs, outputs)
  }

  /** The supervisor's words are taken; a suspicion is refuted by saying our own status again, later. */
  #learnAboutSelf(said: MemberState, nowMs: number, outputs: MembershipOutput[]): void {
    const own = this.#own()
    if (said.incarnation > own.incarnation) this.#superseded = true
    if (said.incarnation !== own.incarnation || precedenceOf(said) <= precedenceOf(own)) return
    const { heartbeat, epochStored } = own
    if (isAuthoritative(said.status) || said.status === own.status) {
      this.#apply(this.#view.put({ ...mergeMember(own, said), heartbeat, epochStored }), nowMs, outputs)
      return
    }
    const status = said.status === 'suspect' ? becomes('suspect', own.status) : own.status
    this.#apply(this.#view.put(withStatus({ ...said, heartbeat, epochStored }, status)), nowMs, outputs)
  }

  /** What follows from a change of the view. */
  #apply(change: MemberChange | undefined, nowMs: number, outputs: MembershipOutput[]): void {
    if (change === undefined) return
    const { member, from, isNewLife, hasBeaten, differs } = change
    if (differs) this.#cadence.onDifference(nowMs)
    if (isNewLife || from !== member.status) outputs.push({ type: 'status', member, from, to: member.status })
    if (member.id === this.#self) return
    if (member.status === 'removed') this.#removedAtMs.set(member.id, nowMs)
    else this.#removedAtMs.delete(member.id)
    if (isNewLife) this.#detector.forget(member.id)
    if (!isAddressable(member.status) || this.#view.hasExited(member.id)) this.#detector.forget(member.id)
    else if (hasBeaten) this.#detector.onHeartbeat(member.id, nowMs)
    // A member that is joining is not judged before its first beat: how long a store takes to open is not silence.
    else if (member.status === 'up' || member.status === 'leaving') this.#detector.watch(member.id, nowMs)
    if (!isNewLife && from === 'suspect' && isSuspectable(member.status)) this.#detector.onRefuted(member.id, nowMs)
  }

  #beat(walk: RingWalk, outputs: MembershipOutput[]): void {
    const own = this.#own()
    const counter = own.heartbeat + 1
    this.#view.put({ ...own, heartbeat: counter })
    const message = { type: 'membership/heartbeat', incarnation: own.incarnation, counter } as const
    for (const peer of heartbeatTargets(walk)) this.#send(peer, message, outputs)
  }

  #judge(walk: RingWalk, nowMs: number, outputs: MembershipOutput[]): void {
    const direct = new Set(heartbeatSources(walk))
    for (const peer of this.#detector.judge(nowMs, direct).suspected) {
      const status = this.#view.get(peer)?.status
      if (status !== undefined && isSuspectable(status)) this.#apply(this.#view.step(peer, 'suspect'), nowMs, outputs)
    }
  }

  #gossip(nowMs: number, outputs: MembershipOutput[]): void {
    const peers = this.#peers()
    const isLive = (member: MemberState) => member.status !== 'suspect' && this.#detector.isTrusted(member.id)
    const chosen = chooseGossipPeers({
      live: peers.filter(isLive).map((member) => member.id),
      suspects: peers.filter((member) => !isLive(member)).map((member) => member.id),
      fanout: this.#config.gossipFanout,
      prng: this.#prng,
    })
    const message = synOf(this.#view.members(), this.#own().epochStored, this.#view.digest())
    for (const peer of chosen) this.#send(peer, message, outputs)
    this.#cadence.onRound(nowMs, peers.length)
  }

  /** Everyone else who may be alive. */
  #peers(): readonly MemberState[] {
    return this.#view.members().filter((member) => member.id !== this.#self && this.#mayLive(member))
  }

  #mayLive(member: MemberState): boolean {
    return isAddressable(member.status) && !this.#view.hasExited(member.id)
  }

  #ringWalk(): RingWalk {
    const isPlaced = (member: MemberState) => member.id === this.#self || this.#mayLive(member)
    const ring = this.#view
      .members()
      .filter(isPlaced)
      .map((member) => member.id)
    const isHealthy = (peer: NodeId) => this.isReachable(peer)
    return { ring, self: this.#self, count: this.#config.heartbeatNeighbours, isHealthy }
  }

  #compare(theirs: ViewDigest, nowMs: number): void {
    if (theirs === this.viewDigest()) this.#cadence.onAgreement()
    else this.#cadence.onDifference(nowMs)
  }

  #noticeTable(epoch: Epoch, peer: Address, nowMs: number, outputs: MembershipOutput[]): void {
    if (epoch <= this.#own().epochStored) return
    if (epoch <= this.#askedEpoch && nowMs - this.#askedAtMs < TABLE_ASK_AGAIN_MS) return
    this.#askedEpoch = epoch
    this.#askedAtMs = nowMs
    outputs.push({ type: 'table-behind', peer, epoch })
  }

  #dropOldTombstones(nowMs: number): void {
    for (const [id, removedAtMs] of this.#removedAtMs) {
      if (nowMs - removedAtMs < TOMBSTONE_MS) continue
      this.#removedAtMs.delete(id)
      this.#view.forget(id)
    }
  }

  #send(to: Address, message: MembershipMessage, outputs: MembershipOutput[]): void {
    outputs.push({ type: 'send', to, message })
  }

  #own(): MemberState {
    const own = this.#view.get(this.#self)
    assert(own !== undefined, 'a node is a member of its own view', { self: this.#self })
    return own
  }

  #isSilenced(): boolean {
    return this.#superseded || !isAddressable(this.#own().status)
  }
}
