import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { test } from 'tap'
import type { FromSource } from '../../../actors/runtime/cut-protocol.js'
import { NodeCut } from '../../../actors/runtime/node-cut.js'
import { WriteGate } from '../../../actors/runtime/write-gate.js'
import { unpackEntries } from '../../../src/storage/backup-chunk.js'
import { keyOfData } from '../../../src/storage/keyspace.js'
import { openLevelStore } from '../../../src/storage/level-store.js'
import { levelOptions } from '../../storage/level-options.js'

type Tap = Parameters<typeof levelOptions>[0]

async function openCut(t: Tap) {
  const { store } = await openLevelStore({ ...levelOptions(t), expected: 'fresh' })
  t.teardown(() => store.close())
  const gate = new WriteGate()
  const cut = new NodeCut({ gate, store: () => store, bytesPerSecond: 1e9 })
  /** As a core's writes are given: nobody waits for them. Resolves once accepted. */
  const write = (key: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const record = { kind: 'lww', stamp: '1', value: Buffer.from(key) } as const
      gate.pass(() => void store.write({ keys: [key], records: [record], liveKeysDelta: 1 }).then(resolve, reject))
    })
  return { store, cut, write }
}

async function keysGiven(cut: NodeCut, token: string): Promise<string[]> {
  const { port1, port2 } = new MessageChannel()
  cut.stream(token, port1)
  const keys: string[] = []
  for (;;) {
    port2.postMessage('next')
    const [message] = (await once(port2, 'message')) as [FromSource]
    if (message.type !== 'chunk') break
    keys.push(...unpackEntries(message.bytes).map(([key]) => keyOfData(key)))
  }
  port2.close()
  return keys
}

test('cut: has what was given before the freeze, and nothing that was given after', async (t) => {
  const { store, cut, write } = await openCut(t)
  const before = write('before')
  t.equal(await cut.freeze('a', 60_000), true)
  const accepted = store.sequence
  t.ok(accepted > 1, 'the freeze is confirmed once the store has accepted it')
  await before
  const after = write('after')
  await store.drained()
  t.equal(store.sequence, accepted, 'nothing is accepted while it is frozen')
  t.same(store.read(['before']).length, 1, 'reads go on')
  t.equal(cut.snapshot('a'), true)
  await after
  await write('later')
  t.same(await keysGiven(cut, 'a'), ['before'])
})

test('cut: no snapshot once it was thawed, whoever did it; a snapshot that was released is given to nobody', async (t) => {
  const { cut, write } = await openCut(t)
  await write('k')
  await cut.freeze('a', 60_000)
  await cut.release('a')
  t.equal(cut.snapshot('a'), false)
  const forgotten = cut.freeze('b', 1)
  await write('waits until the limit')
  await forgotten
  t.equal(cut.snapshot('b'), false)
  await cut.freeze('c', 60_000)
  t.equal(cut.snapshot('c'), true)
  await cut.release('c')
  const { port1, port2 } = new MessageChannel()
  // Without a listener for messages nothing would keep the process waiting.
  port2.ref()
  const closed = once(port2, 'close')
  cut.stream('c', port1)
  await closed
})
