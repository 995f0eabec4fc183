/** aedes-persistence-level, where the MQTT broker aedes keeps sessions and retained messages, and its own tests. */

import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js'
import { test } from 'tap'
import { runNodeTests } from './own-tests.js'
import { type Ground, sameProgram } from './same-program.js'

test('aedes-persistence-level: its own tests hold', (t) => {
  return runNodeTests(t, 'aedes-persistence-level', 'test/test.js', 59)
})

test('aedes-persistence-level: a program sees the same on a cluster of which a node dies', (t) => {
  return sameProgram(t, 700, program)
})

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const see = async (packets: AsyncIterable<unknown>): Promise<void> => {
    for await (const packet of packets) seen.push(packet)
  }
  let db = new Level(location)
  let store = new LevelPersistence(db)
  await store.setup({ id: 'broker' })
  for (let number = 0; number < 300; number++) {
    await store.storeRetained(packetOf(number, `sensors/${number % 20}/${number}`))
    if (number === 100) await crash(db)
  }
  for (let client = 0; client < 30; client++) {
    const topics = [`sensors/${client}/#`, `alarms/+/${client}`, 'тревога']
    await store.addSubscriptions(
      { id: `client ${client}` },
      topics.map((topic) => ({ topic, qos: 1 })),
    )
  }
  for (let number = 0; number < 200; number++) {
    const client = { id: `client ${number % 30}` }
    await store.outgoingEnqueue({ clientId: client.id }, packetOf(number, 'queued'))
    await store.incomingStorePacket(client, { ...packetOf(number, 'incoming'), messageId: number })
  }
  await crash(db)
  for (let number = 0; number < 60; number++) {
    const client = { id: `client ${number % 30}` }
    await store.outgoingUpdate(client, { ...packetOf(number, 'queued'), messageId: number + 1 })
    if (number % 2 === 0) seen.push(await store.outgoingClearMessageId(client, { messageId: number + 1 }))
  }
  await store.removeSubscriptions({ id: 'client 3' }, ['тревога'])
  await store.cleanSubscriptions({ id: 'client 4' })
  await store.cleanIncoming({ id: 'client 5' })
  await store.putWill({ id: 'client 6' }, packetOf(6, 'will'))
  await store.storeRetained({ ...packetOf(7, 'sensors/7/7'), payload: Buffer.alloc(0) })
  await store.destroy()

  db = new Level(location)
  store = new LevelPersistence(db)
  await store.setup({ id: 'broker' })
  await see(store.createRetainedStream('#'))
  await see(store.createRetainedStreamCombi(['sensors/3/#', 'sensors/+/17']))
  for (let client = 0; client < 30; client++) {
    seen.push(await store.subscriptionsByClient({ id: `client ${client}` }))
    await see(store.outgoingStream({ id: `client ${client}` }))
  }
  seen.push(await store.countOffline(), await store.getWill({ id: 'client 6' }))
  seen.push((await store.subscriptionsByTopic('тревога')).map(({ clientId }) => clientId).sort())
  await see(store.getClientList('тревога'))
  for (let number = 0; number < 200; number++) {
    const found = store.incomingGetPacket({ id: `client ${number % 30}` }, { messageId: number })
    seen.push(await found.catch(({ message }: Error) => message))
  }
  await store.destroy()
  return seen
}

function packetOf(number: number, topic: string) {
  const payload = Buffer.from(`payload ${number}`)
  return { cmd: 'publish', topic, payload, qos: 1, retain: false, brokerId: 'broker', brokerCounter: number }
}
