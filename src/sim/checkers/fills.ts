/**
 * How a place is filled: from n − w + 1 old owners, once so few of these go by an older row that they make no quorum; and who
 * says that it is filled holds all that its sources held when they were named.
 */

import type { Key, NodeId, PartitionId } from '../../protocol/ids.js'
import { readQuorumOf, writeQuorumOf } from '../../protocol/ring/quorum.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { rowOf } from '../../protocol/ring/table.js'
import type { FillOrder } from '../../protocol/transfer-messages.js'
import { recordCovers, type VersionRecord } from '../../protocol/versions/record.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker, describe, stored } from './checker.js'

type Content = ReadonlyMap<Key, VersionRecord>

export class Fills extends Checker {
  readonly name = 'fills'
  readonly rule =
    'Amnesia, changing owners: filled from n - w + 1 full owners, not before the joint row is known to enough'
  /** node, partition, row epoch → of each source, what it held when the node was told to read it. */
  readonly #orders = new Map<string, ReadonlyMap<NodeId, Content>>()

  onDelivered({ to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'transfer/start') return
    for (const order of message.orders) {
      const name = nameOf(to, order.partition, order.rowEpoch)
      this.#orders.set(name, this.#contents(order, this.#orders.get(name), world))
    }
  }

  onSend({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type === 'transfer/start') for (const order of message.orders) this.#checkOrder(to, order, world)
    if (message.type !== 'transfer/done') return
    message.partitions.forEach((partition, place) => {
      const sources = this.#orders.get(nameOf(from, partition, message.rowEpochs[place] ?? 0))
      if (sources === undefined)
        this.broken(`${from} said that partition ${partition} is filled, nobody had told it to`)
      for (const [source, content] of sources ?? []) this.#check(from, source, content, world)
    })
  }

  #checkOrder(node: NodeId, { partition, rowEpoch, sources }: FillOrder, world: SimWorld): void {
    const { config } = world.options
    const { owners } = rowOf(world.supervisor.table, partition)
    // What it has itself, as one that owns the row already, counts.
    const full = new Set([...sources, node].filter((source) => owners.includes(source)))
    const w = writeQuorumOf(config, owners.length)
    const needed = owners.length - w + 1
    if (full.size < needed)
      this.broken(`${node} is to fill partition ${partition} from ${[...full].join(' ')}, ${needed} owners are needed`)
    const behind = owners.filter(
      (owner) => owner !== null && (world.nodes.get(owner)?.core?.table.rows[partition]?.epoch ?? rowEpoch) < rowEpoch,
    )
    if (behind.length >= Math.min(readQuorumOf(config, owners.length), w))
      this.broken(
        `${node} is to fill partition ${partition} under row epoch ${rowEpoch}, which ${behind.join(' and ')} do not know`,
      )
  }

  /** Of a source that was named before under this row, what it held then: it may have been read since. */
  #contents(
    { partition, sources }: FillOrder,
    earlier: ReadonlyMap<NodeId, Content> | undefined,
    world: SimWorld,
  ): ReadonlyMap<NodeId, Content> {
    const { partitions } = world.options.config
    const contents = new Map<NodeId, Content>()
    for (const source of sources) {
      const content = new Map<Key, VersionRecord>()
      for (const key of world.nodes.get(source)?.disk.content.records.keys() ?? []) {
        const record = partitionOf(key, partitions) === partition ? stored(world, source, key) : undefined
        if (record !== undefined && record !== 'damaged') content.set(key, record)
      }
      contents.set(source, earlier?.get(source) ?? content)
    }
    return contents
  }

  #check(node: NodeId, source: NodeId, content: Content, world: SimWorld): void {
    for (const [key, record] of content) {
      // What the source has lost since, to a wipe or to damage, need not have been read.
      const now = stored(world, source, key)
      if (now === undefined || now === 'damaged' || !recordCovers(now, record)) continue
      const there = stored(world, node, key)
      if (there !== 'damaged' && !recordCovers(there, record))
        this.broken(
          `${node} said that it was filled, it has ${describe(there)} of ${key}; its source ${source} had ${describe(record)}`,
        )
    }
  }
}

function nameOf(node: NodeId, partition: PartitionId, rowEpoch: number): string {
  return `${node} ${partition} ${rowEpoch}`
}
