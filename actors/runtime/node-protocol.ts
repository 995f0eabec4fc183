/**
 * What a node's thread and its supervisor say to each other outside the protocol proper: plain data over the worker's own
 * port. (`control.ts` adds the Comlink surface for what is asked and answered.)
 */

import type { MessagePort } from 'node:worker_threads'
import type { ProtocolConfig } from '../../src/protocol/config.js'
import type { Notice } from '../../src/protocol/effects.js'
import type { PeerInfo } from '../../src/protocol/events.js'
import type { Address, Epoch, Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import type { OpeningVerdict } from '../../src/protocol/supervision/supervisor-events.js'
import type { WireError } from '../../src/shared/errors.js'
import type { Failpoint } from '../../src/shared/failpoints.js'
import type { Durability } from '../../src/shared/options.js'
import type { FaultRules } from './fault-rules.js'
import type { LinkEnd } from './mesh.js'
import type { Envelope } from './wire.js'

/** Everything a thread needs to become a node. */
export interface Assignment {
  readonly node: NodeId
  readonly incarnation: Incarnation
  readonly salvage: boolean
  readonly seed: number
  readonly location: string
  readonly protocol: ProtocolConfig
  readonly store: {
    readonly durability: Durability
    readonly recordCacheBytes: number
    readonly cacheBytes: number
    readonly openFilesMax: number
    readonly writeBufferBytes: number
    readonly files: 'ok' | 'absent' | 'damaged' | undefined
    readonly expected: 'fresh' | 'member'
    readonly expectedStoreId: string | undefined
    readonly expectedSequence: number | undefined
  }
  /** The cells of the `StampClock`. */
  readonly clock: SharedArrayBuffer
  /** The cells of `Gauges`. */
  readonly gauges: SharedArrayBuffer
  /** The cells of `WriteMarks`, and this node's own; absent if no thread has a near cache. */
  readonly marks: { readonly shared: SharedArrayBuffer; readonly own: SharedArrayBuffer } | undefined
  /** The cells of `ViewCells`. */
  readonly view: SharedArrayBuffer
  /** How often the loop's counter turns when nothing happens. */
  readonly pulseMs: number
  /** An Int32 that ends faults which are under way when it is not 0; absent without `faults: true`. */
  readonly faultsOver: SharedArrayBuffer | undefined
  /** Standing faults that are in effect; absent without `faults: true`. */
  readonly faultRules: FaultRules | undefined
  /** An Int32: while it is not 0, the disk is as good as full (`fillDisk`). */
  readonly diskFilled: SharedArrayBuffer
}

export type ToNode =
  | { readonly type: 'assign'; readonly assignment: Assignment }
  | {
      readonly type: 'boot'
      readonly table: PartitionTable
      readonly activeEpoch: Epoch
      readonly peers: readonly PeerInfo[]
    }
  | { readonly type: 'link'; readonly peer: Address; readonly link: LinkEnd }
  | { readonly type: 'control'; readonly port: MessagePort }
  | { readonly type: 'mail'; readonly envelope: Envelope }

export type FromNode =
  /** The thread's modules are loaded; it can be assigned. */
  | { readonly type: 'loaded' }
  | {
      readonly type: 'opened'
      readonly verdict: OpeningVerdict
      readonly reason: string
      readonly storedEpoch: Epoch
      /** Hints that it kept for others and that cannot be read any more. */
      readonly hintsDamaged: number
      readonly storeId: string
      readonly actor: string
      readonly quarantinedTo: string | undefined
      /** The node's wall clock. */
      readonly wallMs: number
    }
  | { readonly type: 'mail'; readonly envelope: Envelope }
  | { readonly type: 'notices'; readonly notices: readonly Notice[] }
  /** The last word of a thread that is to end at this failpoint. */
  | { readonly type: 'failpoint'; readonly point: Failpoint }
  /** The last word of a thread that cannot go on. */
  | { readonly type: 'failed'; readonly error: WireError }
