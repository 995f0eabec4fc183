/** What the fault layer does to the messages of a link: by itself, without a cluster, on the real clock. */

import { test } from 'tap'
import type { FaultRules, LinkFault } from '../../../actors/runtime/fault-rules.js'
import { type Direction, LinkFaults, type MessageFate } from '../../../actors/runtime/link-faults.js'
import type { Message } from '../../../src/protocol/messages.js'

/** One node's faults, and what has come out of its links, in order. */
class Watched {
  readonly counts: Partial<Record<MessageFate, number>> = {}
  readonly arrived: number[] = []
  readonly faults: LinkFaults
  #changed = (): void => undefined

  constructor(self: string, links: FaultRules['links'], seed = 1) {
    this.faults = new LinkFaults({
      self,
      seed,
      count: (fate) => {
        this.counts[fate] = (this.counts[fate] ?? 0) + 1
        this.#changed()
      },
    })
    this.apply(links)
  }

  apply(links: FaultRules['links']): void {
    this.faults.apply({ links, slow: {}, skew: {}, deaths: [], gateways: ['gateway1'] })
  }

  send(direction: Direction, peer: string, numbers: readonly number[]): void {
    this.#take(this.faults.pass(direction, peer, numbers.map(messageOf), (held) => this.#take(held)))
  }

  /** Resolves once so many have arrived and been dropped. */
  ended(wanted: number): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (this.arrived.length + (this.counts.dropped ?? 0) >= wanted) resolve()
      }
      this.#changed()
    })
  }

  #take(messages: readonly Message[]): void {
    for (const message of messages) this.arrived.push(numberOf(message))
    this.#changed()
  }
}

function messageOf(number: number): Message {
  return { type: 'table/request', epoch: number }
}

function numberOf(message: Message): number {
  return message.type === 'table/request' ? message.epoch : Number.NaN
}

