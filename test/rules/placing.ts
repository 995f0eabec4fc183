/** Rules, see `rules.ts`. Where keys live, who owns them, which answers count, which write is the last. */

import type { Rule } from './rule.js'

export const PLACING = {
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
      ['protocol/coordinator/put-hints.test.ts', 'put: sloppy, two owners away: w = 2 by hints, which are handed back'],
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
} as const satisfies Readonly<Record<string, Rule>>
