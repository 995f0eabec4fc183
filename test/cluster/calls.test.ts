/** The calls of the door one by one: single keys, many keys, batches, quorums per call, where a key lives. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import root, { test } from 'tap'
import { collect, eventOf, folderForTest, nodeOf, openForTest, outcomeOf, textOf } from '../support/cluster.js'

const LIVES_MAX = 20

/** For the tests that only call; each has keys of its own. Those in which somebody dies, or options differ, open another. */
const cluster = await openForTest(root)

test('status: five nodes up, balanced, converged; n copies of every partition', async (t) => {
  await cluster.settled()
  const { nodes, partitions, converged, replication } = cluster.status()
  t.same(replication, { n: 3, r: 2, w: 2 })
  t.ok(converged)
  t.same([...new Set(nodes.map((node) => node.status))], ['up'])
  t.equal(new Set(nodes.map((node) => node.threadId)).size, 5, 'each in its own thread')
  t.equal(
    nodes.reduce((sum, node) => sum + node.partitions, 0),
    3 * partitions,
  )
  t.ok(nodes.every((node) => node.partitions <= Math.ceil((3 * partitions) / 5)))
})

test('calls: put, get, delete, put again; text and bytes are the same key', async (t) => {
  t.equal(await cluster.get('first'), undefined)
  await cluster.put('first', 'value')
  t.equal(textOf(await cluster.get(Buffer.from('first'))), 'value')
  await cluster.put(Buffer.from('first'), Uint8Array.of(0, 255, 128))
  t.same([...((await cluster.get('first')) ?? [])], [0, 255, 128])
  await cluster.delete('first')
  t.equal(await cluster.get('first'), undefined)
  await cluster.delete('first')
  await cluster.put('first', '')
  t.equal((await cluster.get('first'))?.byteLength, 0, 'an empty value is a value')
})

test('calls: a value is the caller’s own: changing it after put or get changes nothing', async (t) => {
  const value = Buffer.from('before')
  const put = cluster.put('copied value', value)
  value.fill('x')
  await put
  const got = await cluster.get('copied value')
  t.equal(textOf(got), 'before')
  got?.fill(0)
  t.equal(textOf(await cluster.get('copied value')), 'before')
})

test('calls: values from nothing to a megabyte come back as they were', async (t) => {
  for (const bytes of [0, 1, 100, 4_096, 65_536, 1_048_576]) {
    const value = Buffer.alloc(bytes, bytes.toString(36))
    await cluster.put(`of ${bytes}`, value)
    t.ok(value.equals((await cluster.get(`of ${bytes}`, { r: 3 })) ?? Buffer.from('none')), `${bytes} bytes`)
  }
})

test('calls: every r and w is served while all nodes live', async (t) => {
  for (const w of [1, 2, 3]) {
    await cluster.put('quorums', `w=${w}`, { w })
    t.equal(textOf(await cluster.get('quorums', { r: 4 - w })), `w=${w}`, `r=${4 - w} sees w=${w}`)
  }
})

test('getMany: answers in the order of the keys, doubles and absent ones included', async (t) => {
  await cluster.batch(
    Array.from({ length: 500 }, (_, number) => ({ type: 'put', key: `k${number}`, value: `${number}` })),
  )
  const keys = Array.from({ length: 1_000 }, (_, index) => `k${(index * 7) % 600}`)
  const wanted = keys.map((key) => (Number(key.slice(1)) < 500 ? key.slice(1) : undefined))
  t.same((await cluster.getMany(keys)).map(textOf), wanted)
  t.same(await cluster.getMany([]), [])
})

test('batch: puts and deletes in one; of a key named twice the last wins', async (t) => {
  await cluster.put('deleted', 'value')
  await cluster.batch([
    { type: 'put', key: 'twice', value: 'first' },
    { type: 'put', key: 'then deleted', value: 'value' },
    { type: 'del', key: 'deleted' },
    { type: 'del', key: 'then put' },
    { type: 'put', key: 'twice', value: 'last' },
    { type: 'del', key: 'then deleted' },
    { type: 'put', key: 'then put', value: 'value' },
  ])
  const keys = ['twice', 'deleted', 'then deleted', 'then put']
  t.same((await cluster.getMany(keys)).map(textOf), ['last', undefined, undefined, 'value'])
  t.equal(await outcomeOf(cluster.batch([])), 'ok')
})