function rule(fault: LinkFault, from = ['node1'], to = ['node2']): FaultRules['links'][number] {
  return { from, to, fault }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

test('links: without a rule everything passes at once; a rule is for its own link and direction only', (t) => {
  const node = new Watched('node1', [rule({ type: 'cut' })])
  node.send('out', 'node3', [1, 2])
  node.send('in', 'node2', [3])
  t.same(node.arrived, [1, 2, 3])
  node.send('out', 'node2', [4, 5])
  t.same(node.arrived, [1, 2, 3])
  t.same(node.counts, { dropped: 2 })
  node.apply([])
  node.send('out', 'node2', [6])
  t.same(node.arrived, [1, 2, 3, 6])
  t.end()
})

test('links: a message between nodes is treated once, by its sender; a cut holds at both ends', (t) => {
  const drop = rule({ type: 'drop', share: 1 })
  const receiver = new Watched('node2', [drop])
  receiver.send('in', 'node1', [1])
  t.same(receiver.arrived, [1], 'the sender has had its chance with it')
  receiver.apply([rule({ type: 'cut' })])
  receiver.send('in', 'node1', [2])
  t.same(receiver.arrived, [1], 'what was on its way when the link was cut')
  receiver.apply([rule({ type: 'drop', share: 1 }, ['gateway1'], ['node2'])])
  receiver.send('in', 'gateway1', [3])
  t.same(receiver.arrived, [1], 'a gateway enforces nothing')
  t.end()
})

test('links: the share decides how many are dropped, the seed which', (t) => {
  const dropped = (share: number, seed: number) => {
    const node = new Watched('node1', [rule({ type: 'drop', share })], seed)
    for (const number of range(2_000)) node.send('out', 'node2', [number])
    t.equal(node.arrived.length + (node.counts.dropped ?? 0), 2_000)
    return node.arrived
  }
  t.equal(dropped(0, 1).length, 2_000)
  t.equal(dropped(1, 1).length, 0)
  const some = dropped(0.3, 7)
  t.ok(some.length > 1_250 && some.length < 1_550, `${some.length} of 2,000 are left`)
  t.same(dropped(0.3, 7), some, 'the same seed, the same ones')
  t.not(dropped(0.3, 8).join(), some.join(), 'another seed, others')
  t.end()
})

test('links: a message that is duplicated arrives twice', (t) => {
  const node = new Watched('node1', [rule({ type: 'duplicate', share: 1 })])
  node.send('out', 'node2', [1, 2])
  t.same(node.arrived, [1, 1, 2, 2])
  t.same(node.counts, { duplicated: 2 })
  t.end()
})

test('links: a delay keeps the order, whatever its jitter draws', async (t) => {
  const node = new Watched('node1', [rule({ type: 'delay', ms: 0, jitterMs: 20 })])
  for (const number of range(300)) node.send('out', 'node2', [number])
  t.ok(node.arrived.length < 300, 'not all at once')
  await node.ended(300)
  t.same(node.arrived, range(300))
  t.ok((node.counts.delayed ?? 0) > 250)
})

test('links: reorder holds some back and the rest overtakes them; none is lost', async (t) => {
  const node = new Watched('node1', [rule({ type: 'reorder', share: 0.2, ms: 30 })])
  node.send('out', 'node2', range(200))
  const held = node.counts.reordered ?? 0
  t.ok(held > 20 && held < 60, `${held} of 200 are held back`)
  t.equal(node.arrived.length, 200 - held)
  await node.ended(200)
  t.not(node.arrived.join(), range(200).join())
  t.same(
    [...node.arrived].sort((a, b) => a - b),
    range(200),
  )
})

test('links: rules compose: what is not dropped is doubled, and both copies are late', async (t) => {
  const faults: LinkFault[] = [
    { type: 'drop', share: 0.5 },
    { type: 'duplicate', share: 1 },
    { type: 'delay', ms: 10, jitterMs: 0 },
  ]
  const node = new Watched(
    'node1',
    faults.map((fault) => rule(fault)),
  )
  node.send('out', 'node2', range(100))
  t.same(node.arrived, [])
  const kept = 100 - (node.counts.dropped ?? 0)
  await node.ended(100 + kept)
  t.same(node.counts, { dropped: 100 - kept, duplicated: kept, delayed: 2 * kept })
})

test('links: healing sends what is held back on its way at once, in order; a cut loses it', async (t) => {
  const delay = rule({ type: 'delay', ms: 600_000, jitterMs: 0 })
  const healed = new Watched('node1', [delay])
  healed.send('out', 'node2', [1, 2, 3])
  t.same(healed.arrived, [])
  healed.apply([])
  t.same(healed.arrived, [1, 2, 3])

  const late = new Watched('node1', [rule({ type: 'delay', ms: 1, jitterMs: 0 })])
  late.send('out', 'node2', [1])
  late.apply([rule({ type: 'delay', ms: 1, jitterMs: 0 }), rule({ type: 'cut' })])
  await late.ended(1)
  t.same(late.arrived, [])
  t.same(late.counts, { delayed: 1, dropped: 1 })
})

test('links: a second rule does not let later messages overtake those that the first has delayed', async (t) => {
  const node = new Watched('node1', [rule({ type: 'delay', ms: 40, jitterMs: 0 })])
  node.send('out', 'node2', [1, 2])
  node.apply([rule({ type: 'delay', ms: 0, jitterMs: 1 })])
  node.send('out', 'node2', [3])
  await node.ended(3)
  t.same(node.arrived, [1, 2, 3])
})

test('links: what a node holds back is bounded; past it messages are lost and counted', (t) => {
  const node = new Watched('node1', [rule({ type: 'delay', ms: 600_000, jitterMs: 0 })])
  for (const number of range(17_000)) node.send('out', 'node2', [number])
  t.equal(node.counts.dropped, 17_000 - 16_384)
  node.apply([])
  t.equal(node.arrived.length, 16_384)
  t.end()
})
