/** Writes to both sides of a migration: what waits is bounded, and what is owed is told of whom. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import type { Entrance } from '../../src/client-parts.js'
import { Mirror, type MirrorOptions } from '../../src/migration/mirror.js'
import { OwedKeys } from '../../src/migration/owed-keys.js'
import type { SideBySide } from '../../src/migration/side-by-side.js'
import type { OperationOutcome } from '../../src/protocol/coordinator/request.js'
import type { ClientRequest } from '../../src/protocol/gateway-contract.js'
import { CoterieError } from '../../src/shared/errors.js'
import { until } from '../support/cluster.js'

const WRITTEN: OperationOutcome = { type: 'written' }
const UNKNOWN: OperationOutcome = { type: 'failed', failure: { code: 'OUTCOME_UNKNOWN' } }

test('mirror: what waits for the target counts toward bytesInFlightMax, wherever it waits', async (t) => {
  const { mirror, settled, target, put } = mirrored({ bytesInFlightMax: 250 })
  mirror.submit([put(1), put(2)])
  mirror.onStamped(1, 'stamp')
  mirror.onReply(1, WRITTEN, 0)
  target.isPlaced = false
  mirror.submit([put(3)])
  mirror.submit([put(4)])
  t.same([...settled], [[4, 'OVERLOADED']], 'one is at the target, one in the cluster, one waits for a master')
  target.end()
  mirror.onReply(2, UNKNOWN, 0)
  await until(() => settled.has(1))
  mirror.submit([put(5)])
  t.equal(settled.get(5), undefined, 'what is through is not counted')
  mirror.submit([put(6)])
  t.equal(settled.get(6), 'OVERLOADED', 'what is owed is')
  mirror.stop()
  mirror.submit([put(7)])
  t.equal(settled.get(7), undefined, 'no migration, no bound of it')
  mirror.close()
})

test('mirror: a write whose outcome here is unknown is a doubt, and another pass follows', async (t) => {
  const { mirror, told, put } = mirrored({})
  mirror.submit([put(1), put(2)])
  mirror.onReply(1, UNKNOWN, 0)
  mirror.onReply(2, { type: 'failed', failure: { code: 'QUORUM_UNAVAILABLE' } }, 0)
  t.same(told.doubts, [1], 'a definite failure is none')
  mirror.close()
})

test('owed keys: while this side cannot be read, the target is not found wanting', async (t) => {
  const told: number[] = []
  const owed = new OwedKeys((keys) => told.push(keys))
  const fails = { here: true, there: true }
  const refuse = async (isRefused: boolean) => {
    await nextTurn()
    if (isRefused) throw new CoterieError('TIMEOUT')
  }
  owed.start({
    readHere: async (keys: readonly string[]) => {
      await refuse(fails.here)
      return keys.map((key) => ({ key, record: undefined }))
    },
    equalize: () => refuse(fails.there),
  } as unknown as SideBySide)
  owed.add(['a', 'b'])
  t.equal(told.at(-1), 2)
  await until(() => told.at(-1) === 0)
  t.equal(owed.size, 2, 'they are owed all the same')
  fails.here = false
  await until(() => told.at(-1) === 2)
  fails.there = false
  await until(() => owed.size === 0)
  t.equal(owed.bytes, 0)
})

/** A mirror of a gateway that answers when the test does. Each put is 100 bytes. */
function mirrored(limits: { readonly bytesInFlightMax?: number }) {
  const settled = new Map<number, string>()
  const told = { doubts: [] as number[] }
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  const target = { isPlaced: true, end: () => end() }
  const gateway = { submit: () => undefined } as unknown as Entrance
  const options: MirrorOptions = {
    gateway,
    settle: (id, outcome) => void settled.set(id, outcome.type === 'failed' ? outcome.failure.code : outcome.type),
    requestsInFlightMax: 100,
    bytesInFlightMax: limits.bytesInFlightMax ?? 1e6,
    onOwed: () => undefined,
    onDoubts: (doubts) => told.doubts.push(doubts),
  }
  const mirror = new Mirror(options)
  mirror.start({
    target: { isPlaced: () => target.isPlaced, lookAgain: () => nextTurn(), write: () => ended },
    readHere: () => new Promise(() => undefined),
  } as unknown as SideBySide)
  const put = (id: number): ClientRequest => ({
    kind: 'put',
    id,
    keys: ['key'],
    values: [new Uint8Array(97)],
    w: 2,
    sloppy: false,
    deadlineMs: Number.MAX_SAFE_INTEGER,
  })
  return { mirror, settled, told, target, put }
}
