/** What is lost on its way is sent again; what comes twice is done once. */

import { test } from 'tap'
import { QUEUE_LIMITS } from '../../../src/protocol/config.js'
import { Peer } from '../../../src/protocol/coordinator/peer.js'
import type { Request } from '../../../src/protocol/coordinator/request.js'
import { onPong, pingSilent } from '../../../src/protocol/coordinator/retransmission.js'
import type { Message } from '../../../src/protocol/messages.js'
import type { FaultyOptions } from '../faulty-run.js'
import type { Mail } from '../virtual-life.js'
import { VirtualWorld } from '../virtual-world.js'

/** Loses the first so many messages of a type. */
function losing(world: VirtualWorld, type: Message['type'], count: number): { lost: number } {
  const losses = { lost: 0 }
  world.filter = (mail: Mail) => {
    if (mail.message.type !== type || losses.lost >= count) return 'deliver'
    losses.lost += 1
    return 'drop'
  }
  return losses
}

const WAYS: readonly (readonly [string, FaultyOptions, Message['type']])[] = [
  ['a write', {}, 'replica/write'],
  ['the answer to a write', {}, 'replica/write-reply'],
  ['a read', {}, 'replica/read'],
  ['the answer to a read', {}, 'replica/read-reply'],
  ['a page', {}, 'replica/scan'],
  ['the answer to a page', {}, 'replica/scan-reply'],
  ['a batch to be coordinated', { coordination: 'server' }, 'coordinate/requests'],
  ['that it was taken', { coordination: 'server' }, 'coordinate/taken'],
  ['how it ended', { coordination: 'server' }, 'coordinate/replies'],
  ['a question whether one is there', {}, 'link/ping'],
]

for (const [what, options, type] of WAYS) {
  test(`lost three times: ${what}`, async (t) => {
    const world = new VirtualWorld(7, options)
    const losses = losing(world, type, 3)
    if (type === 'link/ping') {
      const ping = world.filter
      let writes = 0
      world.filter = (mail) => (mail.message.type === 'replica/write' && writes++ < 3 ? 'drop' : ping(mail))
    }
    const timeoutMs = 5_000
    t.equal(world.ended(world.put('k', 'v', { timeoutMs })), 'written')
    t.equal(world.ended(world.get('k', { timeoutMs })), '=v')
    t.equal(world.ended(world.scan(10, timeoutMs)), 'page')
    t.equal(losses.lost, 3)
    world.run(4_000)
    for (const owner of world.owners('k')) t.equal(world.stored(owner, 'k'), '=v', `${owner} has it`)
    t.equal(world.gateway.lingering, 0)
  })
}

test('a sibling update whose batch is sent again is done once', async (t) => {
  const world = new VirtualWorld(8, { conflict: 'siblings' })
  const losses = losing(world, 'coordinate/taken', 3)
  t.equal(world.ended(world.put('k', 'v', { timeoutMs: 5_000 })), 'written')
  world.run(2_000)
  t.equal(losses.lost, 3)
  t.ok(world.sentOf('coordinate/requests').length > 1, 'it was sent again')
  t.equal(world.ended(world.get('k')), '=v')
})

test('who is slow is asked whether it is there, and is sent nothing again until it says so', async (t) => {
  const world = new VirtualWorld(9)
  const [slow] = world.owners('k')
  world.freeze(slow as string, 1_000)
  world.put('k', 'v', { timeoutMs: 5_000 })
  world.run(900)
  const writes = () => world.sentOf('replica/write').filter(({ to }) => to === slow).length
  t.equal(writes(), 1)
  const pings = world.sentOf('link/ping').filter(({ to }) => to === slow).length
  t.ok(pings > 1 && pings <= 8, `${pings} questions in 850 ms`)
  world.run(2_000)
  t.ok(writes() <= 2)
  t.equal(world.stored(slow as string, 'k'), '=v')
})

test('an answer that comes more quickly than the one before it is an answer, too', async (t) => {
  const peer = new Peer('node1', 1, 'up', QUEUE_LIMITS)
  const sent: Message['type'][] = []
  const send = (_: unknown, message: Message) => sent.push(message.type)
  let lastId = 0
  const nextId = () => ++lastId
  peer.pushRead({ deadlineMs: 9_000, phase: 'running' } as Request, 'k', 1, false)
  peer.flush({ epoch: 1, nowMs: 0, observer: undefined, nextId, send: (_, message) => sent.push(message.type) })
  peer.silent = true
  for (const [askedAtMs, answeredAtMs] of [
    [800, 800.9],
    [1_600, 1_600.4],
  ] as const) {
    pingSilent([peer], askedAtMs, send, nextId)
    onPong(peer, peer.pingId, answeredAtMs, send)
  }
  t.same(sent, ['replica/read', 'link/ping', 'replica/read', 'link/ping', 'replica/read'])
})
