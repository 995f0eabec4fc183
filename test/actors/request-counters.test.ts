import fc from 'fast-check'
import { test } from 'tap'
import { REQUEST_KINDS, RequestCounters } from '../../actors/runtime/request-counters.js'

test('counters: a latency is in the bucket that ends at or just above it', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (us) => {
      const counters = new RequestCounters()
      counters.record(REQUEST_KINDS.get, us, undefined)
      const [[upToUs, requests] = [-1, 0], ...others] = counters.latencies(REQUEST_KINDS.get)
      return requests === 1 && others.length === 0 && upToUs >= us && upToUs - us <= us / 16
    }),
  )
  const exact = new RequestCounters()
  for (let us = 0; us < 32; us++) exact.record(REQUEST_KINDS.scan, us, undefined)
  t.same(
    exact.latencies(REQUEST_KINDS.scan),
    Array.from({ length: 32 }, (_, us) => [us, 1]),
  )
})

test('counters: kinds do not mix, failures are counted too, another’s can be added', async (t) => {
  const [one, other] = [new RequestCounters(), new RequestCounters()]
  one.record(REQUEST_KINDS.put, 10, undefined)
  other.record(REQUEST_KINDS.put, 10, 'TIMEOUT')
  other.record(REQUEST_KINDS.delete, 1_000, 'OUTCOME_UNKNOWN')
  one.add(other)
  t.same(one.latencies(REQUEST_KINDS.put), [[10, 2]])
  t.same([one.failed(REQUEST_KINDS.put, 'TIMEOUT'), one.failed(REQUEST_KINDS.put, 'OUTCOME_UNKNOWN')], [1, 0])
  t.same([one.failed(REQUEST_KINDS.delete, 'OUTCOME_UNKNOWN'), one.failed(REQUEST_KINDS.get, 'TIMEOUT')], [1, 0])
  t.same([one.totalUs(REQUEST_KINDS.put), one.totalUs(REQUEST_KINDS.get)], [20, 0])
  t.same([one.ended(REQUEST_KINDS.put), one.ended(REQUEST_KINDS.delete), one.ended(REQUEST_KINDS.get)], [2, 1, 0])
  t.same(one.latencies(REQUEST_KINDS.get), [])
  t.same(new RequestCounters(one.shared).latencies(REQUEST_KINDS.put), [[10, 2]], 'as another thread sees them')
})
