/** One exchange between two replicas, driven by hand: what it does with what it cannot read or write. */

import { test } from 'tap'
import type { ExchangeCompare, ExchangeHashes } from '../../../src/protocol/exchange-messages.js'
import type { Message } from '../../../src/protocol/messages.js'
import { REPLY } from '../../../src/protocol/messages.js'
import { Exchange } from '../../../src/protocol/repair/exchange.js'
import type { ExchangeOutput } from '../../../src/protocol/repair/exchange-run.js'
import { MerkleForest } from '../../../src/protocol/repair/merkle-forest.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'
import { TransferBudget } from '../../../src/protocol/transfer-budget.js'
import type { VersionRecord } from '../../../src/protocol/versions/record.js'
import { makeStamp } from '../../../src/protocol/versions/stamp.js'

const table = newTable(
  Array.from({ length: 16 }, () => ['node1', 'node2', 'node3']),
  3,
)

const record = (time: number): VersionRecord => ({
  kind: 'lww',
  stamp: makeStamp(BigInt(time), 0, 'gateway1'),
  value: Uint8Array.of(time),
})

/** node1 drives an exchange with node2; the test answers for the store and for node2. */
class Driven {
  nowMs = 0
  up = true
  readonly outputs: ExchangeOutput[] = []
  /** What node1 holds. */
  own: Readonly<Record<string, VersionRecord>> = {}
  #token = 1
  #answered: ExchangeHashes | undefined
  readonly #take = () => this.#token++
  readonly exchange = new Exchange({
    ...{ self: 'node1', intervalMs: 0, take: this.#take, nowMs: 0 },
    budget: new TransferBudget({ transferBytesPerSecond: 1e9, transfersMax: 2 }),
    current: (key: string) => this.own[key],
    forest: new MerkleForest({ partitions: 16, take: this.#take, images: [] }),
  })

  isUp = (node: string): boolean => node !== 'node2' || this.up

  advance(): void {
    this.exchange.advance(table, this.isUp, this.nowMs)
    this.outputs.push(...this.exchange.takeOutput())
  }

  last<Type extends ExchangeOutput['type']>(type: Type): (ExchangeOutput & { type: Type }) | undefined {
    return this.outputs.findLast((output) => output.type === type) as (ExchangeOutput & { type: Type }) | undefined
  }

  /** Up to where node2 has been asked; `own` is what node1 holds. */
  ask(own: Readonly<Record<string, VersionRecord>> = {}): ExchangeCompare {
    this.advance()
    this.descend()
    this.own = own
    const page = { keys: Object.keys(own), records: Object.values(own) }
    this.exchange.onScanned(this.last('scan')?.token ?? 0, page, this.nowMs)
    this.advance()
    return this.last('send')?.message as ExchangeCompare
  }

  /** Of node2's trees no node is equal: keys are compared from here on. */
  descend(): void {
    for (let steps = 0; steps < 100; steps++) {
      const asked = this.last('send')?.message
      if (asked?.type !== 'exchange/hashes' || this.#answered === asked) return
      this.#answered = asked
      const places = asked.nodes.map((_, place) => place)
      const peer = this.last('send')?.to ?? ''
      this.exchange.onUnequal(
        peer,
        { type: 'exchange/unequal', replyTo: asked.id, status: REPLY.ok, places, blind: [] },
        this.nowMs,
      )
      this.nowMs = Math.max(this.nowMs, this.exchange.nextDeadlineMs(this.isUp))
      this.advance()
    }
  }

  answer(asked: ExchangeCompare): number {
    const message = { type: 'exchange/differ', replyTo: asked.id, status: REPLY.ok } as const
    const lacking = asked.keys.filter((key) => !['a', 'b'].includes(key))
    const theirs = { keys: ['a', 'b'], records: [record(1), record(2)], lacking }
    this.exchange.onDiffer('node2', { ...message, ...theirs }, this.nowMs)
    this.advance()
    return this.last('store')?.local ?? 0
  }

  done(): Message | undefined {
    return this.outputs
      .map((output) => (output.type === 'send' ? output.message : undefined))
      .findLast((message) => message?.type === 'exchange/done')
  }
}

test('a range that the store refused is compared again', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2'])
  driven.exchange.onStored(driven.answer(driven.ask()), REPLY.failed, driven.nowMs)
  driven.advance()
  t.equal(driven.done(), undefined, 'what was refused is not done')
  const deadlineMs = driven.exchange.nextDeadlineMs(driven.isUp)
  t.ok(deadlineMs > driven.nowMs && deadlineMs < 1_000)
  driven.nowMs = deadlineMs
  driven.exchange.onStored(driven.answer(driven.ask()), REPLY.ok, driven.nowMs)
  driven.advance()
  t.same(driven.done(), { type: 'exchange/done', peers: ['node2'] })
})

test('a damaged record, which is healed by itself, does not hold the others up', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2'])
  driven.exchange.onStored(driven.answer(driven.ask()), REPLY.unknown, driven.nowMs)
  driven.advance()
  t.same(driven.done(), { type: 'exchange/done', peers: ['node2'] })
})

test('an exchange whose peer is away names no deadline until the peer is back', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2'])
  driven.ask()
  driven.up = false
  driven.exchange.onPeerLost('node2', driven.nowMs)
  driven.advance()
  t.equal(driven.exchange.nextDeadlineMs(driven.isUp), Number.POSITIVE_INFINITY)
  driven.up = true
  driven.outputs.length = 0
  driven.advance()
  t.ok(driven.last('scan'), 'and goes on as soon as it is')
})

test('a range of which the peer refused a record is compared again', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2'])
  const local = driven.answer(driven.ask({ c: record(3), d: record(4) }))
  const pushes = driven.outputs.filter((output) => output.type === 'push')
  t.same(
    pushes.map(({ node, key }) => [node, key]),
    [
      ['node2', 'c'],
      ['node2', 'd'],
    ],
  )
  driven.exchange.onStored(local, REPLY.ok, driven.nowMs)
  driven.exchange.onPushed(local, REPLY.ok, driven.nowMs)
  driven.advance()
  t.equal(driven.done(), undefined, 'not before the peer has answered for each')
  driven.exchange.onPushed(local, REPLY.failed, driven.nowMs)
  driven.advance()
  t.equal(driven.done(), undefined, 'what was refused is not done')
  driven.nowMs = driven.exchange.nextDeadlineMs(driven.isUp)
  const again = driven.answer(driven.ask({ c: record(3) }))
  driven.exchange.onPushed(local, REPLY.failed, driven.nowMs)
  driven.exchange.onStored(again, REPLY.ok, driven.nowMs)
  driven.exchange.onPushed(again, REPLY.ok, driven.nowMs)
  driven.advance()
  t.same(driven.done(), { type: 'exchange/done', peers: ['node2'] })
})

