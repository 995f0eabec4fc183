/** Writes to a master go in flights, and each is told what became of it: also what WAIT says of them. */

import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { Requester } from '../../../src/engines/redis-cluster/requester.js'
import { WRITE } from '../../../src/engines/redis-cluster/scripts.js'
import { type Write, WriteLane } from '../../../src/engines/redis-cluster/write-lane.js'
import { outcomeOf } from '../../support/cluster.js'
import { DONE, FakeRedis, turn } from './fake-redis.js'

const ADDRESS = { host: '10.0.0.1', port: 1 }
const LONG_MS = 60_000

function write(more: Partial<Write> = {}): Write {
  const deadlineMs = performance.now() + LONG_MS
  return { script: WRITE, keys: ['i', 'v'], args: ['k', '1', 'x'], bytes: 10, deadlineMs, isAsking: false, ...more }
}

function requesterOf(redis: FakeRedis) {
  const { connections, watch } = redis
  const requester = new Requester({ names: new KeyNames('n', 16), connections, watch, isClosed: () => false })
  const request = { partition: 3, script: WRITE, keys: ['i', 'v'], args: ['k', '1', 'x'], bytes: 10, w: 2 }
  return (more: { readonly isBulk?: boolean } = {}) =>
    requester.write({ ...request, ...more, deadlineMs: performance.now() + LONG_MS })
}

test('lane: what is called in one turn is one flight with one WAIT; the rest gathers for the next', async (t) => {
  const redis = new FakeRedis()
  const lane = new WriteLane(redis.connections, ADDRESS, { w: 2 })
  const first = [lane.send(write()), lane.send(write())]
  await turn()
  const second = [lane.send(write()), lane.send(write())]
  await turn()
  t.same(redis.sent, ['EVALSHA', 'EVALSHA', 'WAIT 1'])
  t.equal(lane.waiting, 2)
  await redis.answer(DONE, DONE, { type: 'reply', reply: 1 })
  t.same(await Promise.all(first), Array(2).fill({ type: 'written', reply: 1, copies: 2 }))
  t.same(redis.sent.slice(3), ['EVALSHA', 'EVALSHA', 'WAIT 1'])
  await redis.answer(DONE, DONE, { type: 'reply', reply: 0 })
  t.same(await Promise.all(second), Array(2).fill({ type: 'written', reply: 1, copies: 1 }))
})

test('lane: with w = 1 nobody waits for replicas', async (t) => {
  const redis = new FakeRedis()
  const landing = new WriteLane(redis.connections, ADDRESS, { w: 1 }).send(write({ isAsking: true }))
  await turn()
  t.same(redis.sent, ['ASKING', 'EVALSHA'])
  await redis.answer(DONE, DONE)
  t.same(await landing, { type: 'written', reply: 1, copies: 1 })
})

test('lane: a script that is not known goes again as text, in a flight with a WAIT of its own', async (t) => {
  const redis = new FakeRedis()
  const lane = new WriteLane(redis.connections, ADDRESS, { w: 2 })
  const landings = [lane.send(write()), lane.send(write())]
  await redis.answer({ type: 'refused', text: 'NOSCRIPT No matching script.' }, DONE, { type: 'reply', reply: 1 })
  t.same(redis.sent.slice(3), ['EVAL', 'WAIT 1'], 'the WAIT of the flight before is not about it')
  await redis.answer(DONE, { type: 'reply', reply: 0 })
  t.same(await Promise.all(landings), [
    { type: 'written', reply: 1, copies: 1 },
    { type: 'written', reply: 1, copies: 2 },
  ])
})

test('lane: what was sent when the connection ended is unknown, what was not is unsent', async (t) => {
  const redis = new FakeRedis()
  const lane = new WriteLane(redis.connections, ADDRESS, { w: 2 })
  const [refused, lost, done] = [lane.send(write()), lane.send(write()), lane.send(write())]
  await turn()
  const behind = lane.send(write())
  redis.isReady = false
  await redis.answer({ type: 'refused', text: 'OOM' }, { type: 'lost' }, DONE, { type: 'lost' })
  t.same(await refused, { type: 'refused', text: 'OOM' }, 'a refusal is definite, whatever comes after it')
  t.same([(await lost).type, (await done).type, (await behind).type], ['unknown', 'unknown', 'unsent'])
})

test('lane: turned back, what has not been sent need not wait', async (t) => {
  const redis = new FakeRedis()
  const lane = new WriteLane(redis.connections, ADDRESS, { w: 1 })
  const first = lane.send(write())
  await turn()
  const second = lane.send(write())
  lane.turnBack()
  t.equal((await second).type, 'unsent')
  await redis.answer(DONE)
  t.equal((await first).type, 'written')
})

test('lane: a deadline that has passed says whether it was sent', async (t) => {
  const redis = new FakeRedis()
  const lane = new WriteLane(redis.connections, ADDRESS, { w: 1 })
  const first = lane.send(write({ deadlineMs: performance.now() + 1 }))
  await turn()
  const second = lane.send(write({ deadlineMs: performance.now() }))
  t.same(await Promise.all([first, second]), [
    { type: 'late', wasSent: true },
    { type: 'late', wasSent: false },
  ])
})

test('write: fewer copies than w is OUTCOME_UNKNOWN, and so is a lost connection; neither is sent again', async (t) => {
  const redis = new FakeRedis()
  const put = requesterOf(redis)
  const short = put().catch((reason: unknown) => reason)
  await redis.answer(DONE, { type: 'reply', reply: 0 })
  t.match(await short, { code: 'OUTCOME_UNKNOWN', facts: { partition: 3, needed: 2, got: 1 } })
  const lost = outcomeOf(put())
  await redis.answer({ type: 'lost' }, { type: 'lost' })
  t.equal(await lost, 'OUTCOME_UNKNOWN')
  t.same(redis.sent, ['EVALSHA', 'WAIT 1', 'EVALSHA', 'WAIT 1'])
})

test('write: nobody waits behind what is written in bulk', async (t) => {
  const redis = new FakeRedis()
  const put = requesterOf(redis)
  const bulk = put({ isBulk: true })
  await turn()
  const own = put()
  await turn()
  t.same(redis.sent, ['EVALSHA', 'WAIT 1', 'EVALSHA', 'WAIT 1'], 'both are on their way')
  const copied = { type: 'reply', reply: 1 } as const
  await redis.answer(DONE, copied, DONE, copied)
  t.same(await Promise.all([bulk, own]), [1, 1])
})

test('write: a refusal that may pass is followed by another look and another attempt', async (t) => {
  const redis = new FakeRedis()
  const put = outcomeOf(requesterOf(redis)())
  await redis.answer({ type: 'refused', text: 'CLUSTERDOWN The cluster is down' }, DONE)
  t.equal(redis.looks, 1)
  await redis.answer(DONE, { type: 'reply', reply: 1 })
  t.equal(await put, 'ok')
  const refused = outcomeOf(requesterOf(redis)())
  await redis.answer({ type: 'refused', text: 'OOM command not allowed' }, DONE)
  t.equal(await refused, 'STORE_FAILED')
})
