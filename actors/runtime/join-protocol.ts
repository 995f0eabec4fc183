/**
 * How another thread joins a cluster as a gateway: what it and the cluster's thread say to each other.
 *
 * The ticket is plain data, so that it can travel in workerData or any message; the port to the cluster's thread is made
 * by the joining thread and handed over with `postMessageToThread` (Node 20.19, 22.5 and later).
 */

import type { MessagePort } from 'node:worker_threads'
import type { GatewayConfig } from '../../src/protocol/gateway-contract.js'
import type { GatewayId, NodeId } from '../../src/protocol/ids.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import type { WireError } from '../../src/shared/errors.js'
import type { MigrationOrder } from '../../src/shared/migration-order.js'
import type { LinkEnd } from './mesh.js'
import type { Envelope } from './wire.js'

/** Joining thread → cluster's thread, with the port. */
export interface JoinRequest {
  readonly coterie: 'join'
  readonly clusterId: string
  readonly secret: string
  readonly port: MessagePort
}

/** Everything a client needs beside the protocol. */
export interface ClientLimits {
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly valueBytesMax: number
  readonly nearCacheBytes: number
}

/** Cluster's thread → gateway. */
export type ToGateway =
  | {
      readonly type: 'welcome'
      readonly id: GatewayId
      readonly config: GatewayConfig
      readonly limits: ClientLimits
      /** As in `status()`. */
      readonly location: string
      readonly table: PartitionTable
      readonly clock: SharedArrayBuffer
      /** The cells of `WriteMarks`; undefined without near caches. */
      readonly marks: SharedArrayBuffer | undefined
      /** Gauges of this gateway. */
      readonly gauges: SharedArrayBuffer
      /** What becomes of its requests. */
      readonly counters: SharedArrayBuffer
      /** Is carried out before the first call. */
      readonly order: MigrationOrder
    }
  | { readonly type: 'link'; readonly peer: NodeId; readonly link: LinkEnd }
  | { readonly type: 'mail'; readonly envelope: Envelope }
  | { readonly type: 'migration'; readonly order: MigrationOrder }
  /** The cluster closes. */
  | { readonly type: 'closed' }

/** Gateway → cluster's thread. */
export type FromGateway =
  | { readonly type: 'mail'; readonly envelope: Envelope }
  /** The order of that version is carried out, or cannot be. */
  | { readonly type: 'migration'; readonly version: number; readonly error?: WireError }
  /** An orderly end: every request was settled and every hint kept. */
  | { readonly type: 'goodbye' }
