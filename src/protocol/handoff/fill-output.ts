/** What a fill asks of its node. Drained by `node-drains.ts`. */

import type { NodeId, PartitionId, SUPERVISOR } from '../ids.js'
import type { LocalWrite } from '../local-write.js'
import type { Message } from '../messages.js'
import type { StoreScan } from '../store-contract.js'

export type FillOutput =
  | { readonly type: 'send'; readonly to: NodeId | typeof SUPERVISOR; readonly message: Message }
  /** Merge these into the own store; answered by `onStored` with the same number. */
  | ({ readonly type: 'store' } & LocalWrite)
  /** Write nothing, behind everything that is on its way into the store; answered by `onSealed` with the same token. */
  | { readonly type: 'seal'; readonly token: number }
  /** What is held of a range already; answered by `onScanned` with the same token. */
  | { readonly type: 'scan'; readonly token: number; readonly scan: StoreScan }
  | {
      readonly type: 'progress'
      readonly source: NodeId
      readonly partitions: readonly PartitionId[]
      readonly records: number
      readonly done: boolean
    }
  /** How far all of it is. */
  | {
      readonly type: 'told'
      readonly partitions: number
      readonly partitionsDone: number
      readonly records: number
      readonly bytes: number
    }
