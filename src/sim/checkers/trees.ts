/** Anti-entropy: in the end every tree that is trusted says exactly what its store holds. */

import type { NodeId, PartitionId } from '../../protocol/ids.js'
import { KeyHash } from '../../protocol/key-hash.js'
import { fanOf, MerkleTree } from '../../protocol/repair/merkle-tree.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { writeTargetsOf } from '../../protocol/ring/table.js'
import { versionHash } from '../../protocol/versions/record.js'
import type { SimWorld } from '../world.js'
import { Checker, type Report } from './checker.js'

const EVERYTHING = { range: { reverse: false }, limit: 1e9, bytesMax: 1e9 }

export class TreesTrue extends Checker {
  readonly name = 'trees'
  readonly rule = 'Anti-entropy: a Merkle tree leaves nothing out and holds nothing that is not there'
  readonly #partitions: number
  readonly #hash = new KeyHash()

  constructor(report: Report, partitions: number) {
    super(report)
    this.#partitions = partitions
  }

  override onSettled(world: SimWorld): void {
    const { rows } = world.supervisor.table
    for (const [id, node] of world.nodes) {
      const trees = node.core?.trees()
      if (trees === undefined || node.disk.pending.length > 0) continue
      const stored = this.#treesOf(id, world)
      rows.forEach((row, partition) => {
        const expected = stored.get(partition)
        if (!writeTargetsOf(row).includes(id) || expected === 'damaged') return
        const leaves = trees.find((tree) => tree.partition === partition)?.leaves ?? new Int32Array()
        if (`${leaves}` !== `${expected?.leaves() ?? ''}`)
          this.broken(`the tree of ${id} for partition ${partition} is not that of its store`)
      })
    }
  }

  /** Of a partition with a damaged record nobody knows what the tree should be. */
  #treesOf(id: NodeId, world: SimWorld): Map<PartitionId, MerkleTree | 'damaged'> {
    const partitions = Array.from({ length: this.#partitions }, (_, partition) => partition)
    const page = world.nodes
      .get(id)
      ?.disk.view()
      .page({ ...EVERYTHING, partitions })
    const trees = new Map<PartitionId, MerkleTree | 'damaged'>()
    page?.keys.forEach((key, place) => {
      const partition = partitionOf(key, this.#partitions)
      const record = page.records[place]
      const tree = trees.get(partition) ?? new MerkleTree(fanOf(this.#partitions))
      if (record === undefined || record === 'damaged' || tree === 'damaged') trees.set(partition, 'damaged')
      else {
        tree.change(this.#hash.of(key), 0, versionHash(record))
        trees.set(partition, tree)
      }
    })
    return trees
  }
}
