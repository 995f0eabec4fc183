/** A link between two threads, both ends of it in this one: what goes by the port, and how heartbeats go beside it. */

import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
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

test('the first beat of a link wakes its receiver, by the port', async (t) => {
  const { node1, node2, heard, ends } = makeLinkUnused(t)
  const arrived = once(ends[1], 'message')
  node1.push('node2', beat(1))
  node2.takeBeats()
  t.same(heard, [])
  node1.flush()
  await arrived
  t.same(heard, [beat(1)])
})

test('of beats that nobody has looked at the newest counts', async (t) => {
  const { node1, node2, heard } = await makeLink(t)
  for (const counter of [1, 2, 3]) node1.push('node2', beat(counter))
  t.same(heard, [], 'nobody is woken')
  node2.takeBeats()
  t.same(heard, [beat(3)])
  node2.takeBeats()
  t.same(heard, [beat(3)], 'once each')
  node1.push('node2', beat(4))
  node2.takeBeats()
  t.same(heard, [beat(3), beat(4)])
})

test('the other direction has cells of its own', async (t) => {
  const { node1, node2, heard } = await makeLink(t)
  node2.push('node1', beat(7))
  node2.takeBeats()
  t.same(heard, [])
  node1.takeBeats()
  t.same(heard, [beat(7)])
})

test('a later beat leaves at once, other messages with the flush and by the port', async (t) => {
  const { node1, node2, heard, ends } = await makeLink(t)
  node1.push('node2', { type: 'table/request', epoch: 1 })
  node1.push('node2', beat(1))
  node2.takeBeats()
  t.same(heard, [beat(1)])
  const arrived = once(ends[1], 'message')
  node1.flush()
  await arrived
  t.same(heard, [beat(1), { type: 'table/request', epoch: 1 }])
})

test('a new link begins without the beats of the one before', async (t) => {
  const { node1, node2, heard } = await makeLink(t)
  node1.push('node2', beat(1))
  connect(node1, node2)
  node2.takeBeats()
  t.same(heard, [])
})

test('a cut lets no beat pass: not what is sent, and not what lies there', async (t) => {
  const { node1, node2, heard } = await makeLink(t)
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
})

function beat(counter: number): Message {
  return { type: 'membership/heartbeat', incarnation: 2, counter }
}

/** Two nodes and the link between them, on which each has beaten once; what either has heard since, in order. */
async function makeLink(t: Test) {
  const link = makeLinkUnused(t)
  const { node1, node2, heard, ends } = link
  const arrived = ends.map((port) => once(port, 'message'))
  node1.push('node2', beat(0))
  node2.push('node1', beat(0))
  for (const node of [node1, node2]) node.flush()
  await Promise.all(arrived)
  heard.length = 0
  return link
}

function makeLinkUnused(t: Test) {
  const heard: Message[] = []
  const hear = (_: string, messages: readonly Message[]) => heard.push(...messages)
  const node1 = new Ports(hear)
  const node2 = new Ports(hear)
  t.teardown(() => {
    node1.closeAll()
    node2.closeAll()
  })
  return { node1, node2, heard, ends: connect(node1, node2) }
}

/** Both are in their second life. */
function connect(node1: Ports, node2: Ports): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel()
  const [beats1, beats2] = createBeatEnds()
  node1.attach('node2', { port: port1, beats: beats1, incarnation: 2 })
  node2.attach('node1', { port: port2, beats: beats2, incarnation: 2 })
  return [port1, port2]
}
