/** What a thread is told when it becomes a node: this node's share of the cluster's options. */

import type { ProtocolConfig } from '../../src/protocol/config.js'
import type { Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import type { NodeEntry } from '../../src/storage/cluster-folder.js'
import type { VerifyReport } from '../../src/storage/verify-store.js'
import type { FaultRules } from './fault-rules.js'
import type { Assignment } from './node-protocol.js'

export function assignmentOf(input: {
  readonly config: ClusterConfig
  readonly protocol: ProtocolConfig
  readonly node: NodeId
  readonly incarnation: Incarnation
  readonly salvage: boolean
  /** Which of how many nodes it is. */
  readonly order: number
  readonly nodes: number
  readonly store: {
    readonly files: VerifyReport['verdict'] | undefined
    readonly isCreation: boolean
    readonly entry: NodeEntry | undefined
  }
  readonly clock: SharedArrayBuffer
  readonly gauges: SharedArrayBuffer
  readonly marks: Assignment['marks']
  readonly view: SharedArrayBuffer
  readonly faultsOver: SharedArrayBuffer | undefined
  readonly faultRules: FaultRules | undefined
  readonly diskFilled: SharedArrayBuffer
}): Assignment {
  const { config, protocol, node, incarnation, salvage, order, clock, gauges, faultsOver, faultRules } = input
  const { files, isCreation, entry } = input.store
  const { storeId, closed } = entry ?? {}
  // A node that has never had a store can have forgotten nothing.
  const isNew = isCreation || (entry?.status === 'joining' && storeId === undefined)
  const share = (total: number) => Math.floor(total / Math.max(1, input.nodes))
  return {
    node,
    incarnation,
    salvage,
    seed: config.seed * 1_000 + incarnation * 97 + order,
    location: config.location,
    protocol,
    store: {
      durability: config.durability,
      recordCacheBytes: share(config.recordCacheBytes),
      cacheBytes: share(config.cacheBytes),
      openFilesMax: Math.max(10, share(config.openFilesMax)),
      writeBufferBytes: config.writeBufferBytes,
      files,
      expected: isNew ? 'fresh' : 'member',
      expectedStoreId: isCreation ? undefined : storeId,
      expectedSequence: closed?.storeId === storeId ? closed?.sequence : undefined,
    },
    clock,
    gauges,
    marks: input.marks,
    view: input.view,
    pulseMs: Math.max(10, Math.min(250, Math.floor(config.hungAfterMs / 4))),
    faultsOver,
    faultRules,
    diskFilled: input.diskFilled,
  }
}
