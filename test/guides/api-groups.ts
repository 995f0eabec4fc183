/** In which order the reference tells of what the door exports. A name with a point is a member: `Cluster.status`. */

export interface Group {
  readonly title: string
  readonly about: string
  readonly names: readonly string[]
}

export const GROUPS: readonly Group[] = [
  {
    title: 'Opening',
    about: 'A cluster is opened by its folder, or made there; or by the nodes of a Redis Cluster.',
    names: [
      'openCluster',
      'ClusterOptions',
      'RedisClusterOptions',
      'RedisTls',
      'ReplicationOptions',
      'Durability',
      'ConflictMode',
      'CoordinationMode',
      'VerificationMode',
      'WorkerPaths',
      'Cluster',
    ],
  },
  {
    title: 'Calls',
    about: 'On keys. A `Cluster` has them, and so has what `connect` gives.',
    names: [
      'KeyValueStore',
      ...['id', 'get', 'read', 'put', 'delete', 'getMany', 'batch', 'scan', 'locate', 'close'].map(
        (name) => `KeyValueStore.${name}`,
      ),
      'KeyValueStore.[Symbol.asyncDispose]',
      'Bytes',
      'GetOptions',
      'PutOptions',
      'BatchOperation',
      'BatchOptions',
      'ScanOptions',
      'ReadResult',
      'Location',
    ],
  },
  {
    title: 'Status and events',
    about: 'What is going on, asked for or told.',
    names: [
      ...['status', 'metrics', 'ring', 'views', 'versions', 'settled', 'on', 'once', 'off', 'acceptLoss'].map(
        (name) => `Cluster.${name}`,
      ),
      'ClusterEvents',
      'ClusterStatus',
      'NodeStatus',
      'FillStatus',
      'Quarantine',
      'PartitionOwners',
      'NodeView',
      'KeyVersions',
      'ReplicaVersions',
      'ClusterMetrics',
      'RequestMetrics',
      'RepairMetrics',
      'MemberStatus',
      'NodeId',
      'GatewayId',
      'ActorId',
      'PartitionId',
      'Slot',
    ],
  },
  {
    title: 'Shape',
    about: 'Nodes that join and leave while the cluster serves.',
    names: ['Cluster.plan', 'Cluster.join', 'Cluster.promote', 'Cluster.leave', 'ShapePlan', 'PlannedMove'],
  },
  {
    title: 'Backup',
    about: 'One consistent cut, and what is made of it.',
    names: [
      'Cluster.backup',
      'BackupOptions',
      'BackupSummary',
      'restoreCluster',
      'RestoreOptions',
      'verifyFolder',
      'Verification',
      'VerifiedPart',
      'BulkProgress',
    ],
  },
  {
    title: 'Migration',
    about: 'To another engine, while the cluster serves.',
    names: [
      'Cluster.migrate',
      'Cluster.abortMigration',
      'MigrateOptions',
      'MigrationTo',
      'MigrationProgress',
      'MigrationStage',
      'MigrationSummary',
      'MigrationStatus',
    ],
  },
  {
    title: 'Injected faults',
    about: 'For tests, with `faults: true`.',
    names: [
      'Cluster.faults',
      'Faults',
      ...['crash', 'hang', 'pause', 'wipe', 'corrupt', 'cut', 'cutOneWay', 'delay', 'drop', 'duplicate', 'reorder'].map(
        (name) => `Faults.${name}`,
      ),
      ...['slow', 'skewClock', 'fillDisk', 'failpoint', 'heal'].map((name) => `Faults.${name}`),
      'Ids',
      'Failpoint',
      'FAILPOINTS',
      'FaultCounts',
    ],
  },
  {
    title: 'Level',
    about: 'A cluster behind the interface of abstract-level 3.',
    names: ['CoterieLevel', 'CoterieLevelOptions'],
  },
  {
    title: 'Metrics, health and logs',
    about:
      'From `coterie/observe`. What the metrics, spans and channels are called is in the [README](../../README.md#metrics-health-traces-and-logs).',
    names: [
      ...['PrometheusMetrics', 'healthOf', 'Health', 'logEvents', 'EventLogger', 'LogLevel'],
      ...['OpenMessage', 'EventMessage', 'RequestMessage'],
    ],
  },
  {
    title: 'Other threads',
    about: 'Worker threads of the same process talk to the nodes directly.',
    names: ['Cluster.ticket', 'connect', 'Ticket'],
  },
  {
    title: 'Errors',
    about:
      'Calls throw or reject with a `CoterieError` and nothing else; those of `CoterieLevel` also with errors of abstract-level.',
    names: ['CoterieError', 'CoterieErrorCode', 'ERROR_TABLE', 'ErrorFacts'],
  },
]
