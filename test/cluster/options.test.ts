/** Wrong options, keys, values, tickets and locations are refused with a code and a message that says what is allowed. */

import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import root, { test } from 'tap'
import { type ClusterOptions, CoterieError, connect, openCluster } from '../../src/index.js'
import { folderForTest, openForTest, outcomeOf } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

/** Options that a caller without types could give, and what the message must say. */
const WRONG: [Record<string, unknown>, RegExp][] = [
  [{ nodes: 0 }, /`nodes` is 0; allowed: a whole number from 1 to 64/],
  [{ nodes: 2.5 }, /`nodes` is 2\.5; allowed/],
  [{ nodes: '5' }, /`nodes` is "5"; allowed/],
  [{ partitions: 100 }, /`partitions` is 100; allowed: a power of two/],
  [{ partitions: 8 }, /`partitions` is 8; allowed/],
  [{ replication: { n: 0 } }, /`replication\.n` is 0; allowed/],
  [{ replication: { n: 3, r: 4 } }, /`replication\.r` is 4; allowed/],
  [{ replication: { n: 3, w: 0 } }, /`replication\.w` is 0; allowed/],
  [{ replication: { quorum: 2 } }, /replication\.quorum.*unknown option/],
  [{ durability: 'memory' }, /`durability` is "memory"; allowed: process or disk/],
  [{ conflict: 'crdt' }, /`conflict` is "crdt"; allowed: lww or siblings/],
  [{ coordination: 'both' }, /`coordination` is "both"; allowed: client or server/],
  [{ faults: 'yes' }, /`faults` is "yes"; allowed: true or false/],
  [{ readTimeoutMs: 0 }, /`readTimeoutMs` is 0; allowed/],
  [{ restartMax: 3 }, /restartMax.*unknown option.*restartsMax/],
  [{ workers: { node: 5 } }, /`workers\.node` is 5; allowed/],
]

/** For the tests that only ask it. */
const shared = await openForTest(root)

test('options: a wrong one is refused before a thread starts, and the message says what is allowed', async (t) => {
  const location = await folderForTest(t)
  for (const [options, message] of WRONG) {
    const refused = openCluster({ location, ...options } as ClusterOptions)
    await t.rejects(refused, { name: 'CoterieError', code: 'INVALID_OPTION', message }, JSON.stringify(options))
  }
  await t.rejects(openCluster({} as ClusterOptions), { code: 'INVALID_OPTION', message: /`location`/ })
  await t.rejects(openCluster({ location: '' }), { code: 'INVALID_OPTION', message: /`location`/ })
  const cluster = await openForTest(t, { location })
  t.equal(cluster.status().nodes.length, 5, 'nothing of it was left behind')
})

test('options: those of a call are checked like those of the cluster', async (t) => {
  const calls: [string, Promise<unknown>][] = [
    ['r above n', shared.get('key', { r: 4 })],
    ['r of zero', shared.get('key', { r: 0 })],
    ['w above n', shared.put('key', 'value', { w: 4 })],
    ['w that is no whole number', shared.delete('key', { w: 1.5 })],
    ['a deadline of zero', shared.get('key', { timeoutMs: 0 })],
    ['a deadline that is no number', shared.get('key', { timeoutMs: Number.NaN })],
    ['r above n in getMany', shared.getMany(['key'], { r: 4 })],
    ['w above n in batch', shared.batch([{ type: 'del', key: 'key' }], { w: 4 })],
  ]
  for (const [name, call] of calls) t.equal(await outcomeOf(call), 'INVALID_OPTION', name)
})

test('options: keys and values of the wrong kind or length are refused, at the border they are taken', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, valueBytesMax: 1_000 })
  t.equal(await outcomeOf(cluster.put('', 'value')), 'INVALID_KEY')
  t.equal(await outcomeOf(cluster.get('k'.repeat(65_536))), 'INVALID_KEY')
  t.equal(await outcomeOf(cluster.get(5 as unknown as string)), 'INVALID_KEY')
  t.equal(await outcomeOf(cluster.getMany(['key', ''])), 'INVALID_KEY')
  t.equal(await outcomeOf(cluster.put('k'.repeat(65_535), 'value')), 'ok')
  t.equal(await outcomeOf(cluster.put('key', 'v'.repeat(1_001))), 'INVALID_VALUE')
  t.equal(await outcomeOf(cluster.put('key', null as unknown as string)), 'INVALID_VALUE')
  t.equal(await outcomeOf(cluster.put('key', 'v'.repeat(1_000))), 'ok')
  t.equal(await outcomeOf(cluster.batch([{ type: 'put', key: 'key', value: 'v'.repeat(1_001) }])), 'INVALID_VALUE')
})

test('faults: throw unless they were allowed; an unknown node is named', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, faults: false })
  t.equal(await outcomeOf(Promise.resolve().then(() => cluster.faults.crash('node1'))), 'FAULTS_DISABLED')
  t.equal(await outcomeOf(cluster.get('key')), 'ok')
})

test('faults: an unknown node is refused by name', async (t) => {
  await t.rejects(shared.faults.crash('node99'), { code: 'UNKNOWN_NODE', message: /node99/ })
})

