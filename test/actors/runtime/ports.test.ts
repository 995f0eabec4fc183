/** A link between two threads, both ends of it in this one: what goes by the port, and how heartbeats go beside it. */

import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { type Test, test } from 'tap'
import { createBeatEnds } from '../../../actors/runtime/beat-cells.js'
import { type FaultRules, NO_FAULTS } from '../../../actors/runtime/fault-rules.js'
import { LinkFaults } from '../../../actors/runtime/link-faults.js'
import { Ports } from '../../../actors/runtime/ports.js'
import type { Message } from '../../../src/protocol/messages.js'

const CUT: FaultRules = {
  ...NO_FAULTS,
  links: [{ from: ['node1'], to: ['node2'], fault: { type: 'cut' } }],
}

test('of beats that nobody has looked at the newest counts', (t) => {
  const { node1, node2, heard } = makeLink(t)
  for (const counter of [1, 2, 3]) node1.push('node2', beat(counter))
  t.same(heard, [], 'nobody is woken')
  node2.takeBeats()
  t.same(heard, [beat(3)])
  node2.takeBeats()
  t.same(heard, [beat(3)], 'once each')
  node1.push('node2', beat(4))
  node2.takeBeats()
  t.same(heard, [beat(3), beat(4)])
  t.end()
})

test('the other direction has cells of its own', (t) => {
  const { node1, node2, heard } = makeLink(t)
  node2.push('node1', beat(7))
  node2.takeBeats()
  t.same(heard, [])
  node1.takeBeats()
  t.same(heard, [beat(7)])
  t.end()
})

test('a beat leaves at once, other messages with the flush and by the port', async (t) => {
  const { node1, node2, heard, port } = makeLink(t)
  node1.push('node2', { type: 'table/request', epoch: 1 })
  node1.push('node2', beat(1))
  node2.takeBeats()
  t.same(heard, [beat(1)])
  const arrived = once(port, 'message')
  node1.flush()
  await arrived
  t.same(heard, [beat(1), { type: 'table/request', epoch: 1 }])
})

test('a new link begins without the beats of the one before', (t) => {
  const { node1, node2, heard } = makeLink(t)
  node1.push('node2', beat(1))
  connect(node1, node2)
  node2.takeBeats()
  t.same(heard, [])
  t.end()
})

test('a cut lets no beat pass: not what is sent, and not what lies there', (t) => {
  const { node1, node2, heard } = makeLink(t)
  const count = () => undefined
  node1.faults = new LinkFaults({ self: 'node1', seed: 1, count })
  node2.faults = new LinkFaults({ self: 'node2', seed: 1, count })
  node1.push('node2', beat(1))
  for (const { faults } of [node1, node2]) faults?.apply(CUT)
  node2.takeBeats()
  node1.push('node2', beat(2))
  for (const { faults } of [node1, node2]) faults?.apply(NO_FAULTS)
  node2.takeBeats()
  t.same(heard, [])
  node1.push('node2', beat(3))
  node2.takeBeats()
  t.same(heard, [beat(3)])
  t.end()
})

function beat(counter: number): Message {
  return { type: 'membership/heartbeat', incarnation: 2, counter }
}

/** Two nodes and the link between them; what either has heard, in order. */
function makeLink(t: Test) {
  const heard: Message[] = []
  const hear = (_: string, messages: readonly Message[]) => heard.push(...messages)
  const node1 = new Ports(hear)
  const node2 = new Ports(hear)
  t.teardown(() => {
    node1.closeAll()
    node2.closeAll()
  })
  return { node1, node2, heard, port: connect(node1, node2) }
}

/** Both are in their second life. Gives the port of the second. */
function connect(node1: Ports, node2: Ports) {
  const { port1, port2 } = new MessageChannel()
  const [beats1, beats2] = createBeatEnds()
  node1.attach('node2', { port: port1, beats: beats1, incarnation: 2 })
  node2.attach('node1', { port: port2, beats: beats2, incarnation: 2 })
  return port2
}
