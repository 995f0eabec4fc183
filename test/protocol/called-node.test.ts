/** A full owner that gives its records: while a program calls it, it rests between chunks. A real core, driven by hand. */

import { test } from 'tap'
import { type Message, PURPOSE, type Purpose, REPLY } from '../../src/protocol/messages.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { VirtualWorld } from './virtual-world.js'

/** What the owner answers to a pull a millisecond after one whose scan took five. */
function secondPull(calls: (about: { key: string; rowEpoch: number; partition: number }) => readonly Message[]) {
  const world = new VirtualWorld(1)
  const key = 'fig'
  const partition = partitionOf(key, world.config.partitions)
  const rowEpoch = world.row(key).epoch
  const owner = world.owners(key)[0] ?? ''
  const node = world.node(owner)
  let nowMs = world.nowMs + 10
  const hear = (message: Message) => node.step({ type: 'message', from: 'node9', incarnation: 1, message }, nowMs)
  const pull = (id: number) =>
    hear({
      ...{ type: 'transfer/pull', id, epoch: world.table.epoch },
      ...{ partitions: [partition], rowEpochs: [rowEpoch], bytesMax: 1e6 },
    })
  for (const call of calls({ key, rowEpoch, partition })) hear(call)
  const scan = pull(1).find((effect) => effect.type === 'store/scan')
  if (scan === undefined) throw new Error('nothing is scanned')
  nowMs += 5
  node.step({ type: 'store/scan-done', token: scan.token, page: { keys: [], records: [] } }, nowMs)
  nowMs += 1
  for (const effect of pull(2)) {
    if (effect.type === 'store/scan') return 'served'
    if (effect.type !== 'send' || effect.message.type !== 'transfer/chunk') continue
    return effect.message.status === REPLY.full ? 'later' : 'otherwise'
  }
  return 'nothing'
}

const writeFor = (purpose: Purpose) => (about: { key: string; rowEpoch: number; partition: number }) => {
  const { key, rowEpoch, partition } = about
  const columns = { partitions: [partition], rowEpochs: [rowEpoch], deadlinesMs: [1e9], purposes: [purpose] }
  const stamp = makeStamp(1_000_000_000n, 0, 'gateway1-0123456789abcdef')
  const records = [{ kind: 'lww', stamp, value: Uint8Array.of(1) }] as const
  return [{ type: 'replica/write', id: 9, epoch: 1, counts: [1], keys: [key], records, ...columns }] as const
}

test('a giver rests after a chunk while it is read or written, and not for what nodes mend', async (t) => {
  t.equal(
    secondPull(() => []),
    'served',
  )
  t.equal(
    secondPull(({ key, rowEpoch }) => [
      {
        ...{ type: 'replica/read', id: 9, epoch: 1, keys: [key], rowEpochs: [rowEpoch] },
        ...{ deadlinesMs: [1e9], fallback: false },
      },
    ]),
    'later',
  )
  t.equal(secondPull(writeFor(PURPOSE.write)), 'later')
  t.equal(secondPull(writeFor(PURPOSE.repair)), 'served')
})
