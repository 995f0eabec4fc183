/** The public door: exports, no logic. */

export { openCluster } from './cluster.js'
export { connect } from './connect.js'
export type { RedisClusterOptions, RedisTls } from './engines/redis-cluster/options.js'
export { CoterieLevel, type CoterieLevelOptions } from './level.js'
export type { ActorId, GatewayId, NodeId, PartitionId, Slot } from './protocol/ids.js'
export type { MemberStatus } from './protocol/membership/member-status.js'
export type { ConflictMode } from './protocol/versions/record.js'
export { restoreCluster } from './restore.js'
export type {
  BatchOperation,
  BatchOptions,
  Bytes,
  Cluster,
  GetOptions,
  KeyValueStore,
  Location,
  PutOptions,
  ReadResult,
  ScanOptions,
  Ticket,
} from './shared/api.js'
export type {
  BackupOptions,
  BackupSummary,
  BulkProgress,
  RestoreOptions,
  Verification,
  VerifiedPart,
} from './shared/backup-shapes.js'
export type { ClusterEvents } from './shared/cluster-events.js'
export type {
  ClusterMetrics,
  ClusterStatus,
  FillStatus,
  KeyVersions,
  NodeStatus,
  NodeView,
  PartitionOwners,
  PlannedMove,
  Quarantine,
  RepairMetrics,
  ReplicaVersions,
  RequestMetrics,
  ShapePlan,
} from './shared/cluster-reports.js'
export { CoterieError, type CoterieErrorCode, ERROR_TABLE, type ErrorFacts } from './shared/errors.js'
export { FAILPOINTS, type Failpoint } from './shared/failpoints.js'
export type { FaultCounts, Faults, Ids } from './shared/fault-calls.js'
export type {
  MigrateOptions,
  MigrationProgress,
  MigrationStage,
  MigrationStatus,
  MigrationSummary,
  MigrationTo,
} from './shared/migration-shapes.js'
export type {
  ClusterOptions,
  CoordinationMode,
  Durability,
  ReplicationOptions,
  VerificationMode,
  WorkerPaths,
} from './shared/options.js'
export { verifyFolder } from './verify.js'