test('batch: acknowledged batches of one partition are whole, nodes dying meanwhile', async (t) => {
  const cluster = await openForTest(t, { nodes: 3 })
  const keys = Array.from({ length: 20 }, (_, number) => `{same}${number}`)
  t.equal(new Set(keys.map((key) => cluster.locate(key).partition)).size, 1)
  const [owner = ''] = cluster.locate('{same}').owners
  for (let round = 0; round < 60; round++) {
    if (round % 20 === 10) await cluster.faults.crash(owner)
    await cluster.batch(keys.map((key) => ({ type: 'put', key, value: `round ${round}` })))
    const values = new Set((await cluster.getMany(keys)).map(textOf))
    if (values.size !== 1 || !values.has(`round ${round}`)) t.fail(`round ${round}: ${[...values].join(', ')}`)
  }
  await cluster.settled()
  t.same(new Set((await cluster.getMany(keys, { r: 3 })).map(textOf)), new Set(['round 59']))
})

test('read: gives the value and a context; nothing for an absent key', async (t) => {
  t.same((await cluster.read('read')).values, [])
  await cluster.put('read', 'value')
  const { values, context } = await cluster.read('read')
  t.same(values.map(textOf), ['value'])
  t.type(context, 'string')
})

test('locate: three distinct owners, Redis Cluster’s slot, keys of one hash tag together', async (t) => {
  t.equal(cluster.locate('123456789').slot, 0x31c3, 'the check value of CRC16-XMODEM')
  t.equal(cluster.locate('foo').slot, 12_182, 'as CLUSTER KEYSLOT foo says')
  t.equal(cluster.locate('{user1000}.following').partition, cluster.locate('{user1000}.followers').partition)
  for (const key of ['a', 'b', 'c', 'é']) t.equal(new Set(cluster.locate(key).owners).size, 3, key)
})

test('coordination: the same calls work with the coordinators in the nodes', async (t) => {
  const cluster = await openForTest(t, { coordination: 'server' })
  await cluster.batch([
    { type: 'put', key: 'a', value: '1' },
    { type: 'put', key: 'b', value: '2' },
  ])
  await cluster.put('c', '3', { w: 3 })
  await cluster.delete('a')
  t.same((await cluster.getMany(['a', 'b', 'c'])).map(textOf), [undefined, '2', '3'])
  t.same((await cluster.read('b')).values.map(textOf), ['2'])
  t.same(
    (await collect(cluster.scan())).map(([key, value]) => `${textOf(key)}=${textOf(value)}`),
    ['b=2', 'c=3'],
  )
})

test('replication: n: "all" makes every node a full copy; a single node works too', async (t) => {
  const location = await folderForTest(t)
  const all = await openForTest(t, { location: `${location}/all`, nodes: 4, replication: { n: 'all' } })
  await all.put('key', 'value')
  t.equal(all.locate('key').owners.length, 4)
  t.equal(textOf(await all.get('key', { r: 4 })), 'value')
  const one = await openForTest(t, { location: `${location}/one`, nodes: 1 })
  await one.put('key', 'value')
  t.equal(textOf(await one.get('key')), 'value')
})

test('events: a crash is told as exit and up, and status() agrees', async (t) => {
  const cluster = await openForTest(t, { nodes: 3 })
  const exit = eventOf(cluster, 'node:exit', ({ node }) => node === 'node2')
  const up = eventOf(cluster, 'node:up', ({ node }) => node === 'node2')
  await cluster.faults.crash('node2')
  t.match((await exit)[0], { node: 'node2', incarnation: 1 })
  t.match((await up)[0], { node: 'node2', incarnation: 2 })
  await cluster.settled()
  const node = cluster.status().nodes.find(({ id }) => id === 'node2')
  t.match(node, { status: 'up', incarnation: 2, restarts: 1 })
  t.ok(node?.lastExit, 'why it ended is kept')
})

test('events: a hung node is told, terminated and comes back', async (t) => {
  const cluster = await openForTest(t, { nodes: 3 })
  const hung = eventOf(cluster, 'node:hung', ({ node }) => node === 'node3')
  const up = eventOf(cluster, 'node:up', ({ node }) => node === 'node3')
  await cluster.faults.hang('node3', 600_000)
  await hung
  await up
  t.pass('it is back')
})

