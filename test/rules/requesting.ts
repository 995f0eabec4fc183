/** Rules, see `rules.ts`. What becomes of a request, and of what an owner missed. */

import type { Rule } from './rule.js'

export const REQUESTING = {
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
      ['protocol/coordinator/get-slow-owners.test.ts', 'get: a hedge only within the budget'],
      ['protocol/coordinator/get-slow-owners.test.ts', 'get: a silent owner is gone around'],
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
    checkers: ['batches', 'quorums', 'acknowledgements', 'logged-batches'],
    tests: [
      ['cluster/calls.test.ts', 'batch: acknowledged batches of one partition are whole, nodes dying meanwhile'],
      ['cluster/logged-batches.test.ts', 'logged batches: after a SIGKILL each is there as a whole or not at all'],
    ],
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
    checkers: ['lost-writes', 'linearizability', 'scans', 'leftovers', 'reaps'],
    tests: [
      ['cluster/heal.test.ts', 'heal: a deleted key does not come back from a store that missed the delete'],
      ['cluster/tombstones.test.ts', 'tombstones: forgotten once every copy holds them'],
      ['cluster/tombstones.test.ts', 'tombstones: of siblings too'],
      ['protocol/repair/reaper.test.ts', 'a tombstone is forgotten after everybody has agreed twice'],
    ],
    note: 'No store is ever absent while tombstones are dropped: they are kept while any node is not there.',
  },
} as const satisfies Readonly<Record<string, Rule>>
