import { test } from 'tap'
import { Cities } from '../../src/cli/demo/cities.js'
import { Ledger } from '../../src/cli/demo/ledger.js'

/** A ledger in which record 0 was written so many times, all acknowledged. */
async function ledgerAfter(writes: number) {
  const ledger = new Ledger(await Cities.load())
  for (let write = 0; write < writes; write++) ledger.acknowledge(0, ledger.send(0).version)
  return ledger
}

test('demo: the data set has more than 100,000 records, each with its own key', async (t) => {
  const cities = await Cities.load()
  const keys = new Set(Array.from({ length: cities.count }, (_, index) => cities.key(index)))
  t.ok(cities.count > 100_000)
  t.equal(keys.size, cities.count)
})

test('demo: the last acknowledged value is right, an older one is stale, anything else is wrong', async (t) => {
  const ledger = await ledgerAfter(3)
  t.equal(ledger.judgeFinal(0, ledger.expected(0, 3)), 'right')
  t.equal(ledger.judgeFinal(0, ledger.expected(0, 2)), 'stale')
  t.equal(ledger.judgeFinal(0, undefined), 'wrong', 'a lost record')
  t.equal(ledger.judgeFinal(0, ledger.expected(0, 4)), 'wrong', 'a value that was never sent')
  t.equal(ledger.judgeFinal(0, ledger.expected(1, 3)), 'wrong', "another record's value")
  t.equal(ledger.judgeFinal(0, `${ledger.expected(0, 3)} `), 'wrong', 'a changed byte')
})

test('demo: a read that overlaps a write may see both sides of it', async (t) => {
  const ledger = await ledgerAfter(3)
  ledger.send(0)
  t.equal(ledger.judge(0, ledger.expected(0, 3), 3), 'right')
  t.equal(ledger.judge(0, ledger.expected(0, 4), 3), 'right')
  t.equal(ledger.judge(0, ledger.expected(0, 2), 3), 'stale')
})

test('demo: the seventh write is a delete, and a deleted record that is back is caught', async (t) => {
  const ledger = await ledgerAfter(7)
  t.equal(ledger.expected(0, 7), undefined)
  t.equal(ledger.judgeFinal(0, undefined), 'right')
  t.equal(ledger.judgeFinal(0, ledger.expected(0, 6)), 'stale')
  t.equal(ledger.live, (await Cities.load()).count - 1)
  t.equal(ledger.writesAcknowledged, 7)
})
