/** In which order a node drops what it does not own any more, and is filled with what it is to own. */

import { test } from 'tap'
import type { NodeEffect } from '../../src/protocol/effects.js'
import { NodePost } from '../../src/protocol/node-post.js'
import { NodeTransfers } from '../../src/protocol/node-transfers.js'
import { MerkleForest } from '../../src/protocol/repair/merkle-forest.js'
import { Replica } from '../../src/protocol/replica.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import { TableKeeper } from '../../src/protocol/table-keeper.js'
import { TransferBudget } from '../../src/protocol/transfer-budget.js'

const SELF = 'node1'
const identity = { self: SELF, incarnation: 1, actor: 'node1-a', seed: 1, salvage: false }

function tableOf(epoch: number, owners: readonly string[], pending: readonly (string | null)[]): PartitionTable {
  const row = { epoch, owners, pending, standbys: [], lost: false }
  return { epoch, n: 2, rows: Array.from({ length: 16 }, () => row) }
}

class Driven {
  nowMs = 0
  #token = 0
  readonly #post = new NodePost(SELF)
  readonly #take = () => ++this.#token
  readonly transfers: NodeTransfers
  readonly keeper: TableKeeper
  readonly replica: Replica

  constructor(table: PartitionTable) {
    const budget = new TransferBudget({ transferBytesPerSecond: 1e9, transfersMax: 2 })
    const own = { identity, post: this.#post, take: this.#take, budget }
    const forest = new MerkleForest({ partitions: 16, take: this.#take, images: [] })
    this.transfers = new NodeTransfers({ ...own, meta: {}, table, forest })
    this.keeper = new TableKeeper(SELF, table, table.epoch, (partition) => this.transfers.purge.isUnclean(partition))
    const store = { read: (keys: readonly string[]) => keys.map(() => undefined) }
    this.replica = new Replica({
      keeper: this.keeper,
      store,
      partitions: 16,
      takeToken: this.#take,
      forest,
      bootStamp: '',
    })
  }

  adopt(table: PartitionTable): void {
    const before = this.keeper.table
    this.keeper.offer(table)
    this.keeper.onStored(table.epoch)
    this.transfers.onTable(before, this.keeper)
  }

  /** What it wants of its store, and whom it pulls from. */
  effects(): readonly NodeEffect[] {
    this.nowMs += 1_000
    this.transfers.advance(() => true, this, this.nowMs)
    const pulls = this.transfers.fill.takeOutput()
    const sends = pulls.flatMap((output) => (output.type === 'send' ? [output] : []))
    return [...this.#post.takeEffects(), ...sends]
  }
}

test('a fill waits for the table that it is for, and for what an earlier time left to be dropped', async (t) => {
  const driven = new Driven(tableOf(1, [SELF, 'node2'], [null, null]))
  driven.transfers.onStart([{ partition: 3, rowEpoch: 3, sources: ['node2'] }])
  t.same(driven.effects(), [], 'the order has overtaken the table')
  t.equal(driven.transfers.filling, 1)
  // It has missed epoch 2, under which it was nothing to the partition.
  driven.adopt(tableOf(3, ['node3', 'node2'], [SELF, null]))
  t.equal(driven.keeper.judgeWrite(3, 3), 'guarded', 'nor does it take writes')
  const [note] = driven.effects()
  t.equal(note?.type, 'store/write')
  driven.transfers.purge.onWritten(note?.type === 'store/write' ? note.token : 0, driven.nowMs)
  const [scan] = driven.effects()
  t.equal(scan?.type, 'store/scan')
  driven.transfers.purge.onScanned(
    scan?.type === 'store/scan' ? scan.token : 0,
    { keys: [], records: [] },
    driven.nowMs,
  )
  const [drop] = driven.effects()
  t.equal(drop?.type, 'store/write')
  driven.transfers.purge.onWritten(drop?.type === 'store/write' ? drop.token : 0, driven.nowMs)
  t.equal(driven.keeper.judgeWrite(3, 3), 'serve')
  t.match(driven.effects(), [{ type: 'send', to: 'node2', message: { type: 'transfer/pull', partitions: [3] } }])
})

test('what is dropped of one partition keeps no other from being filled', async (t) => {
  const driven = new Driven(tableOf(1, ['node3', 'node2'], [SELF, null]))
  const clean = tableOf(2, ['node3', 'node2'], [SELF, null])
  driven.transfers.purge.onLost([5])
  driven.adopt(clean)
  driven.transfers.onStart([3, 5].map((partition) => ({ partition, rowEpoch: 2, sources: ['node2'] })))
  t.match(
    driven.effects().filter(({ type }) => type === 'send'),
    [{ type: 'send', to: 'node2', message: { type: 'transfer/pull', partitions: [3] } }],
  )
  t.equal(driven.transfers.filling, 2, 'the other waits')
})

test('an order for a row that has changed since is forgotten', async (t) => {
  const driven = new Driven(tableOf(1, ['node3', 'node2'], [SELF, null]))
  driven.transfers.onStart([{ partition: 3, rowEpoch: 1, sources: ['node2'] }])
  driven.adopt(tableOf(2, ['node4', 'node2'], [SELF, null]))
  driven.effects()
  t.equal(driven.transfers.filling, 0)
})
