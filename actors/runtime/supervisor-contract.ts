/** What the supervisor's actor is given, and who learns of what it does. */

import type { ProtocolConfig } from '../../src/protocol/config.js'
import type { Notice } from '../../src/protocol/effects.js'
import type { NodeId } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import type { SupervisorConfig } from '../../src/protocol/supervision/supervisor-config.js'
import type { SupervisorNotice } from '../../src/protocol/supervision/supervisor-events.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import type { ClusterFolder, ClusterMetadata } from '../../src/storage/cluster-folder.js'
import type { Suspicion } from '../../src/storage/opening-marker.js'
import type { WriteMarks } from '../../src/storage/write-marks.js'
import type { Pool } from '../pool.js'
import type { StampClock } from './clock.js'
import type { MeshEnd } from './mesh.js'
import type { ThreadEnd } from './node-thread.js'

export interface SupervisorOptions {
  readonly config: ClusterConfig
  readonly protocol: ProtocolConfig
  readonly supervision: SupervisorConfig
  readonly folder: ClusterFolder
  readonly metadata: ClusterMetadata
  readonly table: PartitionTable
  readonly pool: Pool
  /** Stores that may be damaged, by node. */
  readonly suspects: ReadonlyMap<NodeId, Suspicion>
  readonly clock: StampClock
  /** Undefined: no thread has a near cache. */
  readonly marks: WriteMarks | undefined
  readonly nodeUrl: URL | string
  readonly observer: SupervisorObserver
  /** No delete may be forgotten now: a logged batch may still write what is older. */
  readonly isReapingHeld: () => boolean
}

/** Who learns of what happens. */
export interface SupervisorObserver {
  onNotice(notice: SupervisorNotice): void
  onNodeNotice(node: NodeId, notice: Notice): void
  onExit(exit: { readonly node: NodeId; readonly incarnation: number; readonly end: ThreadEnd }): void
  onReady(ready: { readonly node: NodeId; readonly incarnation: number; readonly readyMs: number }): void
  onQuarantine(quarantine: { readonly node: NodeId; readonly folder: string; readonly reason: string }): void
  /** The core broke and was rebuilt. */
  onRestart(error: Error): void
  /** The cluster folder waits for room on a full disk. */
  onFolderFull(error: Error): void
  /** Something that only an operator can mend: the cluster folder cannot be written. */
  onFatal(error: Error): void
}

/** A gateway that takes part: in this thread, or in one that connected. */
export interface GatewayEnd extends MeshEnd {
  mail(messages: readonly Message[]): void
}