test('the next range, and the next peer, wait several times as long as a range took', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2', 'node3'])
  const asked = driven.ask()
  const beganMs = driven.nowMs
  driven.nowMs += 10
  driven.exchange.onStored(driven.answer(asked), REPLY.ok, driven.nowMs)
  driven.outputs.length = 0
  driven.advance()
  t.same([driven.last('scan'), driven.last('send')], [undefined, undefined])
  const restEndsMs = driven.exchange.nextDeadlineMs(driven.isUp)
  t.equal(restEndsMs, beganMs + 10 + 4 * 10)
  driven.nowMs = restEndsMs
  driven.advance()
  t.equal(driven.last('send')?.to, 'node3', 'then it goes on')
})

test('a peer whose own record is damaged does not hold the rest up', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2'])
  const local = driven.answer(driven.ask({ c: record(3) }))
  driven.exchange.onStored(local, REPLY.ok, driven.nowMs)
  driven.exchange.onPushed(local, REPLY.unknown, driven.nowMs)
  driven.advance()
  t.same(driven.done(), { type: 'exchange/done', peers: ['node2'] })
})

test('a peer that refuses again and again is given up for now: the others get their turn, and it stays owed', async (t) => {
  const driven = new Driven()
  driven.exchange.onStart(['node2', 'node3'])
  let rounds = 0
  while (driven.exchange.remaining === 2 && rounds < 20) {
    const local = driven.answer(driven.ask({ c: record(3) }))
    driven.exchange.onStored(local, REPLY.ok, driven.nowMs)
    driven.exchange.onPushed(local, REPLY.failed, driven.nowMs)
    driven.nowMs = Math.max(driven.nowMs, driven.exchange.nextDeadlineMs(driven.isUp))
    rounds += 1
  }
  t.ok(rounds > 1 && rounds < 10, `${rounds} rounds`)
  driven.ask()
  const asked = driven.last('send')?.message as ExchangeCompare
  t.equal(driven.last('send')?.to, 'node3')
  const same = { type: 'exchange/differ', replyTo: asked.id, status: REPLY.ok } as const
  driven.exchange.onDiffer('node3', { ...same, keys: [], records: [], lacking: [] }, driven.nowMs)
  driven.advance()
  t.same(driven.done(), { type: 'exchange/done', peers: ['node3'] }, 'of node2 nothing is said')
})
