/** Makes the machines that a `DynamoNode` composes, and ties them together. A part of it, called by nobody else. */

import type { ProtocolConfig } from './config.js'
import { Coordination } from './coordinator/coordination.js'
import type { Fill } from './handoff/fill.js'
import { HintKeeper } from './handoff/hint-keeper.js'
import type { Epoch } from './ids.js'
import { Membership } from './membership/membership.js'
import { IDS_PER_LIFE, type NodeIdentity } from './node-identity.js'
import { NodePost } from './node-post.js'
import { NodeRequests } from './node-requests.js'
import { NodeTransfers } from './node-transfers.js'
import { Exchange } from './repair/exchange.js'
import { MerkleForest, type TreeImage } from './repair/merkle-forest.js'
import { Reaper, type ReaperView } from './repair/reaper.js'
import { Replica } from './replica.js'
import type { PartitionTable } from './ring/table.js'
import type { Hint, StoreReader } from './store-contract.js'
import { TableKeeper } from './table-keeper.js'
import { TransferBudget } from './transfer-budget.js'
import { STAMP_MAX, stampTimePart } from './versions/stamp.js'

/** What a life of a node begins with. */
export interface NodeOptions {
  readonly identity: NodeIdentity
  readonly config: ProtocolConfig
  readonly store: StoreReader
  readonly table: PartitionTable
  readonly activeEpoch: Epoch
  readonly hints: readonly Hint[]
  /** The small texts of its store. */
  readonly meta: Readonly<Record<string, string>>
  /** Its Merkle trees, if it was closed in order; undefined: they are built anew. */
  readonly trees?: readonly TreeImage[] | undefined
  /** The shared clock, in nanoseconds: every stamp in the store is older. Undefined: there is none. */
  readonly bootTimeNs: bigint | undefined
  readonly nowMs: number
}

export interface NodeMachines {
  readonly keeper: TableKeeper
  readonly replica: Replica
  readonly coordination: Coordination
  readonly membership: Membership
  readonly hints: HintKeeper
  readonly transfers: NodeTransfers
  readonly budget: TransferBudget
  readonly fill: Fill
  readonly exchange: Exchange
  readonly forest: MerkleForest
  readonly reaper: Reaper
  readonly reaperView: ReaperView
  readonly requests: NodeRequests
  readonly post: NodePost
  /** Of this life and no other; also numbers messages. */
  takeToken(): number
}

/** `clockMs`: the time of the input that is being handled. */
export function makeMachines(options: NodeOptions, clockMs: () => number): NodeMachines {
  const { identity, config, table, bootTimeNs, nowMs } = options
  const { self, incarnation, seed } = identity
  const post = new NodePost(self)
  let nextToken = incarnation * IDS_PER_LIFE
  const takeToken = (): number => nextToken++
  const budget = new TransferBudget(config)
  const forest = new MerkleForest({ partitions: config.partitions, take: takeToken, images: options.trees })
  const transfers = new NodeTransfers({ identity, post, take: takeToken, budget, meta: options.meta, table, forest })
  const { purge, fill } = transfers
  const keeper = new TableKeeper(self, table, options.activeEpoch, (partition) => purge.isUnclean(partition))
  const replica = new Replica({
    ...{ keeper, forest, takeToken },
    store: options.store,
    partitions: config.partitions,
    bootStamp: bootTimeNs === undefined ? STAMP_MAX : stampTimePart(bootTimeNs),
  })
  const coordination = new Coordination(config, table, incarnation * IDS_PER_LIFE)
  coordination.onPeer({ node: self, incarnation, status: 'up' }, nowMs)
  const membership = new Membership({ self, incarnation, config: config.membership, seed, nowMs })
  const hints = new HintKeeper({ hints: options.hints, bytesMax: config.hintBytesMax, takeToken })
  const exchange = new Exchange({
    ...{ self, budget, forest, nowMs },
    intervalMs: config.antiEntropyIntervalMs,
    take: takeToken,
    current: (key) => replica.peek(key),
  })
  const clockNs =
    bootTimeNs === undefined ? undefined : (atMs: number) => bootTimeNs + BigInt(Math.floor((atMs - nowMs) * 1e6))
  const reaper = new Reaper({ self, graceMs: config.tombstoneGraceMs, take: takeToken, clockNs })
  const requests = new NodeRequests({
    ...{ identity, config, keeper, replica, coordination, post, takeToken },
    ends: {
      onHandedOver: (handoff, accepted) => hints.onHandedOver(handoff, accepted, clockMs()),
      onPushed: (push, status) => exchange.onPushed(push, status, clockMs()),
      onFillStored: (local, status) => fill.onStored(local, status, clockMs()),
      onExchangeStored: (local, status) => exchange.onStored(local, status, clockMs()),
    },
  })
  const reaperView = reaperViewOf(keeper, replica, hints)
  const data = { keeper, replica, hints, transfers, budget, fill, exchange, forest, reaper, reaperView }
  return { ...data, coordination, membership, requests, post, takeToken }
}

function reaperViewOf(keeper: TableKeeper, replica: Replica, hints: HintKeeper): ReaperView {
  return {
    get table() {
      return keeper.table
    },
    holding: (keys, stamps) => replica.holding(keys, stamps),
    hinted: () => hints.partitions(),
  }
}