test('connect: a ticket that is not of an open cluster is refused', async (t) => {
  const ticket = shared.ticket()
  t.equal(await outcomeOf(connectInThread(t, ticket)), 'ok', 'the true one is taken')
  t.equal(await outcomeOf(connectInThread(t, { ...ticket, secret: 'guessed' })), 'TICKET_INVALID')
  t.equal(await outcomeOf(connectInThread(t, { ...ticket, threadId: 999_999 })), 'TICKET_INVALID')
  t.equal(await outcomeOf(connectInThread(t, null as unknown as typeof ticket)), 'TICKET_INVALID')
})

test('connect: the thread that opened the cluster is refused, and told to use the cluster', async (t) => {
  await t.rejects(connect(shared.ticket()), { code: 'TICKET_INVALID', message: /use the cluster/ })
})

test('location: a second opening is refused while the first is open, and does not disturb it', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 3 })
  await cluster.put('key', 'value')
  const refused = await openCluster({ location }).catch((error: unknown) => error)
  t.match(refused, { code: 'LOCATION_LOCKED' })
  t.ok(refused instanceof CoterieError && refused.message.includes(location), 'the message names the location')
  t.equal(await outcomeOf(cluster.get('key')), 'ok')
})

test('location: two openings at once: one has it, the other is refused', async (t) => {
  const location = await folderForTest(t)
  const results = await Promise.allSettled([openCluster({ location, nodes: 3 }), openCluster({ location, nodes: 3 })])
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  await Promise.all(opened.map((cluster) => cluster.close()))
  t.match(refused, [{ code: 'LOCATION_LOCKED' }])
  t.equal(opened.length, 1)
})

test('location: what was fixed at creation is refused if it is other, and taken if it is the same or not said', async (t) => {
  const location = await folderForTest(t)
  const created = { nodes: 4, partitions: 64, replication: { n: 2 }, conflict: 'siblings' } as const
  await (await openCluster({ location, ...created })).close()
  const other: [string, Partial<ClusterOptions>][] = [
    ['partitions', { partitions: 128 }],
    ['n', { replication: { n: 3 } }],
    ['conflict', { conflict: 'lww' }],
  ]
  for (const [name, options] of other) {
    const refused = openCluster({ location, ...options })
    await t.rejects(refused, { code: 'LOCATION_MISMATCH', message: new RegExp(`\\b${name}\\b`) }, name)
  }
  await (await openCluster({ location, ...created })).close()
  const cluster = await openForTest(t, { location })
  t.match(cluster.status(), { partitions: 64, replication: { n: 2, r: 2, w: 2 } })
  t.equal(cluster.status().nodes.length, 4)
})

test('location: one that cannot be a folder is refused', async (t) => {
  const location = await folderForTest(t)
  await writeFile(`${location}/file`, 'not a folder')
  t.match(await outcomeOf(openCluster({ location: `${location}/file` })), /LOCATION_DAMAGED|OPEN_FAILED/)
  await mkdir(`${location}/full`)
  await writeFile(`${location}/full/README`, 'somebody else’s')
  const cluster = await openForTest(t, { location: `${location}/full`, nodes: 3 })
  t.equal(await outcomeOf(cluster.put('key', 'value')), 'ok', 'other files in the folder do no harm')
})

test('location: the same folder by another way is the same location', async (t) => {
  const location = await folderForTest(t)
  const link = join(await folderForTest(t), 'link')
  await openForTest(t, { location, nodes: 3 })
  await symlink(location, link)
  t.equal(await outcomeOf(openCluster({ location: link })), 'LOCATION_LOCKED')
})

test('options: a cluster is opened again with what it was created with, and what is undefined is not said', async (t) => {
  const location = await folderForTest(t)
  const own = { location, replication: { n: 6 } }
  await (await openCluster({ ...own, nodes: 6, partitions: 64 })).close()
  const cluster = await openCluster({ ...own, partitions: undefined } as unknown as ClusterOptions)
  t.equal(cluster.status().partitions, 64)
  t.equal(cluster.status().nodes.length, 6)
  await cluster.close()
  t.equal(await outcomeOf(openCluster({ location, replication: { n: 3 } })), 'LOCATION_MISMATCH')
})

test('options: of every other call a wrong name or type is refused too', async (t) => {
  const wrong = (call: unknown) => outcomeOf(call as Promise<unknown>)
  const { settled, faults } = shared as unknown as Record<string, (...call: unknown[]) => Promise<unknown>> & {
    faults: Record<string, (...call: unknown[]) => Promise<unknown>>
  }
  t.equal(await wrong(settled?.call(shared, { timeout: 1 })), 'INVALID_OPTION')
  t.equal(await wrong(settled?.call(shared, null)), 'INVALID_OPTION')
  t.equal(await wrong(shared.acceptLoss(5 as never)), 'INVALID_OPTION')
  t.equal(await wrong(faults.crash?.call(faults, 'node1', { permanant: true })), 'INVALID_OPTION')
  t.equal(await wrong(faults.crash?.call(faults, 'node1', { permanent: 'yes' })), 'INVALID_OPTION')
  t.equal(await wrong(openCluster({ location: 'x', replication: 5 } as never)), 'INVALID_OPTION')
  t.equal(await wrong(openCluster({ location: 'x', workers: 5 } as never)), 'INVALID_OPTION')
})
