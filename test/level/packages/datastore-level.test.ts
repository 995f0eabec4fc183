/** datastore-level, the datastore of IPFS and libp2p nodes, and the tests that its makers publish for datastores. */

import { LevelDatastore } from 'datastore-level'
import { Key, type Pair } from 'interface-datastore'
import { test } from 'tap'
import { runMocha } from './own-tests.js'
import { type Ground, sameProgram } from './same-program.js'

test('datastore-level: interface-datastore-tests hold', (t) => runMocha(t, 'datastore-level.mocha.js', 42))

test('datastore-level: a program sees the same on a cluster of which a node dies', (t) =>
  sameProgram(t, 1_000, program))

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const see = async (pairs: AsyncIterable<Pair> | Iterable<Pair>): Promise<void> => {
    for await (const { key, value } of pairs) seen.push([key.toString(), Buffer.from(value).toString()])
  }
  const open = async (): Promise<LevelDatastore> => {
    const store = new LevelDatastore(new Level(location, { keyEncoding: 'utf8', valueEncoding: 'view' }) as never)
    await store.open()
    return store
  }
  const store = await open()
  for (let number = 0; number < 300; number++) {
    await store.put(new Key(`/peers/${number % 7}/${number}`), Buffer.from(`peer ${number}`))
    if (number === 150) await crash(store.db)
  }
  const batch = store.batch()
  for (let number = 0; number < 300; number++) batch.put(new Key(`/pins/${number}`), Buffer.from(`pin ${number}`))
  for (let number = 0; number < 300; number += 10) batch.delete(new Key(`/peers/${number % 7}/${number}`))
  await batch.commit()
  await see(store.query({ prefix: '/peers/3' }))
  await see(store.query({ filters: [({ key }) => key.toString().endsWith('7')], offset: 3, limit: 40 }))
  await see(store.query({ prefix: '/pins', orders: [(a, b) => (a.key.less(b.key) ? 1 : -1)] }))
  await crash(store.db)
  for (let number = 0; number < 300; number++) seen.push(await store.has(new Key(`/peers/${number % 7}/${number}`)))
  await store.delete(new Key('/pins/17'))
  seen.push(await store.get(new Key('/pins/17')).catch(({ name }: Error) => name))
  await store.close()
  const again = await open()
  await see(again.query({}))
  await again.close()
  return seen
}
