/** What a supervisor's core goes by. */

import type { Quorums } from '../ring/quorum.js'
import type { RestartPolicy } from './restart-policy.js'
import type { WatchLimits } from './thread-watch.js'

export interface SupervisorConfig extends Quorums, WatchLimits {
  readonly restart: RestartPolicy
  /** Nodes coordinate requests (server coordination, siblings): their death may leave writes that nobody hints. */
  readonly nodesCoordinate: boolean
  /** As the nodes have it; 0: tombstones are kept for ever. */
  readonly tombstoneGraceMs: number
}
