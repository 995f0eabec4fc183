/** Wrong versions of requests: coordinators, gateways, stamps, siblings. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const PUT = 'src/protocol/coordinator/put.ts'
const STAND_INS = 'src/protocol/coordinator/stand-ins.ts'
const GET = 'src/protocol/coordinator/get.ts'
const COORDINATION = 'src/protocol/coordinator/coordination.ts'
const FORWARD = 'src/protocol/coordinator/forward.ts'
const PEERS = 'src/protocol/coordinator/peers.ts'
const GATEWAY = 'src/protocol/gateway.ts'
const NODE_REQUESTS = 'src/protocol/node-requests.ts'
const MACHINES = 'src/protocol/node-machines.ts'
const IDENTITY = 'src/protocol/node-identity.ts'
const STAMP = 'src/protocol/versions/stamp.ts'
const CLOCK = 'src/protocol/versions/stamp-clock.ts'

export const REQUESTS: readonly Mutant[] = [
  {
    name: 'read-quorum-minus-one',
    rule: 'linearizable',
    checker: 'linearizability',
    file: GET,
    find: 'if (this.answered < this.r) return\n',
    replace: 'if (this.answered < this.r - 1) return\n',
  },
  {
    name: 'no-write-back',
    rule: 'linearizable',
    checker: 'quorums',
    file: GET,
    find: 'if (newest === undefined || behind === 0 || this.learning !== undefined) {',
    replace: 'if (newest === undefined || behind >= 0 || this.learning !== undefined) {',
  },
  {
    name: 'write-quorum-minus-one',
    rule: 'strict-owners',
    checker: 'quorums',
    file: PUT,
    find: '    return owners >= this.w && (!this.joint || newOwners >= this.newW)\n  }\n\n  /**\n   * Sloppy',
    replace:
      '    return owners >= this.w - 1 && (!this.joint || newOwners >= this.newW - 1)\n  }\n\n  /**\n   * Sloppy',
  },
  {
    name: 'pending-counts-as-owner',
    rule: 'new-quorum-only',
    checker: 'quorums',
    file: PUT,
    find: 'new Leg(filling, false, true)',
    replace: 'new Leg(filling, true, true)',
  },
  {
    name: 'sloppy-ack-before-hint',
    rule: 'sloppy',
    checker: 'quorums',
    file: STAND_INS,
    find: "hasLeft: false, state: 'sent' }",
    replace: "hasLeft: false, state: 'accepted' }",
  },
  {
    name: 'refusal-after-it-was-sent',
    rule: 'ends-once',
    checker: 'linearizability',
    file: PUT,
    find: "this.fail(desk, sent ? 'OUTCOME_UNKNOWN' : refused",
    replace: "this.fail(desk, sent && refused ? 'OUTCOME_UNKNOWN' : refused",
  },
  {
    name: 'ends-twice',
    rule: 'ends-once',
    checker: 'ends',
    file: COORDINATION,
    find: "if (request.phase !== 'running') return\n    if (linger)",
    replace: 'if (linger)',
    also: { file: PUT, find: 'if (!this.ended && this.isEnough()) {', replace: 'if (this.isEnough()) {' },
  },
  {
    name: 'deadline-forgotten',
    rule: 'deadlines',
    checker: 'ends',
    file: COORDINATION,
    find: "if (request.phase !== 'gone' && request.deadlineMs <= nowMs) request.onDeadline(this)",
    replace: "if (request.phase === 'lingering' && request.deadlineMs <= nowMs) request.onDeadline(this)",
  },
  {
    name: 'retry-with-a-new-stamp',
    rule: 'one-stamp',
    checker: 'stamps',
    file: FORWARD,
    find: 'const payload = { ...this.#operation.payload, id: this.id }',
    replace:
      "const first = { ...this.#operation.payload, id: this.id }; const payload = first.kind === 'put' && this.#asked.length + this.#lost > 0 ? { ...first, records: first.records.map((record) => (record.kind === 'lww' ? { ...record, stamp: 'f' + record.stamp.slice(1) } : record)) } : first",
  },
  {
    name: 'credit-ignored',
    rule: 'credits',
    checker: 'credits',
    file: 'src/protocol/coordinator/peer.ts',
    find: 'if (this.writes.outstanding === undefined && this.writes.queued > 0) {',
    replace: 'if (this.writes.queued > 0) { this.writes.settle(this.writes.outstanding?.id ?? 0)',
  },
  {
    name: 'ids-of-an-earlier-life',
    rule: 'acknowledgement',
    checker: 'acknowledgements',
    file: MACHINES,
    find: 'new Coordination(config, table, incarnation * IDS_PER_LIFE)',
    replace: 'new Coordination(config, table, 1)',
  },
  {
    name: 'update-done-twice',
    rule: 'never-retried',
    checker: 'siblings',
    file: NODE_REQUESTS,
    find: 'if (message.id <= (this.#taken.get(from) ?? 0)) return',
    replace: 'void this.#taken',
  },
  {
    name: 'dot-before-the-store',
    rule: 'dot-first',
    checker: 'siblings',
    file: NODE_REQUESTS,
    find: "this.#locals.add(local, { type: 'update', gateway, request })",
    replace:
      "this.#locals.add(local, { type: 'update', gateway, request }); this.#post.tell(gateway, request.id, { type: 'written' })",
  },
  {
    name: 'update-supersedes-what-it-has-not-seen',
    rule: 'all-concurrent',
    checker: 'siblings',
    file: NODE_REQUESTS,
    find: 'const context = request.context ?? (value === null ? seen : undefined)',
    replace: 'const context = request.context === undefined ? seen : { ...seen, ...request.context }',
  },
  {
    name: 'refusal-though-it-is-there',
    rule: 'ends-once',
    checker: 'read-values',
    file: PUT,
    find: 'return this.maybeBefore || this.standIns.mayKeep || this.legs.some(isThere)',
    replace: 'return this.maybeBefore',
  },
  {
    name: 'delete-takes-everything',
    rule: 'all-concurrent',
    checker: 'siblings',
    file: NODE_REQUESTS,
    find: 'const context = request.context ?? (value === null ? seen : undefined)',
    replace: 'const context = value === null ? seen : request.context',
  },
  {
    name: 'each-gateway-has-its-own-clock',
    rule: 'shared-clock',
    checker: 'stamps',
    file: GATEWAY,
    find: 'stampTimePart(stampTimeNs ?? 0n)',
    replace: 'stampTimePart((stampTimeNs ?? 0n) - BigInt(this.id.slice(-1)) * 10_000_000n)',
  },
  {
    name: 'stamps-above-nothing',
    rule: 'stamp-asks',
    checker: 'stamps',
    file: 'src/protocol/coordinator/stamp-asks.ts',
    find: 'if (timeNs > ask.highestNs) ask.highestNs = timeNs',
    replace: 'if (timeNs > (1n << 100n)) ask.highestNs = timeNs',
  },
  {
    name: 'fails-at-once-for-a-restarting-owner',
    rule: 'waits-for-restarts',
    checker: 'availability',
    file: PUT,
    find: "if (status === 'down' || leg.state === 'refused') continue",
    replace: "if (status !== 'up' || leg.state === 'refused') continue",
  },
  {
    name: 'waits-for-owners-that-are-down',
    rule: 'waits-for-restarts',
    checker: 'availability',
    file: GET,
    find: "if (peer === undefined || (peer.status === 'down' && !isSalvaged)) continue",
    replace: 'void isSalvaged; if (peer === undefined) continue',
  },
  {
    name: 'a-salvage-that-ends-is-a-life-that-ends',
    rule: 'waits-for-restarts',
    checker: 'availability',
    file: 'src/protocol/coordinator/coordination.ts',
    find: 'if (peer?.incarnation === incarnation && mayLive) this',
    replace:
      "void mayLive; if (!(peer?.incarnation === incarnation && (peer.status === 'exited' || peer.status === 'down'))) this",
  },
  {
    name: 'fails-because-owners-change',
    rule: 'nothing-fails',
    checker: 'availability',
    file: PUT,
    find: '    this.maybeBefore = this.isMaybeThere()\n',
    replace:
      "    this.maybeBefore = this.isMaybeThere()\n    if (!this.ended) return this.fail(desk, 'OUTCOME_UNKNOWN')\n",
  },
  {
    name: 'full-queue-is-a-refusal',
    rule: 'full-queue',
    checker: 'availability',
    file: PUT,
    find: 'if (leg.againAtMs > desk.nowMs || !desk.sendWrite(leg.node, this.entry())) {',
    replace:
      "if (leg.againAtMs <= desk.nowMs && !desk.sendWrite(leg.node, this.entry())) { if (!this.ended) return this.fail(desk, this.isMaybeThere() ? 'OUTCOME_UNKNOWN' : 'TIMEOUT') }\n      else if (leg.againAtMs > desk.nowMs) {",
  },
  {
    name: 'silence-is-borne',
    rule: 'hedging',
    checker: 'availability',
    file: PEERS,
    find: "if (ageMs >= this.#config.avoidAfterMs) return ['silent']",
    replace: "if (ageMs >= 10_000) return ['silent']",
  },
  {
    name: 'quorum-shrinks-with-the-row',
    rule: 'n-places',
    checker: 'availability',
    file: GET,
    find: '    this.r = this.neededOf(quorums)\n  }',
    replace: '    this.r = Math.min(this.neededOf(quorums), row.owners.filter((owner) => owner !== null).length)\n  }',
  },
  {
    name: 'only-the-new-quorum',
    rule: 'both-quorums',
    checker: 'quorums',
    file: PUT,
    find: '    return owners >= this.w && (!this.joint || newOwners >= this.newW)\n  }\n\n  /**\n   * Sloppy',
    replace: '    return newOwners >= this.newW\n  }\n\n  /**\n   * Sloppy',
  },
  {
    name: 'clock-ignores-the-ceiling',
    rule: 'shared-clock',
    checker: 'stamps',
    file: CLOCK,
    find: 'const isBehind = wallNs < storedCeilingNs',
    replace: 'const isBehind = wallNs < 0n',
  },
  {
    name: 'stamps-above-the-ceiling',
    rule: 'shared-clock',
    checker: 'stamps',
    file: CLOCK,
    find: 'return nowNs <= ceilingNs',
    replace: 'return nowNs <= ceilingNs || ceilingNs >= 0n',
  },
  {
    name: 'milliseconds',
    rule: 'nanoseconds',
    checker: 'stamps',
    file: STAMP,
    find: 'return timeNs.toString(16)',
    replace: 'return (timeNs - (timeNs % 1_000_000n)).toString(16)',
  },
  {
    name: 'a-stamp-for-each-partition',
    rule: 'one-stamp-a-batch',
    checker: 'batches',
    file: GATEWAY,
    find: 'this.#submitGroup({ ...group, id: groupId }, stamp, request, nowMs)',
    replace:
      "this.#submitGroup({ ...group, id: groupId }, stamp.slice(0, -4) + (groupId % 65_536).toString(16).padStart(4, '0'), request, nowMs)",
  },
  {
    name: 'actor-without-its-store',
    rule: 'actors',
    checker: 'dots',
    file: IDENTITY,
    find: 'export function actorOf(node: NodeId, storeId: string): ActorId {\n',
    replace: "export function actorOf(node: NodeId, storeId: string): ActorId {\n  if (storeId !== '') return node\n",
  },
  {
    name: 'update-asked-of-another-owner',
    rule: 'never-retried',
    checker: 'siblings',
    file: FORWARD,
    find: '    if (this.isUpdate && this.#asked.length > 0) return\n',
    replace: '',
    also: {
      file: FORWARD,
      find: "if (lost.sent && !lost.silent) return this.#fail(desk, 'OUTCOME_UNKNOWN')\n      if (lost.sent) return\n",
      replace: 'void lost\n',
    },
  },
  {
    name: 'expired-update-is-done',
    rule: 'deadlines',
    checker: 'late-requests',
    file: NODE_REQUESTS,
    find: 'if (request.deadlineMs < this.#nowMs) {',
    replace: 'if (request.deadlineMs < 0) {',
  },
]
