/** What a node's core notices, as events of the cluster. Called by `OpenCluster`. */

import type { Notice } from '../protocol/effects.js'
import type { NodeId } from '../protocol/ids.js'
import type { ClusterEvents } from '../shared/cluster-events.js'
import { keyToBytes } from '../shared/keys.js'

export type Emit = <Name extends keyof ClusterEvents>(name: Name, ...args: ClusterEvents[Name]) => void

export function emitNodeNotice(node: NodeId, notice: Notice, emit: Emit): void {
  switch (notice.type) {
    case 'member/status':
      if (notice.to === 'suspect') emit('node:suspect', { node: notice.node, by: node, reason: `was ${notice.from}` })
      return
    case 'repair':
      return emit('repair', {
        node,
        key: keyToBytes(notice.key),
        nodes: notice.nodes,
        blocking: notice.blocking,
      })
    case 'record/damaged':
      return emit('record:damaged', { node, key: keyToBytes(notice.key) })
    case 'record/stuck':
      return emit('record:stuck', { node, key: keyToBytes(notice.key) })
    case 'record/healed':
      return emit('repair', { node, key: keyToBytes(notice.key), nodes: [node], blocking: false })
    case 'handoff':
      return emit('handoff', { node, target: notice.target, hints: notice.hints, remaining: notice.remaining })
    case 'transfer': {
      const { source, partitions, records, done } = notice
      return emit('transfer', { node, source, partitions: partitions.length, records, done })
    }
    case 'tombstones:dropped':
      return emit('tombstones:dropped', { node, keys: notice.keys })
    case 'transfer/progress': {
      const { partitions, partitionsDone, records, bytes } = notice
      const done = partitionsDone === partitions
      return emit('transfer:progress', { node, partitions, partitionsDone, records, bytes, done })
    }
    case 'exchange':
      return emit('exchange', {
        node,
        peer: notice.peer,
        keysDiffering: notice.keysDiffering,
        done: notice.done,
      })
    default:
      notice satisfies never
  }
}
