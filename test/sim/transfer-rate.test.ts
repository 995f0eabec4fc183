/** What nodes move when others join, leave and forget stays within `transferBytesPerSecond`, over all transfers of each node. */

import { test } from 'tap'
import type { NodeId } from '../../src/protocol/ids.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import type { Observer } from '../../src/sim/observer.js'
import { isSettled } from '../../src/sim/settled.js'
import { worldUnderLoad } from './virtual-load.js'

const BYTES_PER_SECOND = 20_000
/** What may be under way when the budget is used up: a chunk for each transfer that is taken or given, and an exchange. */
const SLACK_BYTES = 5 * 8_192
/** A test that moves little more than that shows nothing. */
const MOVED_BYTES_MIN = 3 * SLACK_BYTES

interface Moved {
  readonly atMs: number
  readonly bytes: number
}

test('joins, a leave and a lost store at once: no node takes and gives more than its rate', async (t) => {
  const moved = new Map<NodeId, Moved[]>()
  let from = 0
  const note = (node: NodeId, atMs: number, records: readonly VersionRecord[]): void => {
    let bytes = 0
    for (const record of records) bytes += record.kind === 'lww' ? 100 + (record.value?.byteLength ?? 0) : 500
    moved.set(node, [...(moved.get(node) ?? []), { atMs, bytes }])
  }
  const observer: Observer = {
    onDelivered({ from: giver, to: taker, message }, { nowMs }) {
      if (message.type !== 'transfer/chunk' && message.type !== 'exchange/differ') return
      note(giver, nowMs, message.records)
      note(taker, nowMs, message.records)
    },
  }
  const world = worldUnderLoad(1, 'client', { transferBytesPerSecond: BYTES_PER_SECOND, observers: [observer] })
  const [gateway] = world.gateways.values()
  for (let number = 0; number < 300; number++)
    gateway?.call({ kind: 'put', keys: [`k${number}`], texts: [String(number).repeat(1_000)] })
  world.run(5_000)
  from = world.nowMs
  moved.clear()
  world.grow('member')
  world.grow('member')
  world.supervisor.leave('node2')
  const { disk } = world.node('node3')
  world.endNode(world.node('node3'), 'its store is lost', true)
  disk.wipe()
  t.ok(
    world.runUntil(() => isSettled(world), 600_000),
    'all of it ends',
  )
  t.ok(moved.size >= 5)
  for (const [node, list] of moved) {
    let total = 0
    let excess = 0
    // The most that any window of time has above its rate: what a leaky bucket holds.
    let lastMs = from
    for (const { atMs, bytes } of list) {
      excess = Math.max(0, excess - ((atMs - lastMs) / 1_000) * BYTES_PER_SECOND) + bytes
      lastMs = atMs
      total += bytes
      if (excess > SLACK_BYTES) t.fail(`${node} has moved ${excess} bytes too many at ${atMs} ms`)
    }
    t.ok(total > MOVED_BYTES_MIN, `${node}: ${total} bytes in ${((lastMs - from) / 1_000).toFixed(1)} s`)
  }
})
