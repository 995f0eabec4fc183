/**
 * The rules of the protocol, sentence by sentence as the design says them in its section 3, and what holds each: checkers that
 * watch it in the simulator, mutants that break it (those name their rule: `../mutants`), tests of what the simulator cannot see.
 *
 * `../RULES.md` is made from this, and `rules.test.ts` sees to it that every name in it is one.
 */

import type { Finder } from '../../src/sim/index.js'

export interface Rule {
  readonly section: string
  /** Verbatim. */
  readonly text: string
  /** Checkers of the simulator that watch it, or the protocol's own assertions (`invariants`). */
  readonly checkers?: readonly Finder[]
  /** File below `test`, and words of a test's title in it. */
  readonly tests?: readonly (readonly [file: string, title: string])[]
  /** What of it is not in this version, or lies elsewhere. */
  readonly note?: string
}

export const RULES = {
  // --- Placement ---
  slots: {
    section: 'Placement',
    text: '`slot = CRC16-XMODEM(key or its {hash tag}) mod 16384`, exactly as Redis Cluster; `partition = slot >> k`, the partition count being a power of two (16…16384, default 128), fixed at creation and refused if reopened with another.',
    tests: [
      ['protocol/ring/slot.test.ts', 'crc16: the check value of CRC16-XMODEM'],
      ['cluster/calls.test.ts', 'locate: three distinct owners, Redis Cluster’s slot'],
      ['cluster/options.test.ts', 'location: what was fixed at creation is refused if it is other'],
    ],
  },
  'user-order': {
    section: 'Placement',
    text: "A node's data keys lie in user order and the partition is computed from the key, so that a scan is one ordered stream per node (merging 128 prefixed ranges costs 4.7 ms for 50 records against 0.22 ms); transfers filter, one pass for all moves.",
    checkers: ['scans'],
    tests: [
      ['storage/keyspace.test.ts', 'keyspace: order and names survive'],
      ['protocol/coordinator/scan.test.ts', 'scan: one ordered page over all partitions'],
      ['contract/store-contract.ts', 'a scan pages through exactly the keys of its range and partitions, in order'],
    ],
  },
  claim: {
    section: 'Placement',
    text: 'Claim is balanced (no node owns more than ⌈Q·n/S⌉ replicas), gives every partition n distinct nodes, moves the provable minimum.',
    checkers: ['placement'],
    tests: [
      [
        'protocol/ring/claim.test.ts',
        'claim: full rows of distinct members, kept places, true moves, nobody above the cap',
      ],
      ['protocol/ring/claim.test.ts', 'claim: the fewest moves of all balanced assignments (all of them tried)'],
    ],
  },
  'n-places': {
    section: 'Placement',
    text: 'A row always keeps n places; a vacant one counts as down, so r and w never shrink with the cluster.',
    checkers: ['placement', 'availability', 'invariants'],
    tests: [
      [
        'protocol/ring/claim.test.ts',
        'claim: fewer members than places own every partition, the rest of the row is vacant',
      ],
    ],
  },

  // --- Epochs ---
  'one-table': {
    section: 'Epochs',
    text: 'The partition table (epoch, owners, standbys, pending owners per row) is a value. Only the supervisor makes a new epoch; it is fsynced in the cluster folder before anyone learns it, gossip spreads it, the highest wins everywhere.',
    checkers: ['one-table', 'epochs-grow'],
    tests: [
      ['protocol/membership/gossip.test.ts', 'tables: whoever has an older epoch is told where a later one is'],
      ['protocol/table-keeper.test.ts', 'table: every order of offers and stores ends with the highest epoch'],
    ],
  },
  'row-epochs': {
    section: 'Epochs',
    text: "Every request and every fill carries the epoch of its partition's row, and a replica serves only its own (shown a newer one, it adopts first; an older one is answered with the table, and the gateway retries with the same stamp).",
    checkers: ['owners', 'row-epochs', 'stamps'],
    tests: [
      [
        'protocol/coordinator/get.test.ts',
        'stale row epoch: the table is sent, and the request goes on with the same stamp',
      ],
      [
        'protocol/coordinator/get.test.ts',
        'a request by a newer row waits in the replica until the table is stored there',
      ],
    ],
  },
  'stored-before-acted': {
    section: 'Epochs',
    text: 'A node stores an epoch before it acts on it, and is handed the current one when spawned.',
    checkers: ['epochs-grow'],
  },
  'joint-row-known': {
    section: 'Epochs',
    text: 'A fill starts once n − min(r,w) + 1 old owners have stored the joint row; no flipped row is served until as many have stored it (a terminated thread counts as having stored).',
    checkers: ['fills', 'owners'],
    tests: [['protocol/coordinator/get.test.ts', 'get: guarded rows are asked again, and answer once activated']],
  },

  // --- Quorums ---
  'strict-owners': {
    section: 'Quorums',
    text: "Defaults n=3, r=2, w=2; per call `r`, `w`. Strict by default: only the partition's owners count.",
    checkers: ['quorums'],
    tests: [
      ['cluster/calls.test.ts', 'calls: every r and w is served while all nodes live'],
      ['protocol/coordinator/put.test.ts', 'put: under strict, what a fallback keeps does not count toward w'],
    ],
  },
  linearizable: {
    section: 'Quorums',
    text: "A key is linearizable (get, put, delete under `lww`) when r+w>n and 2r>n, every write of it was strict with the cluster's w, and a read that saw different versions wrote the newest back to max(w, n−r+1) owners before it answered; a checker proves it on recorded histories.",
    checkers: ['linearizability', 'quorums', 'lost-writes'],
    tests: [
      ['support/linearizability.test.ts', 'checker: says the same as a brute-force search'],
      ['protocol/coordinator/get.test.ts', 'get: the newest version is on max(w, n − r + 1) owners before the answer'],
    ],
  },
  sloppy: {
    section: 'Quorums',
    text: '`sloppy: true` counts the first n healthy nodes (Dynamo §4.6); after a sloppy write the key is linearizable again once its hints are handed back.',
    checkers: ['quorums', 'lost-writes', 'replicas-identical'],
    tests: [
      ['protocol/coordinator/put.test.ts', 'put: sloppy, two owners away: w = 2 by hints, which are handed back'],
    ],
  },
  'one-replica': {
    section: 'Quorums',
    text: 'Whoever asks for less (r=1) gets speed, and the docs say what they give up.',
    checkers: ['read-values'],
    tests: [['cluster/calls.test.ts', 'calls: every r and w is served while all nodes live']],
    note: 'What they give up: `README.md`, “Quorums”.',
  },
  'waits-for-restarts': {
    section: 'Quorums',
    text: 'Strict requests wait, within their deadline, for owners that are restarting, and fail at once only for owners that are *down*.',
    checkers: ['availability'],
    tests: [
      [
        'protocol/coordinator/put.test.ts',
        'put: waits for a restarting owner, and fails at once only for owners that are down',
      ],
      ['protocol/coordinator/get.test.ts', 'get: fails at once if r owners can never answer'],
    ],
  },

  // --- Stamps ---
  'shared-clock': {
    section: 'Stamps',
    text: 'Under `lww` the stamp is the process-wide monotonic clock in nanoseconds (`hrtime` plus one offset shared by all threads, set at opening above wall time and the stored ceiling), read after the operation was taken, then actor, then index.',
    checkers: ['stamps', 'linearizability'],
    tests: [
      ['protocol/versions/stamp.test.ts', 'stamp: the order of the texts is the order of time, actor, index'],
      ['storage/cluster-folder.test.ts', 'cluster folder: of a damaged clock the spare is raised'],
    ],
  },
  nanoseconds: {
    section: 'Stamps',
    text: 'Not milliseconds with a counter: two threads in one millisecond come out in the wrong order (seen in 4,782 of 5,000 causally ordered pairs; with nanoseconds in none).',
    checkers: ['stamps'],
    tests: [['protocol/versions/stamp.test.ts', 'stamp: what one gateway gives out only grows']],
  },
  'one-stamp': {
    section: 'Stamps',
    text: 'The gateway stamps once, in both coordination modes; every retry, hint and repair keeps the stamp.',
    checkers: ['stamps'],
    tests: [['protocol/coordinator/get.test.ts', 'get: what was written back has the stamp that it had']],
  },
  'wall-time-only': {
    section: 'Stamps',
    text: '`skewClock` skews wall time only.',
    tests: [
      [
        'cluster/network-faults.test.ts',
        'skewClock: writes keep their order whatever the wall clocks of the nodes say',
      ],
    ],
  },
  'stamp-asks': {
    section: 'Stamps',
    text: 'Simulations without the shared clock ask a quorum for the highest stamp first.',
    checkers: ['stamps'],
    tests: [['protocol/coordinator/stamp-asks.test.ts', 'above the own clock, above the highest of all keys']],
  },

  // --- Siblings ---
  'all-concurrent': {
    section: 'Siblings',
    text: "`conflict: 'siblings'` keeps dotted version vectors: `read` gives all concurrent values and a context, a `put` with that context supersedes them.",
    checkers: ['siblings'],
    tests: [
      ['protocol/versions/dvv.test.ts', 'history: a set keeps exactly the values that explicit sets of dots keep'],
      ['cluster/siblings.test.ts', 'siblings: a put with a context supersedes what was read and nothing else'],
    ],
  },
  'dot-first': {
    section: 'Siblings',
    text: 'Such a write is coordinated by an owner; its own store accepts the dot before it replicates;',
    checkers: ['siblings', 'quorums'],
    tests: [
      ['protocol/coordinator/forward.test.ts', 'siblings: an update is given a dot by an owner'],
      ['protocol/coordinator/forward.test.ts', 'siblings: a node that is no full owner any more does nothing'],
    ],
  },
  actors: {
    section: 'Siblings',
    text: 'an actor is node + random store id, counters are per key;',
    checkers: ['dots'],
    tests: [
      ['protocol/versions/dvv.test.ts', 'history: no dot is issued twice'],
      [
        'storage/level-opening.test.ts',
        'level: a reboot in the middle of work under process is a lost tail: a new id, once',
      ],
    ],
  },
  'never-retried': {
    section: 'Siblings',
    text: 'an interrupted write is *outcome unknown* and never retried by the system.',
    checkers: ['siblings', 'dots'],
    tests: [['protocol/coordinator/retransmission.test.ts', 'a sibling update whose batch is sent again is done once']],
  },

  // --- Requests ---
  coordination: {
    section: 'Requests',
    text: "The gateway runs in the caller's thread. The coordinator runs where the request enters, one code for both ways: `coordination: 'client'` (default; Dynamo §6.4), the gateway talks to the replicas directly, one round trip; `'server'`, the request goes to any node, which routes by its own gossiped table and replicates to its peers.",
    tests: [
      ['cluster/calls.test.ts', 'coordination: the same calls work with the coordinators in the nodes'],
      [
        'protocol/coordinator/forward.test.ts',
        'forward: a node coordinates gets and puts; the gateway talks to no replica',
      ],
    ],
    note: 'Every checker watches both ways: a third of the runs have `coordination: server`. Message by message: `scenarios/put-and-get.txt`, `scenarios/put-and-get-server.txt`.',
  },
  'batch-first': {
    section: 'Requests',
    text: 'The hot path is batch-first: one event carries every operation of a turn for a node, and a gateway keeps at most one data message outstanding per node and lets the rest gather (natural batching; FACTS has what that is worth).',
    checkers: ['credits', 'liveness'],
    tests: [['protocol/coordinator/lane.test.ts', 'lane: a message that would be empty is not made']],
  },
  hedging: {
    section: 'Requests',
    text: 'Reads are hedged within a budget; a replica silent for 50 ms with mail outstanding is avoided, outside that budget.',
    checkers: ['availability'],
    tests: [
      ['protocol/coordinator/get.test.ts', 'get: a hedge only within the budget'],
      ['protocol/coordinator/get.test.ts', 'get: a silent owner is gone around'],
    ],
  },
  deadlines: {
    section: 'Requests',
    text: 'Every message carries its deadline, and replicas drop expired ones, repairs included.',
    checkers: ['deadlines', 'late-requests', 'ends'],
    note: '`deadlines`: reads and writes at replicas, which batches, repairs, handoffs and the pushes of exchanges are; `late-requests`: pages of scans, sibling updates. `hint/store`, `transfer/pull` and `exchange/compare` have no caller and carry no deadline: a late answer to them belongs to no question any more.',
    tests: [
      ['protocol/repair/exchange.test.ts', 'an exchange whose peer is away names no deadline until the peer is back'],
    ],
  },
  'ends-once': {
    section: 'Requests',
    text: 'Every request ends exactly once: value; *definite failure*, only if no replica was sent the write or every one refused it; else *outcome unknown*, with its own code.',
    checkers: ['ends', 'linearizability', 'siblings', 'read-values'],
    tests: [
      ['protocol/exactly-once.test.ts', 'client: every request ends exactly once'],
      ['protocol/coordinator/put.test.ts', 'put: fails definitely if every replica refused it'],
    ],
  },
  'full-queue': {
    section: 'Requests',
    text: 'A full queue towards one owner is that owner missing, not a refusal.',
    checkers: ['availability', 'bounds'],
  },

  // --- Batches ---
  'one-stamp-a-batch': {
    section: 'Batches',
    text: 'One stamp a batch, of duplicate keys the last wins;',
    checkers: ['batches'],
    tests: [
      ['cluster/calls.test.ts', 'batch: puts and deletes in one; of a key named twice the last wins'],
      ['protocol/gateway.test.ts', 'gateway: a batch has one stamp, and of duplicate keys the last wins'],
    ],
  },
  atomic: {
    section: 'Batches',
    text: 'atomic per partition and replica, and as a whole per partition once acknowledged; after *outcome unknown*, per key. No isolation.',
    checkers: ['batches', 'quorums', 'acknowledgements'],
    tests: [['cluster/calls.test.ts', 'batch: acknowledged batches of one partition are whole, nodes dying meanwhile']],
  },

  // --- Hints ---
  'hints-follow-owners': {
    section: 'Hints',
    text: '**Hints** name their partition, not only a node: when owners change they go to the current ones.',
    checkers: ['hints', 'replicas-identical'],
    tests: [['protocol/handoff/hint-keeper.test.ts', 'a hint for an owner that was replaced does not wait']],
  },
  'hints-stay': {
    section: 'Hints',
    text: 'An acknowledged hint is never dropped: at its bound a fallback refuses new ones; past the window it is still delivered to the current owners.',
    checkers: ['hints', 'bounds', 'replicas-identical', 'lost-writes'],
    tests: [['protocol/handoff/hint-keeper.test.ts', 'hints that are still being stored count towards the bound']],
  },

  // --- Deletes ---
  deletes: {
    section: 'Deletes',
    text: "**Deletes** are tombstones. One is dropped only when all owners, pending owners and standbys hold it, no hint for its partition is outstanding, and a grace longer than every deadline has passed. A store absent for longer than the grace is amnesiac, a dead node's disk store included. A deleted key never comes back.",
    checkers: ['lost-writes', 'linearizability', 'scans', 'leftovers'],
    tests: [['cluster/heal.test.ts', 'heal: a deleted key does not come back from a store that missed the delete']],
    note: 'This version drops no tombstone, so that there is no grace yet.',
  },

  // --- Amnesia ---
  witness: {
    section: 'Amnesia',
    text: "LevelDB loses silently (FACTS). Before a node opens its store the files are verified; each batch increments a store sequence, which the node writes to a witness file outside the store's folder before it acknowledges (fsynced under `'disk'`).",
    tests: [
      ['storage/verify-store.test.ts', 'verify: every single bit of a small store is covered'],
      ['storage/level-opening.test.ts', 'level: nothing is acknowledged before the witness has its sequence'],
      ['storage/group-commit.test.ts', 'group commit: under disk the ack waits for the synced witness'],
    ],
    note: 'Of disks: the simulator takes them as this leaves them.',
  },
  'new-actor': {
    section: 'Amnesia',
    text: 'A stored sequence below the witness, a missing identity, failed files or a quarantined store: the node is a new actor (an (actor, counter) pair issued twice loses acknowledged writes, riak_kv#679), a *pending* owner that takes writes and counts toward no quorum until it has been filled from n−w+1 full owners.',
    checkers: ['owners', 'fills', 'row-epochs', 'dots'],
    tests: [
      ['storage/open-verdict.test.ts', 'a store behind its witness has forgotten'],
      ['storage/quarantine.test.ts', 'quarantine: the folder moves'],
    ],
  },
  'new-quorum-only': {
    section: 'Amnesia',
    text: 'An owner being moved in counts in the *new* write quorum only.',
    checkers: ['quorums'],
    tests: [['protocol/coordinator/put.test.ts', 'put: a joint row needs w of the old owners and w of the new']],
  },
  'damaged-is-unknown': {
    section: 'Amnesia',
    text: 'A record whose checksum is wrong answers "unknown", never "absent".',
    checkers: ['acknowledgements'],
    tests: [
      ['protocol/coordinator/get.test.ts', 'get: a damaged record never counts, and is healed'],
      ['storage/record-codec.test.ts', 'codec: every single flipped bit is damage'],
    ],
  },
  'lost-tails': {
    section: 'Amnesia',
    text: "After a reboot of the machine under `'process'`, lost tails are reported and the stores stay members (else a power cut would make every node pending).",
    tests: [
      ['storage/level-opening.test.ts', 'level: a reboot in the middle of work under process is a lost tail'],
      ['protocol/supervision/exchanges-owed.test.ts', 'a store that lost its tail is told of, and everybody compares'],
    ],
  },

  // --- Acknowledgement ---
  acknowledgement: {
    section: 'Acknowledgement',
    text: "A replica acknowledges only what its store has accepted at the cluster's durability, and reads show only such versions: `'process'` (default; survives the death of the thread or the process) or `'disk'` (one synced batch before the ack, group-committed).",
    checkers: ['acknowledgements'],
    tests: [
      ['storage/group-commit.test.ts', 'group commit: after a failed sync of the witness nothing is acknowledged'],
      ['support/torture/power-cut.test.ts', 'cut: what was not synced is gone, what was synced is there'],
      ['cluster/reopen.test.ts', 'reopen: after a SIGKILL no acknowledged write is lost'],
    ],
  },

  // --- Membership ---
  gossip: {
    section: 'Membership',
    text: 'Gossip with digests (generation, version), incarnations, and a table of allowed transitions: joining, up, suspect, leaving, down, removed.',
    checkers: ['gossip-bound'],
    tests: [
      ['protocol/membership/member.test.ts', 'status: the table of allowed steps, written out'],
      ['protocol/membership/gossip.test.ts', 'cost: at most fanout syns a round, each with one answer'],
      [
        'protocol/membership/gossip.test.ts',
        'convergence: a change at one member is known to 3…100 members in O(log n) rounds',
      ],
    ],
    note: 'A step that the table does not allow is an assertion (`invariants`).',
  },
  heartbeats: {
    section: 'Membership',
    text: 'Liveness rides on gossiped heartbeat counters plus heartbeats to a few ring neighbours (all-to-all costs 5 % of a core for eight idle nodes), judged by a phi-accrual detector; the supervisor also watches shared counters without waking anyone.',
    checkers: ['gossip-bound', 'late-watchers'],
    tests: [
      ['protocol/membership/gossip.test.ts', 'neighbours: the next healthy ones and the unhealthy between'],
      [
        'protocol/membership/phi-accrual.test.ts',
        'detector: a silent peer is suspected once, and trusted once it beats again',
      ],
      ['protocol/membership/membership.test.ts', 'hang: a frozen member is suspect to all within 3 s'],
    ],
  },
  'exit-is-certain': {
    section: 'Membership',
    text: "A thread's `exit` is certain knowledge and needs no suspicion.",
    tests: [
      ['protocol/membership/membership.test.ts', 'exit: suspect at once, late mail of that life changes nothing'],
    ],
  },
  'earlier-lives': {
    section: 'Membership',
    text: 'Mail addressed to an earlier incarnation is dropped and counted.',
    checkers: ['earlier-lives'],
    tests: [
      ['protocol/membership/membership.test.ts', 'exit: suspect at once, late mail of that life changes nothing'],
    ],
    note: 'On real threads such mail lies in a port that nobody reads any more; `deadLetters` counts what is sent to a node without one.',
  },
  'late-watchers': {
    section: 'Membership',
    text: 'A watcher whose own tick was late (debugger, SIGSTOP, blocked host thread) resets its detector instead of judging.',
    checkers: ['late-watchers'],
    tests: [['protocol/membership/phi-accrual.test.ts', 'detector: a late own tick resets instead of judging']],
  },

  // --- Supervision ---
  restarts: {
    section: 'Supervision',
    text: 'One-for-one: the first restart is immediate; only restarts that did not stay up for a second count toward backoff and intensity.',
    tests: [
      ['protocol/supervision/restart-policy.test.ts', 'the first restart is immediate'],
      ['protocol/supervision/restart-policy.test.ts', 'a long life counts for nothing'],
      ['protocol/supervision/restart-policy.test.ts', 'one death is nobody else’s'],
    ],
  },
  'down-for-good': {
    section: 'Supervision',
    text: 'Within the limit: restart, replay hints, anti-entropy. Beyond it: down for good, partitions reassigned (a standby if there is one, else the survivors), filled, and only then the flip.',
    checkers: ['placement', 'replicas-identical', 'row-epochs', 'fills'],
    tests: [
      [
        'cluster/calls.test.ts',
        'restarts: past restartsMax a node is down for good and its partitions have other owners',
      ],
    ],
  },
  losses: {
    section: 'Supervision',
    text: 'Where too few owners live for a fill, the stores that the dead left on disk are read for it; if those are gone too, strict requests to the partition fail at once with their own code until an operator says `acceptLoss(partitions)`: data is never traded for silence.',
    tests: [
      [
        'cluster/owners-down.test.ts',
        'owners: with the stores of two gone too, a partition says that it is lost until the loss is accepted',
      ],
      ['protocol/supervision/losses.test.ts', 'a loss that is accepted before it happens is not accepted'],
    ],
    note: 'The simulator loses no more than one store at a time. Message by message: `scenarios/lost-partition.txt`, `scenarios/two-owners-down.txt`.',
  },
  hangs: {
    section: 'Supervision',
    text: 'A hung node is avoided at once, terminated after a second, restarted.',
    checkers: ['availability', 'late-watchers'],
    tests: [['cluster/calls.test.ts', 'events: a hung node is told, terminated and comes back']],
    note: 'Message by message: `scenarios/hung-node.txt`.',
  },
  'highest-epoch': {
    section: 'Supervision',
    text: 'A supervisor that dies comes back from the highest fsynced epoch.',
    checkers: ['one-table', 'epochs-grow'],
    tests: [
      ['storage/cluster-folder.test.ts', 'of a damaged table the spare says so'],
      ['actors/supervisor.test.ts', 'a core that is rebuilt while a node is being verified'],
    ],
  },

  // --- Changing owners ---
  'both-quorums': {
    section: 'Changing owners',
    text: 'While a partition moves, writes need the quorum of the old owners *and* of the new; reads go to the old until the new are full; the epoch flips once.',
    checkers: ['quorums', 'owners', 'row-epochs'],
    tests: [['protocol/coordinator/put.test.ts', 'put: a joint row needs w of the old owners and w of the new']],
  },
  'nothing-fails': {
    section: 'Changing owners',
    text: 'No acknowledged write is lost and no request fails for it.',
    checkers: ['availability', 'lost-writes', 'linearizability', 'leftovers'],
    tests: [['cluster/owners-down.test.ts', 'owners: one down for good is replaced and no request fails']],
  },

  // --- Load ---
  'two-lanes': {
    section: 'Load',
    text: 'Mailboxes are bounded with two lanes (control before data).',
    checkers: ['bounds'],
    tests: [['protocol/mailbox.test.ts', 'control before data']],
  },
  credits: {
    section: 'Load',
    text: '`postMessage` has no back pressure, so the sender keeps credits.',
    checkers: ['credits', 'bounds'],
  },
  refusals: {
    section: 'Load',
    text: 'Past the bound a request is refused at once with an error code; heartbeats are never starved by data.',
    checkers: ['bounds', 'availability'],
    tests: [
      ['protocol/mailbox.test.ts', 'a heartbeat is handled before everything that waits in the data lane'],
      ['cluster/flood.test.ts', 'flood: past requestsInFlightMax a request is refused at once'],
    ],
  },
  limits: {
    section: 'Load',
    text: 'Every map, queue, batch, retry and fan-out has a named limit in bytes or entries.',
    checkers: ['bounds', 'gossip-bound', 'invariants'],
    note: '`invariants`: assertions after every input (`src/protocol/invariants.ts`).',
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleId = keyof typeof RULES
