/** A writer that never waits is refused with a code; memory does not grow with what it offers. */

import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { openForTest, outcomeOf } from '../support/cluster.js'

const VALUE = Buffer.alloc(4_096, 'x')
const MEBIBYTE = 1_048_576

test('flood: past requestsInFlightMax a request is refused at once; what was taken is kept', async (t) => {
  const cluster = await openForTest(t, { requestsInFlightMax: 1_000 })
  const puts = Array.from({ length: 3_000 }, (_, number) => outcomeOf(cluster.put(`key ${number}`, VALUE)))
  const outcomes = await Promise.all(puts)
  t.equal(outcomes.filter((outcome) => outcome === 'ok').length, 1_000)
  t.equal(outcomes.filter((outcome) => outcome === 'OVERLOADED').length, 2_000)
  const values = await Promise.all(
    outcomes.slice(0, 1_000).map((_, number) => cluster.get(`key ${number}`).then((value) => value?.byteLength)),
  )
  t.same(new Set(values), new Set([VALUE.byteLength]), 'taken and kept')
  t.equal(await cluster.get('key 2999'), undefined, 'refused and not kept')
})

test('flood: past bytesInFlightMax a request is refused at once', async (t) => {
  const cluster = await openForTest(t, { bytesInFlightMax: 10 * MEBIBYTE })
  const value = Buffer.alloc(MEBIBYTE)
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, number) => outcomeOf(cluster.put(`key ${number}`, value))),
  )
  t.ok(outcomes.slice(0, 9).every((outcome) => outcome === 'ok'))
  t.ok(outcomes.slice(11).every((outcome) => outcome === 'OVERLOADED'))
  t.equal(await outcomeOf(cluster.put('later', value)), 'ok', 'room again once they were answered')
})

test('flood: 300 values of 1 MiB at once: what is past bytesInFlightMax is refused before it costs memory', async (t) => {
  const cluster = await openForTest(t, { bytesInFlightMax: 16 * MEBIBYTE, writeTimeoutMs: 60_000 })
  const value = Buffer.alloc(MEBIBYTE, 'x')
  const putAll = () =>
    Promise.all(Array.from({ length: 300 }, (_, number) => outcomeOf(cluster.put(`key ${number}`, value))))
  // Caches and write buffers are filled.
  for (let round = 0; round < 4; round++) await putAll()
  const before = process.memoryUsage().rss
  const outcomes = await putAll()
  const grownMb = (process.memoryUsage().rss - before) / MEBIBYTE
  const taken = outcomes.filter((outcome) => outcome === 'ok').length
  t.equal(outcomes.filter((outcome) => outcome === 'OVERLOADED').length, 300 - taken)
  t.ok(taken > 0 && taken <= 16, `${taken} were taken`)
  // Three copies of all 300 would be 900 MiB.
  t.ok(grownMb < 200, `memory grew by ${grownMb.toFixed(0)} MiB`)
})

for (const hung of [false, true]) {
  test(`flood: memory stays bounded${hung ? ' while a node stands still' : ''}`, { timeout: 60_000 }, async (t) => {
    const cluster = await openForTest(t, {
      bytesInFlightMax: 8 * MEBIBYTE,
      hungAfterMs: 60_000,
      // The flood keeps this very thread busy: what is taken may take long, and is not what is asked here.
      writeTimeoutMs: 60_000,
    })
    await cluster.put('key', VALUE)
    if (hung) await cluster.faults.pause('node1', 20_000)
    const counts = new Map<string, number>()
    await offer(cluster, 5, counts)
    const before = process.memoryUsage().rss
    const most = await offer(cluster, 20, counts)
    const text = JSON.stringify([...counts])
    t.same(
      [...counts.keys()].filter((code) => !['ok', 'OVERLOADED'].includes(code)),
      [],
      text,
    )
    t.ok((counts.get('OVERLOADED') ?? 0) > (counts.get('ok') ?? 0), text)
    const grownMb = (most - before) / MEBIBYTE
    t.ok(grownMb < 200, `320 MB were offered, memory grew by ${grownMb.toFixed(0)} MB`)
    // What node1 has missed is kept for it a while longer, and counts until it has become hints.
    t.equal(await acceptedWithin(cluster, 10_000), 'ok')
  })
}

/** Puts until it is not refused any more. */
async function acceptedWithin(cluster: Cluster, ms: number): Promise<string> {
  const endMs = performance.now() + ms
  for (;;) {
    const outcome = await outcomeOf(cluster.put('key', 'after the flood'))
    if (outcome !== 'OVERLOADED' || performance.now() >= endMs) return outcome
    await turn()
  }
}

/** Offers 4,000 puts of 4 KiB in each round without waiting for any; gives the most memory that was in use meanwhile. */
async function offer(cluster: Cluster, rounds: number, counts: Map<string, number>): Promise<number> {
  const counted: Promise<void>[] = []
  let most = 0
  for (let round = 0; round < rounds; round++) {
    for (let number = 0; number < 4_000; number++) {
      const outcome = outcomeOf(cluster.put(`key ${number % 500}`, VALUE))
      counted.push(outcome.then((code) => count(counts, code)))
    }
    await turn()
    most = Math.max(most, process.memoryUsage().rss)
  }
  await Promise.all(counted)
  return most
}

function count(counts: Map<string, number>, outcome: string): void {
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
}