test('restarts: past restartsMax a node is down for good and its partitions have other owners', async (t) => {
  const cluster = await openForTest(t, { nodes: 4, restartsMax: 1 })
  await cluster.put('key', 'value')
  const down = eventOf(cluster, 'node:down', ({ node }) => node === 'node1')
  const crashAgain = ({ node }: { node: string }): void => {
    if (node === 'node1') void outcomeOf(cluster.faults.crash('node1'))
  }
  cluster.on('node:up', crashAgain)
  await cluster.faults.crash('node1')
  await down
  cluster.off('node:up', crashAgain)
  await cluster.settled()
  t.match(
    cluster.status().nodes.find(({ id }) => id === 'node1'),
    { status: 'down', partitions: 0 },
  )
  t.equal(textOf(await cluster.get('key', { r: 3 })), 'value')
})

test('faults: a crash in the pause before a restart ends nothing, for good it ends the pause', async (t) => {
  const cluster = await openForTest(t, { restartsMax: 100 })
  const exits: number[] = []
  cluster.on('node:exit', ({ node, incarnation }) => node === 'node1' && exits.push(incarnation))
  const upAgain = () => eventOf(cluster, 'node:up', ({ node }) => node === 'node1')
  // Lives that last for less than a second are followed by pauses that double; the first one, and one after a longer life, by none.
  const crashIntoPause = async () => {
    for (let life = 1; life <= LIVES_MAX; life++) {
      const up = upAgain()
      await cluster.faults.crash('node1')
      if (nodeOf(cluster, 'node1').status === 'suspect') return exits.length
      await up
    }
    throw new Error(`no pause after ${LIVES_MAX} lives`)
  }
  const lives = await crashIntoPause()
  const up = upAgain()
  await cluster.faults.crash('node1')
  t.equal(exits.length, lives, 'it is as dead as it was')
  t.match((await up)[0], { incarnation: lives + 1 }, 'and is back when its pause is over')
  const livesThen = await crashIntoPause()
  await cluster.faults.crash('node1', { permanent: true })
  t.equal(nodeOf(cluster, 'node1').status, 'down')
  t.equal(exits.length, livesThen)
})

test('status: of a cluster that was closed no node is up', async (t) => {
  const cluster = await openForTest(t)
  await cluster.settled()
  await cluster.close()
  const { converged, nodes } = cluster.status()
  t.notOk(converged)
  for (const node of nodes) t.match(node, { status: 'down', threadId: null, keys: 0, mailbox: 0 })
})

test('getMany: more keys than may be in flight are read in windows, in the order of the keys', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, requestsInFlightMax: 1_000 })
  const keys = Array.from({ length: 2_500 }, (_, number) => `key ${number}`)
  await cluster.batch(keys.slice(0, 2_400).map((key) => ({ type: 'put', key, value: `of ${key}` }) as const))
  const values = await cluster.getMany(keys, { timeoutMs: 60_000 })
  t.same(
    values.map((value) => value && textOf(value)),
    keys.map((key, number) => (number < 2_400 ? `of ${key}` : undefined)),
  )
})

test('scan: bounds are read at the call; wrong ones reject the first row', async (t) => {
  await cluster.put('copied', 'value')
  const from = Buffer.from('copied')
  const rows = cluster.scan({ gte: from, limit: 1 })
  from.fill(0x7a)
  t.equal(textOf((await rows.next()).value?.[0]), 'copied')
  t.equal(await outcomeOf(cluster.scan({ limit: -1 }).next()), 'INVALID_OPTION')
})

test('events: a listener that throws stops nothing halfway', async (t) => {
  const child = fork(new URL('../support/throwing-listener.child.js', import.meta.url), [await folderForTest(t)])
  t.teardown(() => child.kill('SIGKILL'))
  const [report] = await once(child, 'message')
  t.same(report, { thrown: ['of exit', 'of up', 'of close'], restarted: true, closed: true })
})

test('faults: a hang of a node that is being restarted is in effect once it is back; of one that is down it is refused', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, hungAfterMs: 60_000 })
  const crashed = cluster.faults.crash('node1')
  await cluster.faults.hang('node1', 100)
  await crashed
  t.equal(cluster.status().nodes[0]?.restarts, 1)
  await cluster.faults.crash('node2', { permanent: true })
  t.equal(await outcomeOf(cluster.faults.hang('node2', 100)), 'NODE_NOT_RUNNING')
})
