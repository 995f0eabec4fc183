/** Every numeric option of `openCluster` as data: the README's table, the help of the command and validation come from it. */

interface NumberOption {
  readonly byDefault: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly about: string
  /** What it takes to raise it (↑) and to lower it (↓): memory, time, CPU, disk, risk. */
  readonly cost: string
}

/** Node threads of one cluster at most. */
export const NODES_MAX = 64

/** Every numeric option: default, range, unit, meaning (what zero means, where zero is allowed), and what it costs. */
export const NUMBER_OPTIONS = {
  nodes: {
    byDefault: 5,
    min: 1,
    max: NODES_MAX,
    unit: 'threads',
    about: 'node threads at creation; later opens find what is there',
    cost: '↑ a thread, a heap (`nodeHeapMb`), a LevelDB and its write buffers each; the data stay n copies; ↓ fewer cores do the work, and each death takes a larger share away',
  },
  partitions: {
    byDefault: 128,
    min: 16,
    max: 16_384,
    unit: 'partitions',
    about: 'a power of two, fixed at creation',
    cost: '↑ a larger table, written and sent whole at each change; Merkle trees of 33 KB for each partition that a node has (8.5 KB above 256 partitions, 2.2 KB above 2,048); ↓ coarser shares: nodes differ by one replica at most, and that is larger',
  },
  standbys: {
    byDefault: 0,
    min: 0,
    max: 16,
    unit: 'nodes',
    about: 'hot standbys at creation, beside `nodes`: they get every write and serve nothing until promoted; 0: none',
    cost: '↑ the whole data set once more each, and each write to one more node; ↓ 0: a node that is down for good is replaced by copying its partitions',
  },
  readTimeoutMs: {
    byDefault: 1_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    about: 'deadline of a read without timeoutMs',
    cost: '↑ a caller waits longer before it hears that the quorum is away (scans: five times as long a page); ↓ `TIMEOUT` where a restart would have ended in time',
  },
  writeTimeoutMs: {
    byDefault: 2_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    about: 'deadline of a write without timeoutMs',
    cost: '↑ a caller waits longer before it hears that the quorum is away; ↓ more `OUTCOME_UNKNOWN`: each wants a read before you decide',
  },
  closeTimeoutMs: {
    byDefault: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'how long close() waits for nodes before it terminates them',
    cost: '↑ a node that does not stop holds `close()` up for longer; ↓ it is ended by force sooner, and its Merkle trees are built anew after the next opening',
  },
  openTimeoutMs: {
    byDefault: 30_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    about: 'how long openCluster waits for a quorum of nodes',
    cost: '↑ a store that never opens holds the opening, or its restart, up for longer; ↓ it must cover the verification of large stores, two at a time',
  },
  valueBytesMax: {
    byDefault: 8_388_608,
    min: 1,
    max: 536_870_912,
    unit: 'bytes',
    about: 'longest value',
    cost: '↑ each value is held and sent whole, by the caller, each owner and each transfer: memory, and the turns of a thread; ↓ longer values are refused (`INVALID_VALUE`)',
  },
  requestsInFlightMax: {
    byDefault: 16_384,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    about: 'past it a request is refused: OVERLOADED',
    cost: '↑ memory for each request that waits, and longer queues; ↓ `OVERLOADED` sooner. For each gateway, that is each thread that calls',
  },
  bytesInFlightMax: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'keys and values of unanswered requests of one gateway',
    cost: '↑ memory: gateways · bytesInFlightMax, and the last request of each above it; ↓ `OVERLOADED` sooner',
  },
  hedgeBudgetPercent: {
    byDefault: 5,
    min: 0,
    max: 100,
    unit: 'percent',
    about: 'extra reads sent to a second replica before the first was silent for avoidAfterMs; 0: none',
    cost: '↑ up to this share of reads is done twice; ↓ the slowest reads wait for `avoidAfterMs`',
  },
  avoidAfterMs: {
    byDefault: 50,
    min: 5,
    max: 10_000,
    unit: 'ms',
    about: 'a replica silent for so long with mail outstanding is avoided',
    cost: '↑ a read waits longer for a silent replica before it asks another; ↓ nodes that are only busy are avoided, and others do their reads',
  },
  hungAfterMs: {
    byDefault: 500,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'a thread whose loop stood still for so long is terminated and restarted',
    cost: '↑ a hung node is away for longer before it is restarted; ↓ a node that is only busy, or a machine short of CPU, has threads ended that would have gone on',
  },
  heartbeatMs: {
    byDefault: 250,
    min: 10,
    max: 60_000,
    unit: 'ms',
    about: 'heartbeats to ring neighbours',
    cost: '↑ silence is seen later; ↓ up to 3 · 1,000 / heartbeatMs messages a second and node',
  },
  gossipMs: {
    byDefault: 200,
    min: 10,
    max: 60_000,
    unit: 'ms',
    about: 'gossip rounds while not converged; once converged five times as long',
    cost: '↑ news spread slower, in proportion; ↓ more messages and CPU: two members are addressed each round',
  },
  restartsMax: {
    byDefault: 5,
    min: 0,
    max: 1_000,
    unit: 'restarts',
    about: 'within restartWindowMs; one more and the node is down for good; 0: the first death is final',
    cost: '↑ a node that keeps dying is tried for longer (pauses double up to 30 s) while its partitions have a copy less; ↓ partitions are copied to others sooner, also for a fault that would have passed',
  },
  restartWindowMs: {
    byDefault: 60_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    about: 'window of restartsMax',
    cost: '↑ short lives are remembered for longer: a node is given up sooner; ↓ one that dies in a slow rhythm is restarted for ever',
  },
  hintWindowMs: {
    byDefault: 10_800_000,
    min: 0,
    max: 2_592_000_000,
    unit: 'ms',
    about: 'no new hints for a node absent for longer; 0: no hints for missed writes',
    cost: "↑ more hints on the keepers' disks, up to `hintBytesMax` each; ↓ who comes back later compares Merkle trees, and where they differ both stores are read",
  },
  hintBytesMax: {
    byDefault: 67_108_864,
    min: 0,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'hints a node keeps; past it it refuses new ones; 0: none',
    cost: '↑ memory and disk: up to hintBytesMax on each node, kept in both; ↓ what finds no place is found by comparing Merkle trees',
  },
  transferBytesPerSecond: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about:
      'records that one node takes and gives by fills and exchanges, all together; a backup reads as much beside them',
    cost: '↑ disk and CPU that requests want too; ↓ a copy is missing for longer: bytes / transferBytesPerSecond seconds at least',
  },
  transfersMax: {
    byDefault: 2,
    min: 1,
    max: 64,
    unit: 'transfers',
    about: 'sources that one node is filled from at a time, and nodes that it gives to at a time',
    cost: '↑ more chunks in memory and more nodes busy with copying at a time; ↓ a fill reads its sources one after the other',
  },
  tombstoneGraceMs: {
    byDefault: 86_400_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'how long a deleted key is remembered at least, then until every copy is known to; no timeout may be longer; 0: for ever',
    cost: '↑ a small record on each owner and standby for each deleted key, for longer; ↓ a backup older than this cannot seed a node, and longer timeouts are refused',
  },
  antiEntropyIntervalMs: {
    byDefault: 15_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'pause between two comparisons of Merkle trees that a node begins by itself, with each peer in turn; 0: it begins none',
    cost: '↑ what hints and read repair missed stays different for longer; ↓ one message each time where trees are equal, a paced pass over both stores where not',
  },
  scrubIntervalMs: {
    byDefault: 604_800_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about: 'pause between scrubs, which verify the tables of open stores again, node by node; 0: none',
    cost: '↑ damage that nobody reads stays unseen for longer; ↓ every table is read and checked once each interval: disk and CPU',
  },
  scrubBytesPerSecond: {
    byDefault: 8_388_608,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about: 'read by a scrub, more or less',
    cost: "↑ disk and a pool thread's CPU taken from requests; ↓ a scrub takes longer: bytes of all tables / scrubBytesPerSecond seconds at least",
  },
  recordCacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'records read or written lately, kept by the nodes, divided by them, at most 1 GiB each; 0: none',
    cost: '↑ memory: recordCacheBytes in all as it fills, and an index of a sixth to a third of it; ↓ more reads go to LevelDB',
  },
  nearCacheBytes: {
    byDefault: 33_554_432,
    min: 0,
    max: 1_073_741_824,
    unit: 'bytes',
    about:
      'values read lately, kept by each thread that calls, up to 64 KiB or a sixteenth of it each, for as long as no node has written the key; below 65,536: none. With `faults: true` 0 unless said: a read then always asks nodes',
    cost: '↑ memory: nearCacheBytes for each thread that calls, as it fills, and an index of a sixth to a third of it; up to 2 MiB, and 1 MiB a node, of counts of writes; ↓ more reads ask a node',
  },
  cacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'LevelDB block caches, divided by the nodes',
    cost: '↑ memory: cacheBytes in all, cacheBytes / nodes for each; ↓ more blocks are read and uncompressed again',
  },
  openFilesMax: {
    byDefault: 10_000,
    min: 50,
    max: 1_000_000,
    unit: 'files',
    about: 'LevelDB table files of 2 MiB, divided by the nodes; LevelDB itself heeds the limit of the process',
    cost: '↑ the indexes of open tables in memory, some 40 KiB each, and file descriptors; ↓ where a node has more tables than openFilesMax / nodes (10 at least) they are opened again and again, and reads are ten times as slow',
  },
  writeBufferBytes: {
    byDefault: 8_388_608,
    min: 65_536,
    max: 1_073_741_824,
    unit: 'bytes',
    about: 'LevelDB write buffer of each node (twice in use)',
    cost: '↑ memory: up to 2 · nodes · writeBufferBytes; as much log to verify at an opening; a full disk needs 2 · writeBufferBytes + 1 MiB to open again; ↓ more small tables, more compaction',
  },
  nodeHeapMb: {
    byDefault: 256,
    min: 16,
    max: 65_536,
    unit: 'MB',
    about: 'old-generation heap of a node thread; a node over it dies alone and is restarted',
    cost: '↑ memory: up to nodes · nodeHeapMb; ↓ a node under load dies of it, is restarted, and is away meanwhile',
  },
  seed: {
    byDefault: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: '',
    about: 'seed of every choice by chance; 0: drawn at opening',
    cost: "none; where threads run, a seed does not repeat their order (the simulator's does)",
  },
} as const satisfies Record<string, NumberOption>

export type NumberOptionName = keyof typeof NUMBER_OPTIONS
