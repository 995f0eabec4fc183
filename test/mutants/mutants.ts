/**
 * Wrong versions of the protocol, each by one small change of its source, that the simulator's checkers must catch. They show
 * that the checkers can fail; and each names the rule of the design that it breaks.
 *
 * `find` must stand in the file exactly once: who changes that place of the code is told to look at its mutant.
 */

export interface Mutant {
  readonly name: string
  /** Which rule of the design it breaks. */
  readonly rule: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Where one change is guarded by another place. */
  readonly also?: { readonly file: string; readonly find: string; readonly replace: string }
}

const REPLICA = 'src/protocol/replica.ts'
const PUT = 'src/protocol/coordinator/put.ts'
const STAND_INS = 'src/protocol/coordinator/stand-ins.ts'
const GET = 'src/protocol/coordinator/get.ts'
const COORDINATION = 'src/protocol/coordinator/coordination.ts'
const LANE = 'src/protocol/coordinator/lane.ts'
const SCAN = 'src/protocol/coordinator/scan.ts'
const FORWARD = 'src/protocol/coordinator/forward.ts'
const REQUESTS = 'src/protocol/node-requests.ts'
const NODE = 'src/protocol/dynamo-node.ts'
const KEEPER = 'src/protocol/table-keeper.ts'
const HINTS = 'src/protocol/handoff/hint-keeper.ts'
const FILL = 'src/protocol/handoff/fill.ts'
const EXCHANGE = 'src/protocol/repair/exchange.ts'
const MEMBERSHIP = 'src/protocol/membership/membership.ts'
const SUPERVISOR = 'src/protocol/supervision/supervisor-core.ts'
const CHANGES = 'src/protocol/supervision/owner-changes.ts'
const REASSIGNMENT = 'src/protocol/supervision/reassignment.ts'
const SHAPE = 'src/protocol/supervision/shape-changes.ts'
const TRANSFERS = 'src/protocol/node-transfers.ts'
const SOURCE = 'src/protocol/handoff/transfer-source.ts'
const RECORD = 'src/protocol/versions/record.ts'
const DVV = 'src/protocol/versions/dvv.ts'
const STORE = 'src/storage/memory-store.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-store',
    rule: 'Acknowledgement: only what the store has accepted',
    file: REPLICA,
    find: 'if (fresh.keys.length > 0) this.#startWrite(fresh)',
    replace:
      'if (fresh.keys.length > 0) { this.#startWrite(fresh); this.#answer(waiting); (fresh.waiting as Waiting[]).length = 0 }',
  },
  {
    name: 'reads-show-unaccepted',
    rule: 'Acknowledgement: reads show only accepted versions',
    file: REPLICA,
    find: 'const stored = this.#store.read(keys)\n    const records',
    replace: 'const stored = this.#currentOf(keys)\n    const records',
  },
  {
    name: 'damaged-is-absent',
    rule: 'Amnesia: a record whose checksum is wrong answers "unknown", never "absent"',
    file: REPLICA,
    find: 'statuses[index] = REPLY.unknown',
    replace: 'records[index] = undefined',
  },
  {
    name: 'expired-is-done',
    rule: 'Requests: replicas drop expired ones',
    file: REPLICA,
    find: 'const status = (deadlinesMs[index] ?? 0) < nowMs ? REPLY.expired : STATUS_OF[verdict]',
    replace: 'const status = STATUS_OF[verdict]',
  },
  {
    name: 'half-a-group',
    rule: 'Batches: atomic per partition and replica',
    file: REPLICA,
    find: 'for (let place = unit.from; place < unit.end; place++) {\n        const key = keys[place] as Key\n        const record = records[place] as VersionRecord\n        const stored',
    replace:
      'for (let place = unit.from; place < Math.max(unit.from + 1, unit.end - 1); place++) {\n        const key = keys[place] as Key\n        const record = records[place] as VersionRecord\n        const stored',
  },
  {
    name: 'read-quorum-minus-one',
    rule: 'Quorums: r + w > n',
    file: GET,
    find: 'if (this.answered < this.r) return\n',
    replace: 'if (this.answered < this.r - 1) return\n',
  },
  {
    name: 'no-write-back',
    rule: 'Quorums: a read that saw different versions writes the newest back before it answers',
    file: GET,
    find: 'if (newest === undefined || behind === 0 || this.learnFor !== undefined) {',
    replace: 'if (newest === undefined || behind >= 0 || this.learnFor !== undefined) {',
  },
  {
    name: 'write-quorum-minus-one',
    rule: 'Quorums: w owners have accepted before the write is acknowledged',
    file: PUT,
    find: 'if (!this.sloppy) return owners >= this.w && (!this.joint || newOwners >= this.newW)',
    replace: 'if (!this.sloppy) return owners >= this.w - 1 && (!this.joint || newOwners >= this.newW - 1)',
  },
  {
    name: 'pending-counts-as-owner',
    rule: 'Amnesia: a pending owner counts toward no old quorum',
    file: PUT,
    find: 'new Leg(filling, false, true)',
    replace: 'new Leg(filling, true, true)',
  },
  {
    name: 'sloppy-ack-before-hint',
    rule: 'Hints: a fallback counts once it has kept the hint',
    file: STAND_INS,
    find: "hasLeft: false, state: 'sent' }",
    replace: "hasLeft: false, state: 'accepted' }",
  },
  {
    name: 'refusal-after-it-was-sent',
    rule: 'Requests: a definite failure only if no replica was sent the write',
    file: PUT,
    find: "this.fail(desk, sent ? 'OUTCOME_UNKNOWN' : refused",
    replace: "this.fail(desk, sent && refused ? 'OUTCOME_UNKNOWN' : refused",
  },
  {
    name: 'ends-twice',
    rule: 'Requests: every request ends exactly once',
    file: COORDINATION,
    find: "if (request.phase !== 'running') return\n    if (linger)",
    replace: 'if (linger)',
    also: { file: PUT, find: 'if (!this.ended && this.isEnough()) {', replace: 'if (this.isEnough()) {' },
  },
  {
    name: 'deadline-forgotten',
    rule: 'Requests: every request ends',
    file: COORDINATION,
    find: "if (request.phase !== 'gone' && request.deadlineMs <= nowMs) request.onDeadline(this)",
    replace: "if (request.phase === 'lingering' && request.deadlineMs <= nowMs) request.onDeadline(this)",
  },
  {
    name: 'missed-writes-forgotten',
    rule: 'Hints: an owner that missed a write gets it',
    file: COORDINATION,
    find: 'this.#requests.addMissed(request)\n    request.start(this)',
    replace: 'void request',
  },
  {
    name: 'retry-with-a-new-stamp',
    rule: 'Stamps: every retry keeps the stamp',
    file: FORWARD,
    find: 'const payload = { ...this.#operation.payload, id: this.id }',
    replace:
      "const first = { ...this.#operation.payload, id: this.id }; const payload = first.kind === 'put' && this.#asked.length + this.#lost > 0 ? { ...first, records: first.records.map((record) => (record.kind === 'lww' ? { ...record, stamp: 'f' + record.stamp.slice(1) } : record)) } : first",
  },
  {
    name: 'credit-ignored',
    rule: 'Load: at most one data message outstanding per node',
    file: 'src/protocol/coordinator/peer.ts',
    find: 'if (this.writes.outstanding === undefined && this.writes.queued > 0) {',
    replace: 'if (this.writes.queued > 0) { this.writes.settle(this.writes.outstanding?.id ?? 0)',
  },
  {
    name: 'ids-of-an-earlier-life',
    rule: 'Requests: an answer to an earlier life is none to this one',
    file: NODE,
    find: 'new Coordination(config, table, incarnation * IDS_PER_LIFE)',
    replace: 'new Coordination(config, table, 1)',
  },
  {
    name: 'update-done-twice',
    rule: 'Siblings: an interrupted write is never retried by the system',
    file: REQUESTS,
    find: 'if (message.id <= (this.#taken.get(from) ?? 0)) return',
    replace: 'void this.#taken',
  },
  {
    name: 'dot-before-the-store',
    rule: 'Siblings: its own store accepts the dot before it replicates',
    file: REQUESTS,
    find: "this.#locals.add(local, { type: 'update', gateway, request })",
    replace:
      "this.#locals.add(local, { type: 'update', gateway, request }); this.#post.tell(gateway, request.id, { type: 'written' })",
  },
  {
    name: 'update-supersedes-what-it-has-not-seen',
    rule: 'Siblings: all concurrent values are kept',
    file: REQUESTS,
    find: 'const context = request.context ?? (value === null ? seen : undefined)',
    replace: 'const context = request.context === undefined ? seen : { ...seen, ...request.context }',
  },
  {
    name: 'siblings-lost-in-a-merge',
    rule: 'Siblings: merging keeps every concurrent value',
    file: DVV,
    find: 'const longer = b.counter > a.counter ? b : a',
    replace: 'const longer = b.counter > a.counter ? a : b',
  },
  {
    name: 'the-older-version-wins',
    rule: 'Stamps: last write wins; repair writes the newest',
    file: RECORD,
    find: 'return b.stamp > a.stamp ? b : a',
    replace: 'return b.stamp > a.stamp ? a : b',
  },
  {
    name: 'tombstone-dropped-early',
    rule: 'Deletes: a tombstone is kept until every owner holds it',
    file: STORE,
    find: 'records.set(key, encoded[index] as Uint8Array)',
    replace:
      "const kept = write.records[index]; if (kept?.kind === 'lww' && kept.value === null) records.delete(key); else records.set(key, encoded[index] as Uint8Array)",
  },
  {
    name: 'stale-epoch-served',
    rule: 'Epochs: a replica serves only its own row epoch',
    file: KEEPER,
    find: "if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'\n    const role",
    replace: "if (rowEpoch !== row.epoch) return 'serve'\n    const role",
  },
  {
    name: 'two-owners-after-a-flip',
    rule: 'Epochs: no flipped row is served until enough old owners have stored it',
    file: KEEPER,
    find: "return this.#isGuarded(partition) ? 'guarded' : 'serve'\n  }\n\n  /** May this node take a write?",
    replace: "return 'serve'\n  }\n\n  /** May this node take a write?",
  },
  {
    name: 'pending-serves-reads',
    rule: 'Amnesia: a pending owner serves nothing until it has been filled',
    file: KEEPER,
    find: "if (role !== ROLE.full) return role === ROLE.pending ? 'guarded' : 'stale'",
    replace: "if (role !== ROLE.full && role !== ROLE.pending) return 'stale'",
    also: {
      file: GET,
      find: 'const { owners } = this.row\n    let wanted',
      replace:
        'const owners = this.row.owners.map((owner, place) => owner ?? this.row.pending[place] ?? null)\n    let wanted',
    },
  },
  {
    name: 'acts-before-it-has-stored',
    rule: 'Epochs: a node stores an epoch before it acts on it',
    file: NODE,
    find: 'if (this.#keeper.offer(message.table)) this.#storeTable(message.table)',
    replace:
      "if (this.#keeper.offer(message.table)) { this.#post.send(SUPERVISOR, { type: 'table/stored', epoch: message.table.epoch }); this.#storeTable(message.table) }",
  },
  {
    name: 'hint-dropped-before-it-arrived',
    rule: 'Hints: an acknowledged hint is never dropped',
    file: HINTS,
    find: 'if (failed.has(id) || batch.unfinished.has(id) || isLacking) kept.add(id)',
    replace: 'if (failed.has(-1)) kept.add(id)',
  },
  {
    name: 'hint-acknowledged-before-the-store',
    rule: 'Hints: acknowledged once the store has it',
    file: HINTS,
    find: 'if (kept.length === 0) this.#reply(token, 0)\n    else',
    replace: 'this.#reply(token, kept.length)\n    if (kept.length > 0)',
  },
  {
    name: 'fill-from-one-source',
    rule: 'Amnesia: filled from n - w + 1 full owners',
    file: CHANGES,
    find: 'const needed = holdersNeeded(this.#quorums, row.owners.length) - own',
    replace: 'const needed = 1 - own',
  },
  {
    name: 'fill-before-the-joint-row-is-known',
    rule: 'Changing owners: reading begins once old owners have stored the joint row',
    file: CHANGES,
    find: 'return this.#countStored(owners, epoch) >= knowersNeeded(this.#quorums, owners.length)',
    replace: 'return true',
  },
  {
    name: 'fill-ends-after-one-source',
    rule: 'Amnesia: filled from n - w + 1 full owners',
    file: FILL,
    find: 'if (filling.missing.size > 0) continue\n',
    replace: '',
  },
  {
    name: 'exchange-gives-nothing-back',
    rule: 'Repair: both sides of an exchange get what they lack',
    file: EXCHANGE,
    find: "this.#output.push({ type: 'push', push: running.awaited, node: running.peer, key, record })\n      moved.push(record)\n      pushed += 1",
    replace: 'void record',
  },
  {
    name: 'gossip-to-everybody',
    rule: 'Membership: messages per gossip round are bounded',
    file: MEMBERSHIP,
    find: 'fanout: this.#config.gossipFanout,',
    replace: 'fanout: 1_000,',
  },
  {
    name: 'amnesiac-counts',
    rule: 'Amnesia: a store that has forgotten counts toward no quorum until it has been filled',
    file: SUPERVISOR,
    find: 'if (!isForgetful) return\n    if (standbysOf',
    replace: 'if (isForgetful || !isForgetful) return\n    if (standbysOf',
  },
  {
    name: 'told-before-it-is-on-disk',
    rule: 'Epochs: fsynced before anyone learns of it',
    file: SUPERVISOR,
    find: "if (this.#tables.change(table, reason, notices)) this.#post.effect({ type: 'persist', table })",
    replace:
      "if (this.#tables.change(table, reason, notices)) this.#post.effect({ type: 'persist', table }); this.#post.announce(table)",
  },
  {
    name: 'rows-of-the-dead-stay',
    rule: 'Supervision: the partitions of a node that is down for good are reassigned',
    file: REASSIGNMENT,
    find: 'if (members.length > 0 && !areFullCopies) table',
    replace: 'if (members.length > 1_000 && !areFullCopies) table',
  },
  {
    name: 'flips-before-it-is-filled',
    rule: 'Changing owners: reads go to the old until the new are full',
    file: CHANGES,
    find: "    for (const [node, list] of orders) this.#host.post.send(node, { type: 'transfer/start', orders: list })",
    replace:
      '    for (const [node, list] of orders) this.onFilled(node, list.map((order) => order.partition), list.map((order) => order.rowEpoch))',
  },
  {
    name: 'more-in-flight-than-may-be',
    rule: 'Load: past the bound a request is refused at once',
    file: 'src/protocol/gateway.ts',
    find: "if (this.#coordination.running >= this.#config.requestsInFlightMax) return 'OVERLOADED'",
    replace: '',
  },
  {
    name: 'more-hints-than-may-be',
    rule: 'Hints: at its bound a fallback refuses new ones',
    file: HINTS,
    find: 'if (bytes > this.#bytesMax || this.#isRetiring) break',
    replace: 'if (this.#isRetiring) break',
  },
  {
    name: 'each-gateway-has-its-own-clock',
    rule: 'Stamps: one monotonic clock for all threads',
    file: 'src/protocol/gateway.ts',
    find: 'stampTimePart(stampTimeNs ?? 0n)',
    replace: 'stampTimePart((stampTimeNs ?? 0n) - BigInt(this.id.slice(-1)) * 10_000_000n)',
  },
  {
    name: 'stamps-above-nothing',
    rule: 'Stamps: without the shared clock a quorum is asked for the highest one first',
    file: 'src/protocol/coordinator/stamp-asks.ts',
    find: 'if (timeNs > ask.highestNs) ask.highestNs = timeNs',
    replace: 'if (timeNs > (1n << 100n)) ask.highestNs = timeNs',
  },
  {
    name: 'unbalanced-successors',
    rule: 'Placement: no node owns more than its share',
    file: REASSIGNMENT,
    find: 'const wanted = plan.rows[partition] ?? []',
    replace:
      'const wanted = (plan.rows[partition] ?? []).map((node, place) => (row.owners[place] !== null && dead.has(row.owners[place] as string) ? (members.find((member) => !row.owners.includes(member)) ?? node) : node))',
  },
  {
    name: 'ended-keeps-the-rest-back',
    rule: 'Load: what has ended meanwhile keeps nothing back, though nobody else comes by',
    file: LANE,
    find: 'while (entries.length === 0 && this.#queue.length > 0) entries = this.#cut()',
    replace: 'if (this.#queue.length > 0) entries = this.#cut()',
  },
  {
    name: 'scan-believes-one-owner',
    rule: 'Scans: for each key what a get with that r promises',
    file: SCAN,
    find: 'records.length >= needed && records.every(',
    replace: 'records.length >= 1 && records.slice(0, 1).every(',
  },
  {
    name: 'scan-beyond-a-page-end',
    rule: 'Scans: what lies behind the nearest page end is for the next page',
    file: SCAN,
    find: 'if (next !== undefined && before(next, key)) return',
    replace: '',
  },
  {
    name: 'scan-shows-deleted',
    rule: 'Scans: only keys that have a value',
    file: SCAN,
    find: "record === undefined || record === 'asked' || !isLive(record)",
    replace: "record === undefined || record === 'asked'",
  },
  {
    name: 'refusal-though-it-is-there',
    rule: 'Requests: nothing is read of a write that was refused for certain',
    file: PUT,
    find: 'return this.maybeBefore || this.standIns.mayKeep || this.legs.some(isThere)',
    replace: 'return this.maybeBefore',
  },
  {
    name: 'delete-takes-everything',
    rule: 'Siblings: a delete with a context takes away what was read with it',
    file: REQUESTS,
    find: 'const context = request.context ?? (value === null ? seen : undefined)',
    replace: 'const context = value === null ? seen : request.context',
  },
  {
    name: 'what-moved-away-is-kept',
    rule: 'Deletes, changing owners: a store keeps nothing of a partition that has moved away',
    file: TRANSFERS,
    find: 'this.purge.onLost(this.#lost(before, keeper.table))',
    replace: '',
  },
  {
    name: 'a-copy-is-believed',
    rule: 'Standbys: what a standby holds is compared before it counts',
    file: SOURCE,
    find: 'digestOf(recordsOf(page)) === copy.digest',
    replace: "copy.digest !== ''",
  },
  {
    name: 'retires-with-its-hints',
    rule: 'Hints: an acknowledged hint is never dropped, by one that leaves either',
    file: NODE,
    find: 'return this.#hints.isEmpty && running',
    replace: 'return running',
  },
  {
    name: 'joins-without-a-share',
    rule: 'Placement: no node owns more than its share; who joins gets one',
    file: SHAPE,
    find: 'return rowsAfterClaim(table, rows, standbys)',
    replace: 'return rowsAfterClaim(table, rows.length === 0 ? rows : current, standbys)',
  },
  {
    name: 'a-standby-counts',
    rule: 'Quorums: a standby counts toward none',
    file: PUT,
    find: 'new Leg(standby, false, false)',
    replace: 'new Leg(standby, true, true)',
  },
  {
    name: 'copies-added-without-their-quorum',
    rule: 'Changing owners: while copies are added, a write needs the quorum of the new owners too',
    file: PUT,
    find: 'return staying?.length ?? pending.length',
    replace: 'return (staying ?? pending).length === 0 ? 1 : 1',
  },
  {
    name: 'no-copy-for-who-joins',
    rule: 'Placement: where everybody is a full copy, who joins gets one',
    file: 'src/protocol/supervision/full-copies.ts',
    find: 'if (newcomers.length === 0) return row',
    replace: 'if (newcomers.length >= 0) return row',
  },
  {
    name: 'smaller-quorums-at-once',
    rule: 'Changing owners: a row that has lost places is guarded at everybody until enough know of it',
    file: KEEPER,
    find: '(isSmaller || !isFullOwner(before, this.#self))',
    replace: '(false || !isFullOwner(before, this.#self))',
  },
  {
    name: 'one-freeze-for-all',
    rule: 'Backup: no snapshot before the last freeze that counts is confirmed',
    file: 'src/protocol/supervision/cut-core.ts',
    find: 'if (isFrozen) this.#frozen.add(node)',
    replace: 'if (isFrozen) for (const all of this.#asked) if (this.#frozen.add(all)) this.#awaited.delete(all)',
  },
]
