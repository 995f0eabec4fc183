/** Rules, see `rules.ts`. How stores, nodes and the whole cluster live, and what bounds them. */

import type { Rule } from './rule.js'

export const LIVING = {
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
    checkers: ['placement', 'replicas-identical', 'row-epochs', 'fills', 'trees'],
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

  // --- Backup ---
  cut: {
    section: 'Backup',
    text: 'A backup is a consistent cut: no write is in it without everything that had been acknowledged before it was asked for.',
    checkers: ['cuts'],
    tests: [['protocol/supervision/cut-core.test.ts', 'cut: no snapshot before everybody has confirmed the freeze']],
    note: 'Beside section 3.',
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
