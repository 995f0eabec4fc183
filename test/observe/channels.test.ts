/** The channels of diagnostics_channel: what embedders are told, in the shape of a TracingChannel; nobody is told of what nobody asked for. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'tap'
import { type Cluster, openCluster } from '../../src/index.js'
import type { EventMessage, OpenMessage, RequestMessage } from '../../src/observe.js'
import { collect, eventOf, folderForTest, outcomeOf } from '../support/cluster.js'

/** Node.js' own types want a function for each. */
type Told = [step: string, message: RequestMessage]

function watchRequests(told: Told[]) {
  const step = (name: string) => (message: object) => {
    told.push([name, message as RequestMessage])
  }
  return {
    start: step('start'),
    end: step('end'),
    asyncStart: step('asyncStart'),
    asyncEnd: step('asyncEnd'),
    error: step('error'),
  }
}

test('channels: an opened cluster, its events, and each request from its start to its end', async (t) => {
  const location = await folderForTest(t)
  const opened: Cluster[] = []
  const events: EventMessage[] = []
  const onOpen = (message: unknown) => opened.push((message as OpenMessage).cluster)
  const onEvent = (message: unknown) => events.push(message as EventMessage)
  subscribe('coterie:open', onOpen)
  subscribe('coterie:event', onEvent)
  const cluster = await openCluster({ location, nodes: 3, partitions: 16, faults: true })
  t.teardown(() => cluster.close())
  t.same(
    opened.map((one) => one === cluster),
    [true],
  )
  const told: Told[] = []
  const steps = watchRequests(told)
  const requests = tracingChannel('coterie:request')
  await cluster.put('before', 'it was subscribed')
  requests.subscribe(steps)

  await cluster.put('a', '1')
  const [, first] = told[0] ?? []
  t.match(first, { operation: 'put', keys: 1, location, gateway: 'gateway1' })
  t.same(
    told.map(([step]) => step),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  t.ok(
    told.every(([, message]) => message === first),
    'one message for all steps of a request',
  )
  told.length = 0

  t.equal(await outcomeOf(cluster.get('')), 'INVALID_KEY')
  t.same(
    told.map(([step]) => step),
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
  )
  t.match(told.at(-1)?.[1].error, { code: 'INVALID_KEY' })
  told.length = 0

  const value = await cluster.get('a')
  t.equal(told.at(-1)?.[1].result, value, 'the result is what the caller gets')
  await cluster.read('a')
  await cluster.getMany(['a', 'b', 'c'])
  await cluster.delete('a')
  await cluster.batch([
    { type: 'put', key: 'b', value: '2' },
    { type: 'del', key: 'c' },
  ])
  await collect(cluster.scan())
  t.same(
    told.filter(([step]) => step === 'start').map(([, { operation, keys }]) => [operation, keys]),
    [
      ['get', 1],
      ['read', 1],
      ['getMany', 3],
      ['delete', 1],
      ['batch', 2],
      ['scan', 64],
    ],
  )

  const store = new AsyncLocalStorage<string>()
  requests.start.bindStore(store, (message) => (message as RequestMessage).operation)
  told.length = 0
  let seen: string | undefined
  const look = () => {
    seen = store.getStore()
  }
  requests.asyncEnd.subscribe(look)
  await cluster.get('b')
  t.equal(seen, 'get', 'what a tool binds to the start is there at the end')
  requests.asyncEnd.unsubscribe(look)
  requests.start.unbindStore(store)
  requests.unsubscribe(steps)
  told.length = 0
  await cluster.get('b')
  t.same(told, [])

  const exit = eventOf(cluster, 'node:exit')
  await cluster.faults.crash('node1')
  const [facts] = await exit
  t.equal(events.find(({ event }) => event === 'node:exit')?.facts, facts)
  t.ok(events.every((event) => event.location === location))
  await cluster.close()
  t.match(events.at(-1), { event: 'close', facts: undefined })
  unsubscribe('coterie:open', onOpen)
  unsubscribe('coterie:event', onEvent)
})
