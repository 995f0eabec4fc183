/** A mailbox's two lanes. (That credits bound what waits in it, the simulator's `bounds` checker watches.) */

import { test } from 'tap'
import type { NodeEvent } from '../../src/protocol/events.js'
import { Mailbox } from '../../src/protocol/mailbox.js'
import type { Message } from '../../src/protocol/messages.js'

/** As many as credits allow, and more than anybody sends. */
const FULL = 16_384

function mail(message: Message): NodeEvent {
  return { type: 'message', from: 'node2', incarnation: 1, message }
}

function ping(id: number): NodeEvent {
  return mail({ type: 'link/ping', id })
}

const BEAT = mail({ type: 'membership/heartbeat', incarnation: 1, counter: 7 })

test('mailbox: control before data, each lane in the order in which it came', async (t) => {
  const mailbox = new Mailbox()
  const announced = mail({ type: 'table/request', epoch: 3 })
  const stored: NodeEvent = { type: 'store/written', token: 9 }
  const events = [ping(1), announced, ping(2), stored, ping(3), BEAT]
  for (const event of events) mailbox.push(event)
  t.equal(mailbox.size, events.length)
  const expected = [announced, stored, BEAT, ping(1), ping(2), ping(3)]
  t.same(mailbox.waiting(), expected)
  t.same(mailbox.takeAll(), expected)
  t.same(mailbox.takeAll(), [], 'what was taken is gone')
})

test('mailbox: a heartbeat is handled before everything that waits in the data lane, however much that is', async (t) => {
  const mailbox = new Mailbox()
  for (let id = 0; id < FULL; id++) mailbox.push(ping(id))
  mailbox.push(BEAT)
  t.same(mailbox.takeAll()[0], BEAT)
})

test('mailbox: what no credit can explain is a broken invariant; control is taken all the same', async (t) => {
  const mailbox = new Mailbox()
  for (let id = 0; id < FULL; id++) mailbox.push(ping(id))
  t.throws(() => mailbox.push(ping(FULL)), /credits bound the data lane/)
  mailbox.push(BEAT)
  t.equal(mailbox.size, FULL + 1)
})
