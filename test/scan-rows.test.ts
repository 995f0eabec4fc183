/** Rows out of pages: in order also for those who do not wait, and no page that nobody wants. */

import { test } from 'tap'
import type { ScanPage } from '../src/protocol/coordinator/request.js'
import type { KeyRange } from '../src/protocol/messages.js'
import { ScanRows } from '../src/scan-rows.js'
import type { ScanOptions } from '../src/shared/api.js'
import { recordOf } from './contract/store-contract.js'

const EVERYTHING: KeyRange = { reverse: false }
const name = (number: number) => String(number).padStart(4, '0')

/** Keys 0000 … as pages. `asked`: how many rows each page was asked for. */
function pagesOf(count: number, asked: number[] = [], failsAt = Number.POSITIVE_INFINITY) {
  return async (range: KeyRange, rows: number): Promise<ScanPage> => {
    asked.push(rows)
    const from = range.from === undefined ? 0 : Number(range.from) + 1
    if (from >= failsAt) throw new Error('no page')
    const to = Math.min(count, from + rows)
    const keys = Array.from({ length: to - from }, (_, index) => name(from + index))
    const page = { keys, records: keys.map((key) => recordOf(key)) }
    return to < count ? { ...page, next: name(to - 1) } : page
  }
}

const sourceOf = (...pages: Parameters<typeof pagesOf>) => ({ read: pagesOf(...pages), successor: () => undefined })

const keysOf = async (rows: AsyncIterable<[Uint8Array, Uint8Array]>) => {
  const keys: string[] = []
  for await (const [key] of rows) keys.push(Buffer.from(key).toString())
  return keys
}

test('scan rows: all of them in order, and as many as were wanted', async (t) => {
  const all = Array.from({ length: 700 }, (_, number) => name(number))
  t.same(await keysOf(new ScanRows(sourceOf(700), EVERYTHING, Number.POSITIVE_INFINITY)), all)
  t.same(await keysOf(new ScanRows(sourceOf(700), EVERYTHING, 200)), all.slice(0, 200))
  t.same(await keysOf(new ScanRows(sourceOf(700), undefined, 200)), [])
  t.same(await keysOf(new ScanRows(sourceOf(0), EVERYTHING, 200)), [])
})

test('scan rows: nothing is read before a row is wanted, nor more than is wanted, and one page ahead later', async (t) => {
  const asked: number[] = []
  const rows = new ScanRows(sourceOf(10_000, asked), EVERYTHING, 210)
  t.same(asked, [])
  await rows.next()
  t.same(asked, [64])
  for (let row = 1; row < 64; row++) await rows.next()
  t.same(asked, [64], 'the first page is not read ahead of')
  await rows.next()
  t.same(asked, [64, 128, 18])
  t.equal((await keysOf(rows)).length, 210 - 65)
  t.same(asked, [64, 128, 18])
})

test('scan rows: calls that do not wait for each other', async (t) => {
  const rows = new ScanRows(sourceOf(70), EVERYTHING, Number.POSITIVE_INFINITY)
  const results = await Promise.all(Array.from({ length: 72 }, () => rows.next()))
  const keys = results.map(({ value, done }) => (done === true ? 'over' : Buffer.from(value[0]).toString()))
  t.same(keys, [...Array.from({ length: 70 }, (_, number) => name(number)), 'over', 'over'])
})

test('scan rows: a page that fails is told once, to the row that needs it; then it is over', async (t) => {
  const rows = new ScanRows(sourceOf(500, [], 64), EVERYTHING, Number.POSITIVE_INFINITY)
  for (let row = 0; row < 64; row++) t.notOk((await rows.next()).done)
  await t.rejects(rows.next(), /no page/)
  t.same(await rows.next(), { value: undefined, done: true })
})

test('scan rows: who has seen enough ends it', async (t) => {
  const asked: number[] = []
  const rows = new ScanRows(sourceOf(10_000, asked), EVERYTHING, Number.POSITIVE_INFINITY)
  for await (const [key] of rows) if (Buffer.from(key).toString() === '0003') break
  t.same(await rows.next(), { value: undefined, done: true })
  t.same(asked, [64])
})

test('scan rows: of a store that has moved, what comes after the page that is here comes from there', async (t) => {
  let hasMoved = false
  const asked: ScanOptions[] = []
  const other = {
    scan: (options: ScanOptions) => {
      asked.push(options)
      return new ScanRows(sourceOf(3), EVERYTHING, options.limit ?? Number.POSITIVE_INFINITY)
    },
  }
  const source = { read: pagesOf(500), successor: () => (hasMoved ? other : undefined) }
  for (const limit of [Number.POSITIVE_INFINITY, 66]) {
    hasMoved = false
    const rows = new ScanRows(source, EVERYTHING, limit)
    await rows.next()
    hasMoved = true
    const keys = await keysOf(rows)
    t.same(keys.slice(62), ['0063', '0000', '0001', '0002'].slice(0, limit - 63))
  }
  const from = { gt: Buffer.from('0063'), reverse: false }
  t.same(asked, [from, { ...from, limit: 2 }])
})

test('scan rows: ended while a page is awaited, it gives nothing more', async (t) => {
  let fail: (error: Error) => void = () => undefined
  const pending = () =>
    new Promise<ScanPage>((_resolve, reject) => {
      fail = reject
    })
  const rows = new ScanRows({ read: pending, successor: () => undefined }, EVERYTHING, 10)
  const next = rows.next()
  await Promise.resolve()
  const ended = rows.return()
  fail(new Error('no page'))
  t.same(await Promise.all([next, ended]), [
    { value: undefined, done: true },
    { value: undefined, done: true },
  ])
})
