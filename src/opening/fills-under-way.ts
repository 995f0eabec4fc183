/** How far the fills are that nodes tell of, for `status()`. What a node told is forgotten with its life. Called by `OpenCluster`. */

import type { Notice } from '../protocol/effects.js'
import type { NodeId } from '../protocol/ids.js'
import type { FillStatus } from '../shared/cluster-reports.js'

export class FillsUnderWay {
  readonly #fills = new Map<NodeId, FillStatus>()

  onNotice(node: NodeId, notice: Notice): void {
    if (notice.type !== 'transfer/progress') return
    const { partitions, partitionsDone, records, bytes } = notice
    if (partitionsDone < partitions) this.#fills.set(node, { partitions, partitionsDone, records, bytes })
    else this.#fills.delete(node)
  }

  onExit(node: NodeId): void {
    this.#fills.delete(node)
  }

  readonly of = (node: NodeId): FillStatus | undefined => this.#fills.get(node)
}
