/** What a `Client` is made of, and what enters by it. */

import type { RequestCounters } from '../actors/runtime/request-counters.js'
import type { CallDefaults } from './call-checks.js'
import type { NearCache } from './near-cache.js'
import type { CallWatch } from './observe/call-watch.js'
import type { RequestObserver } from './protocol/coordinator/request-observer.js'
import type { ClientRequest } from './protocol/gateway-contract.js'
import type { PartitionTable } from './protocol/ring/table.js'

export interface ClientConfig extends CallDefaults {
  readonly partitions: number
  readonly conflict: 'lww' | 'siblings'
  readonly coordination: 'client' | 'server'
  readonly requestsInFlightMax: number
}

/** Where requests enter; what becomes of them comes back by `settle`. */
export interface Entrance {
  readonly table: PartitionTable
  submit(requests: readonly ClientRequest[]): void
  /** Who looks on at requests; see `Gateway.observe`. */
  observe(observer: RequestObserver | undefined): void
}

/** A read of its own, in the cluster's terms. */
export interface RecordReading {
  readonly r: number
  readonly timeoutMs: number
}

/** What a client works with. */
export interface ClientParts {
  readonly counters: RequestCounters
  readonly watch: CallWatch
  /** Undefined: every read asks nodes. */
  readonly near: NearCache | undefined
  /** Asked for at each turn: it is made after the client. */
  readonly gateway: () => Entrance
}
