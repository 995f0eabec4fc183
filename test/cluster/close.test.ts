/** close() always ends, from any state, and settles every promise that was given out. */

import { test } from 'tap'
import {
  countOutcomes,
  eventOf,
  folderForTest,
  loadRecords,
  openForTest,
  outcomeOf,
  textOf,
} from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

const OPTIONS = { closeTimeoutMs: 1_000 }
/** What a request may end with that was under way when the cluster was closed. */
const ALLOWED_IN_FLIGHT = ['ok', 'CLOSED', 'OUTCOME_UNKNOWN']

test('close: ends while nodes hang and while they stand still', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...OPTIONS })
  await cluster.put('key', 'value')
  await Promise.all([cluster.faults.hang('node1', 600_000), cluster.faults.pause('node2', 600_000)])
  await cluster.close()
  const again = await openForTest(t, { location })
  t.equal(textOf(await again.get('key')), 'value', 'and the location can be opened again')
})

test('close: ends while every node is starting', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...OPTIONS })
  await cluster.put('key', 'value')
  const nodes = cluster.status().nodes.map((node) => node.id)
  await Promise.all(nodes.map((node) => cluster.faults.crash(node)))
  await cluster.close()
  const again = await openForTest(t, { location })
  t.equal(textOf(await again.get('key')), 'value')
})

test('close: ends while a wiped node is being refilled', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...OPTIONS, transferBytesPerSecond: 16_384 })
  await loadRecords(cluster, 1_000)
  await cluster.faults.wipe('node1')
  await cluster.close()
  const again = await openForTest(t, { location })
  await again.settled()
  t.equal(again.status().nodes.filter((node) => node.status === 'up').length, 5)
})

test('close: twice at once and once more is the same as once; the event comes once', async (t) => {
  const cluster = await openForTest(t, OPTIONS)
  let events = 0
  cluster.on('close', () => {
    events += 1
  })
  await Promise.all([cluster.close(), cluster.close()])
  await cluster.close()
  await cluster[Symbol.asyncDispose]()
  t.equal(events, 1)
})

test('close: every request in flight is settled', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, ...OPTIONS })
  const puts = Array.from({ length: 500 }, (_, number) => cluster.put(`key ${number}`, 'value'))
  const gets = Array.from({ length: 500 }, (_, number) => cluster.get(`key ${number}`))
  const more = [
    cluster.batch([{ type: 'put', key: 'batch', value: 'value' }]),
    cluster.getMany(['a', 'b']),
    cluster.settled(),
    cluster.scan().next(),
  ]
  const closed = cluster.close()
  const outcomes = await countOutcomes([...puts, ...gets, ...more])
  await closed
  t.same(
    Object.keys(outcomes).filter((outcome) => !ALLOWED_IN_FLIGHT.includes(outcome)),
    [],
    JSON.stringify(outcomes),
  )

  const again = await openForTest(t, { location })
  const acknowledged = await Promise.all(puts.map(outcomeOf))
  for (const [number, outcome] of acknowledged.entries()) {
    if (outcome === 'ok' && (await again.get(`key ${number}`)) === undefined) t.fail(`key ${number} was acknowledged`)
  }
})

test('close: requests in flight towards hung nodes are settled', async (t) => {
  const cluster = await openForTest(t, OPTIONS)
  const nodes = cluster.status().nodes.map((node) => node.id)
  await Promise.all(nodes.map((node) => cluster.faults.pause(node, 600_000)))
  const requests = Array.from({ length: 100 }, (_, number) => cluster.put(`key ${number}`, 'v', { timeoutMs: 600_000 }))
  const closed = cluster.close()
  const outcomes = await countOutcomes(requests)
  await closed
  t.same(
    Object.keys(outcomes).filter((outcome) => !ALLOWED_IN_FLIGHT.includes(outcome)),
    [],
    JSON.stringify(outcomes),
  )
})

test('close: afterwards every call says CLOSED, a connected entry’s too', async (t) => {
  const cluster = await openForTest(t, OPTIONS)
  const ticket = cluster.ticket()
  const connected = await connectInThread(t, ticket)
  const closing = eventOf(cluster, 'close')
  await cluster.close()
  await closing
  const calls = [
    cluster.get('key'),
    cluster.put('key', 'value'),
    cluster.delete('key'),
    cluster.read('key'),
    cluster.getMany(['key']),
    cluster.batch([{ type: 'del', key: 'key' }]),
    cluster.scan().next(),
    cluster.settled(),
    cluster.faults.crash('node1'),
    connected.get('key'),
    connected.put('key', 'value'),
  ]
  t.same(await countOutcomes(calls), { CLOSED: calls.length })
  t.equal(await outcomeOf(connectInThread(t, ticket)), 'TICKET_INVALID')
  await connected.close()
})

test('close: of a connected entry leaves the cluster open', async (t) => {
  const cluster = await openForTest(t)
  const connected = await connectInThread(t, cluster.ticket())
  await connected.put('key', 'value')
  t.equal(textOf(await cluster.get('key')), 'value', 'both see the same')
  await connected.close()
  await connected.close()
  t.equal(await outcomeOf(connected.get('key')), 'CLOSED')
  t.equal(await outcomeOf(cluster.get('key')), 'ok')
})
