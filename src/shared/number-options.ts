/** Every numeric option of `openCluster` as data: the README's table, the help of the command and validation come from it. */

interface NumberOption {
  readonly byDefault: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly about: string
}

/** Node threads of one cluster at most. */
export const NODES_MAX = 64

/** Every numeric option: default, range, unit, meaning (what zero means, where zero is allowed). */
export const NUMBER_OPTIONS = {
  nodes: {
    byDefault: 5,
    min: 1,
    max: NODES_MAX,
    unit: 'threads',
    about: 'node threads at creation; later opens find what is there',
  },
  partitions: { byDefault: 128, min: 16, max: 16_384, unit: 'partitions', about: 'a power of two, fixed at creation' },
  standbys: {
    byDefault: 0,
    min: 0,
    max: 16,
    unit: 'nodes',
    about: 'hot standbys at creation, beside `nodes`: they get every write and serve nothing until promoted; 0: none',
  },
  readTimeoutMs: { byDefault: 1_000, min: 1, max: 600_000, unit: 'ms', about: 'deadline of a read without timeoutMs' },
  writeTimeoutMs: {
    byDefault: 2_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    about: 'deadline of a write without timeoutMs',
  },
  closeTimeoutMs: {
    byDefault: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'how long close() waits for nodes before it terminates them',
  },
  openTimeoutMs: {
    byDefault: 30_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    about: 'how long openCluster waits for a quorum of nodes',
  },
  valueBytesMax: { byDefault: 8_388_608, min: 1, max: 536_870_912, unit: 'bytes', about: 'longest value' },
  requestsInFlightMax: {
    byDefault: 16_384,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    about: 'past it a request is refused: OVERLOADED',
  },
  bytesInFlightMax: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'keys and values of unanswered requests of one gateway',
  },
  hedgeBudgetPercent: {
    byDefault: 5,
    min: 0,
    max: 100,
    unit: 'percent',
    about: 'extra reads sent to a second replica before the first was silent for avoidAfterMs; 0: none',
  },
  avoidAfterMs: {
    byDefault: 50,
    min: 5,
    max: 10_000,
    unit: 'ms',
    about: 'a replica silent for so long with mail outstanding is avoided',
  },
  hungAfterMs: {
    byDefault: 500,
    min: 100,
    max: 600_000,
    unit: 'ms',
    about: 'a thread whose loop stood still for so long is terminated and restarted',
  },
  heartbeatMs: { byDefault: 250, min: 10, max: 60_000, unit: 'ms', about: 'heartbeats to ring neighbours' },
  gossipMs: {
    byDefault: 200,
    min: 10,
    max: 60_000,
    unit: 'ms',
    about: 'gossip rounds while not converged; once converged five times as long',
  },
  restartsMax: {
    byDefault: 5,
    min: 0,
    max: 1_000,
    unit: 'restarts',
    about: 'within restartWindowMs; one more and the node is down for good; 0: the first death is final',
  },
  restartWindowMs: { byDefault: 60_000, min: 100, max: 3_600_000, unit: 'ms', about: 'window of restartsMax' },
  hintWindowMs: {
    byDefault: 10_800_000,
    min: 0,
    max: 2_592_000_000,
    unit: 'ms',
    about: 'no new hints for a node absent for longer; 0: no hints for missed writes',
  },
  hintBytesMax: {
    byDefault: 67_108_864,
    min: 0,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'hints a node keeps; past it it refuses new ones; 0: none',
  },
  transferBytesPerSecond: {
    byDefault: 67_108_864,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about:
      'records that one node takes and gives by fills and exchanges, all together; a backup reads as much beside them',
  },
  transfersMax: {
    byDefault: 2,
    min: 1,
    max: 64,
    unit: 'transfers',
    about: 'sources that one node is filled from at a time, and nodes that it gives to at a time',
  },
  tombstoneGraceMs: {
    byDefault: 86_400_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'how long a deleted key is remembered at least, then until every copy is known to; no timeout may be longer; 0: for ever',
  },
  antiEntropyIntervalMs: {
    byDefault: 15_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about:
      'pause between two comparisons of Merkle trees that a node begins by itself, with each peer in turn; 0: it begins none',
  },
  scrubIntervalMs: {
    byDefault: 604_800_000,
    min: 0,
    max: 2_147_483_647,
    unit: 'ms',
    about: 'pause between scrubs, which verify the tables of open stores again, node by node; 0: none',
  },
  scrubBytesPerSecond: {
    byDefault: 8_388_608,
    min: 1_024,
    max: 10_737_418_240,
    unit: 'bytes/s',
    about: 'read by a scrub, more or less',
  },
  recordCacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'records read or written lately, kept by the nodes, divided by them, at most 1 GiB each; 0: none',
  },
  cacheBytes: {
    byDefault: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    about: 'LevelDB block caches, divided by the nodes',
  },
  openFilesMax: {
    byDefault: 1_000,
    min: 50,
    max: 1_000_000,
    unit: 'files',
    about: 'LevelDB table files, divided by the nodes',
  },
  writeBufferBytes: {
    byDefault: 8_388_608,
    min: 65_536,
    max: 1_073_741_824,
    unit: 'bytes',
    about: 'LevelDB write buffer of each node (twice in use)',
  },
  nodeHeapMb: {
    byDefault: 256,
    min: 16,
    max: 65_536,
    unit: 'MB',
    about: 'old-generation heap of a node thread; a node over it dies alone and is restarted',
  },
  seed: {
    byDefault: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: '',
    about: 'seed of every choice by chance; 0: drawn at opening',
  },
} as const satisfies Record<string, NumberOption>

export type NumberOptionName = keyof typeof NUMBER_OPTIONS
