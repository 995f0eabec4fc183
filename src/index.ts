/** The public door: exports, no logic. */

export { openCluster } from './cluster.js'
export { connect } from './connect.js'
export { CoterieLevel, type CoterieLevelOptions } from './level.js'
export type { ActorId, GatewayId, NodeId, PartitionId, Slot } from './protocol/ids.js'
export type { MemberStatus } from './protocol/membership/member-status.js'
export { restoreCluster } from './restore.js'
export type {
  BackupOptions,
  BackupSummary,
  BatchOperation,
  BatchOptions,
  BulkProgress,
  Bytes,
  Cluster,
  ClusterMetrics,
  ClusterStatus,
  FaultCounts,
  Faults,
  GetOptions,
  Ids,
  KeyValueStore,
  Location,
  NodeStatus,
  PartitionOwners,
  PutOptions,
  Quarantine,
  ReadResult,
  RepairMetrics,
  RequestMetrics,
  RestoreOptions,
  ScanOptions,
  Ticket,
  Verification,
  VerifiedPart,
} from './shared/api.js'
export type { ClusterEvents } from './shared/cluster-events.js'
export { CoterieError, type CoterieErrorCode, ERROR_TABLE, type ErrorFacts } from './shared/errors.js'
export { FAILPOINTS, type Failpoint } from './shared/failpoints.js'
export type {
  ClusterOptions,
  CoordinationMode,
  Durability,
  ReplicationOptions,
  VerificationMode,
  WorkerPaths,
} from './shared/options.js'
export { verifyFolder } from './verify.js'
