/** Wrong versions of membership: gossip, heartbeats, lives, suspicion. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const COORDINATION = 'src/protocol/coordinator/coordination.ts'
const PEERS = 'src/protocol/coordinator/peers.ts'
const NODE = 'src/protocol/dynamo-node.ts'
const MEMBERSHIP = 'src/protocol/membership/membership.ts'
const CADENCE = 'src/protocol/membership/gossip-cadence.ts'
const DETECTOR = 'src/protocol/membership/failure-detector.ts'
const WATCH = 'src/protocol/supervision/thread-watch.ts'

export const MEMBERS: readonly Mutant[] = [
  {
    name: 'gossip-to-everybody',
    rule: 'gossip',
    checker: 'gossip-bound',
    file: MEMBERSHIP,
    find: 'fanout: this.#config.gossipFanout,',
    replace: 'fanout: 1_000,',
  },
  {
    name: 'gossip-answers-unasked',
    rule: 'gossip',
    checker: 'gossip-bound',
    file: MEMBERSHIP,
    find: 'if (message.wanted.length > 0)\n          this.#send(from, ack2Of(',
    replace: 'if (message.wanted.length >= 0)\n          this.#send(from, ack2Of(',
  },
  {
    name: 'gossip-without-a-pause',
    rule: 'gossip',
    checker: 'gossip-bound',
    file: CADENCE,
    find: 'Math.max(nowMs, this.#lastRoundMs + this.#config.gossipMs)',
    replace: 'nowMs',
  },
  {
    name: 'beats-without-a-pause',
    rule: 'heartbeats',
    checker: 'gossip-bound',
    file: MEMBERSHIP,
    find: 'this.#nextHeartbeatMs = nowMs + this.#config.heartbeatMs',
    replace: 'this.#nextHeartbeatMs = nowMs + 1',
  },
  {
    name: 'mail-of-an-earlier-life',
    rule: 'earlier-lives',
    checker: 'earlier-lives',
    file: NODE,
    find: 'if (event.incarnation === this.#identity.incarnation) this.#onMessage',
    replace: 'if (event.incarnation > 0) this.#onMessage',
  },
  {
    name: 'a-late-member-suspects',
    rule: 'late-watchers',
    checker: 'late-watchers',
    file: DETECTOR,
    find: '    if (late) {\n',
    replace: '    if (late && nowMs < 0) {\n',
  },
  {
    name: 'a-late-coordinator-goes-around',
    rule: 'late-watchers',
    checker: 'late-watchers',
    file: PEERS,
    find: 'if (nowMs - this.#expectedTickMs > this.#config.avoidAfterMs / 2) this.#judgeFromMs = nowMs',
    replace: 'if (nowMs < 0) this.#judgeFromMs = nowMs',
  },
  {
    name: 'mail-hides-a-late-tick',
    rule: 'late-watchers',
    checker: 'late-watchers',
    file: COORDINATION,
    find: '    this.#peers.onTurn(this.nowMs)\n    const',
    replace: '    const',
  },
  {
    name: 'a-late-supervisor-terminates',
    rule: 'late-watchers',
    checker: 'late-watchers',
    file: WATCH,
    find: 'const lateMs = nowMs - this.#expectedTickMs',
    replace: 'const lateMs = -1',
  },
]
