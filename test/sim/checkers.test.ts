/** Checkers of what clients saw, each told a short story that is right and the same story with one thing wrong. */

import { test } from 'tap'
import type { OperationOutcome } from '../../src/protocol/coordinator/request.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { type Call, isCovered, rangeAfter, WHOLE_PAGE } from '../../src/sim/call.js'
import type { Checker, Report } from '../../src/sim/checkers/checker.js'
import { Linearizability, LostWrites } from '../../src/sim/checkers/histories.js'
import { ReadValues } from '../../src/sim/checkers/reads.js'
import { Scans } from '../../src/sim/checkers/scans.js'
import { SiblingValues } from '../../src/sim/checkers/siblings.js'
import type { Observer } from '../../src/sim/observer.js'
import type { SimWorld } from '../../src/sim/world.js'

const ENCODER = new TextEncoder()
const WRITTEN: OperationOutcome = { type: 'written' }
const UNKNOWN: OperationOutcome = { type: 'failed', failure: { code: 'OUTCOME_UNKNOWN' } }
const REFUSED: OperationOutcome = { type: 'failed', failure: { code: 'STORE_FAILED' } }
const CONTEXT = { actor: 1 }

function siblingsOf(...texts: string[]): VersionRecord {
  const siblings = texts.map((text) => ({ stamp: '0', value: ENCODER.encode(text) }))
  return { kind: 'siblings', set: [{ actor: 'actor', counter: texts.length, siblings }] }
}

function lwwOf(text: string): VersionRecord {
  return { kind: 'lww', stamp: '0', value: ENCODER.encode(text) }
}

function pageOf(rows: Readonly<Record<string, string>>, next?: string): OperationOutcome {
  const page = { keys: Object.keys(rows), records: Object.values(rows).map(lwwOf) }
  return { type: 'page', page: next === undefined ? page : { ...page, next } }
}

/** Calls in the order in which they are told, each a millisecond after what came before. */
class Story {
  readonly broken: string[] = []
  #nowMs = 0
  readonly #checker: Checker & Observer
  #calls = 0

  constructor(make: (report: Report, now: () => number) => Checker) {
    this.#checker = make(
      ({ detail }) => this.broken.push(detail),
      () => this.#nowMs,
    )
  }

  begin(call: Partial<Call>): (outcome: OperationOutcome) => this {
    this.#nowMs += 1
    const whole: Call = {
      number: ++this.#calls,
      gateway: 'gateway1',
      kind: 'get',
      keys: [],
      texts: [],
      page: WHOLE_PAGE,
      quorum: 2,
      sloppy: false,
      logged: false,
      context: undefined,
      seen: [],
      calledAtMs: this.#nowMs,
      deadlineMs: this.#nowMs + 1_000,
      ...call,
    }
    this.#checker.onCall?.(whole)
    return (outcome) => {
      this.#nowMs += 1
      this.#checker.onEnd?.(whole, outcome)
      return this
    }
  }

  put(text: string | null, outcome: OperationOutcome, call: Partial<Call> = {}): this {
    return this.begin({ kind: 'put', keys: ['k'], texts: [text], ...call })(outcome)
  }

  get(record: VersionRecord | undefined, call: Partial<Call> = {}): this {
    return this.begin({ keys: ['k'], ...call })({ type: 'value', record })
  }

  scan(outcome: OperationOutcome, call: Partial<Call> = {}): this {
    return this.begin({ kind: 'scan', ...call })(outcome)
  }

  settled(): this {
    this.#checker.onSettled?.({} as SimWorld, false)
    return this
  }

  end(): readonly string[] {
    this.#checker.atEnd?.({} as SimWorld)
    return this.broken
  }
}

test('what a page of a scan says something about', async (t) => {
  const range = { from: 'b', fromExclusive: true, to: 'd', reverse: false }
  t.same(
    ['a', 'b', 'c', 'd', 'e'].filter((key) => isCovered(key, range, undefined)),
    ['c', 'd'],
  )
  t.same(
    ['b', 'c', 'd'].filter((key) => isCovered(key, range, 'c')),
    ['c'],
  )
  t.same(
    ['b', 'c', 'd'].filter((key) => isCovered(key, { ...range, reverse: true }, 'c')),
    ['c', 'd'],
  )
  t.same(rangeAfter({ ...range, reverse: true }, 'c'), { ...range, to: 'c', toExclusive: true, reverse: true })
})

test('scans: order, range, limit and where the next page begins', async (t) => {
  const story = () => new Story((report) => new Scans(report))
  const page = { ...WHOLE_PAGE, range: { from: 'b', to: 'd', reverse: false }, limit: 3 }
  t.same(
    story()
      .scan(pageOf({ b: '1', c: '2' }, 'c'), { page })
      .end(),
    [],
  )
  t.match(
    story()
      .scan(pageOf({ c: '2', b: '1' }), { page })
      .end(),
    [/b comes after c/],
  )
  t.match(
    story()
      .scan(pageOf({ b: '1', e: '2' }), { page })
      .end(),
    [/e is none of the range/],
  )
  t.match(
    story()
      .scan(pageOf({ b: '1', c: '2', d: '3' }, 'c'), { page })
      .end(),
    [/d comes, and comes again/],
  )
  t.match(
    story()
      .scan(pageOf({ b: '1' }, 'e'), { page })
      .end(),
    [/the next page would begin after e/],
  )
  t.match(
    story()
      .scan(pageOf({ b: '1', c: '2' }), { page: { ...page, limit: 1 } })
      .end(),
    [/a page of 2 keys/],
  )
  const reverse = { ...page, range: { ...page.range, reverse: true } }
  t.same(
    story()
      .scan(pageOf({ d: '1', b: '2' }), { page: reverse })
      .end(),
    [],
  )
  t.match(
    story()
      .scan(pageOf({ b: '1', d: '2' }), { page: reverse })
      .end(),
    [/d comes after b/],
  )
})

test('linearizability: a strict scan reads its range, what it does not give is absent, and r = 1 says nothing', async (t) => {
  const story = () => new Story((report) => new Linearizability(report, 2, () => true)).put('1', WRITTEN)
  t.same(
    story()
      .scan(pageOf({ k: '1' }))
      .end(),
    [],
  )
  t.match(story().scan(pageOf({})).end(), [/key k: 0 of 2 operations/])
  t.same(story().scan(pageOf({}), { quorum: 1 }).end(), [])
  t.same(story().get(undefined, { quorum: 1 }).end(), [])
  t.same(
    story()
      .scan(pageOf({ a: '0' }, 'a'))
      .end().length,
    1,
    'a is read, and was never written',
  )
  t.same(story().scan(pageOf({}, 'a')).end(), [], 'k comes after the end of the page')
  t.same(story().put(null, WRITTEN).scan(pageOf({})).end(), [])
})

test('linearizability: the same write again is another write', async (t) => {
  const story = () => new Story((report) => new Linearizability(report, 2, () => true))
  t.same(story().put('1', UNKNOWN).put('1', WRITTEN).put('2', WRITTEN).get(lwwOf('2')).get(lwwOf('1')).end(), [])
  t.match(story().put('1', REFUSED).put('1', WRITTEN).put('2', WRITTEN).get(lwwOf('1')).end(), [
    /key k: 1 of 3 operations/,
  ])
})

test('read values: of that key, of a write that had begun, and that is not refused', async (t) => {
  const story = () => new Story((report) => new ReadValues(report))
  const one = { quorum: 1 }
  t.same(
    story().put('1', WRITTEN).put('2', WRITTEN).get(lwwOf('1'), one).get(undefined, one).end(),
    [],
    'old is allowed',
  )
  t.match(
    story()
      .put('1', WRITTEN)
      .get(lwwOf('1'), { ...one, keys: ['other'] })
      .end(),
    [/1 of other, which nobody/],
  )
  t.match(story().get(lwwOf('1'), one).put('1', WRITTEN).end(), [/which nobody had written/])
  t.match(
    story()
      .put('1', REFUSED)
      .scan(pageOf({ k: '1' }), one)
      .end(),
    [/a scan with r=1.*refused for certain/],
  )
  const between = story()
  const endPut = between.begin({ kind: 'put', keys: ['k'], texts: ['1'] })
  between.get(lwwOf('1'), one)
  t.same(between.broken, [])
  endPut(REFUSED)
  t.match(between.end(), [/k was read as 1, whose write \(call 1\) was then refused/])
  t.same(story().put('1', REFUSED).put('1', UNKNOWN).get(lwwOf('1'), one).end(), [], 'the second try may have done it')
  t.match(story().put('1', REFUSED).get(lwwOf('1')).put('1', WRITTEN).end(), [/refused for certain/])
})

test('read values: of a key that a batch names twice the earlier value is never there', async (t) => {
  const story = new Story((report) => new ReadValues(report))
  story.put(null, WRITTEN, { keys: ['k', 'k'], texts: ['1', '2'] }).get(lwwOf('2'))
  t.same(story.broken, [])
  t.match(story.get(lwwOf('1')).end(), [/1 of k, which nobody had written/])
})

test('lost writes: on one clock the last call wins, whatever became of those before', async (t) => {
  const story = (sharedClock: boolean) =>
    new Story((report, now) => new LostWrites(report, { sharedClock, quorums: { n: 3, r: 2, w: 2 } }, now))
      .put('1', UNKNOWN)
      .put('2', WRITTEN)
      .settled()
  t.same(story(true).get(lwwOf('2')).end(), [])
  t.match(story(true).get(lwwOf('1')).end(), [/k holds 1, though 2, written at 3 was acknowledged after/])
  t.same(story(false).get(lwwOf('1')).end(), [], 'without one, a write of unknown outcome may come late')
  t.match(story(false).get(undefined).end(), [/k holds nothing/])
  t.match(story(true).scan(pageOf({})).end(), [/k holds nothing/])
})

test('siblings: concurrent ones stay, a context takes away what was read with it', async (t) => {
  const story = () => new Story((report, now) => new SiblingValues(report, 2, now)).put('1', WRITTEN).put('2', WRITTEN)
  const replaced = () => story().put('3', WRITTEN, { context: CONTEXT, seen: ['1'] })
  t.same(story().get(siblingsOf('1', '2')).end(), [])
  t.match(story().get(siblingsOf('1')).end(), [/lacks 2/])
  t.match(story().get(undefined).end(), [/lacks 1/, /lacks 2/])
  t.same(story().get(undefined, { quorum: 1 }).end(), [])
  t.match(
    story()
      .get(siblingsOf('1', '1', '2'))
      .end(),
    [/shows 1 2 times, it was written 1 times/],
  )
  t.same(replaced().get(siblingsOf('2', '3')).end(), [])
  t.match(
    replaced()
      .get(siblingsOf('1', '2', '3'))
      .end(),
    [/shows 1, which 3 \(call 3\) has replaced/],
  )
  t.match(replaced().get(siblingsOf('3')).end(), [/lacks 2/])
  const unknown = () => story().put('3', UNKNOWN, { context: CONTEXT, seen: ['1'] })
  t.same(unknown().get(siblingsOf('1', '2')).get(siblingsOf('2', '3')).end(), [])
  t.match(
    story()
      .put('3', REFUSED, { context: CONTEXT, seen: ['1'] })
      .get(siblingsOf('2'))
      .end(),
    [/lacks 1/],
  )
})

test('siblings: a delete with a context takes away that and nothing else, one without it what its coordinator saw', async (t) => {
  const story = () => new Story((report, now) => new SiblingValues(report, 2, now)).put('1', WRITTEN).put('2', WRITTEN)
  const deleted = () => story().put(null, WRITTEN, { context: CONTEXT, seen: ['1'] })
  t.same(deleted().get(siblingsOf('2')).end(), [])
  t.match(deleted().get(siblingsOf('1', '2')).end(), [/shows 1, which a delete \(call 3\) has replaced/])
  t.match(deleted().get(undefined).end(), [/lacks 2/])
  const blind = () => story().put(null, WRITTEN)
  t.same(blind().get(undefined).get(siblingsOf('1')).get(siblingsOf('1', '2')).end(), [])
  t.match(blind().put('3', WRITTEN).get(undefined).end(), [/lacks 3/])
})

test('siblings: the same write tried again may be there twice, and is counted', async (t) => {
  const story = () => new Story((report, now) => new SiblingValues(report, 2, now)).put('1', UNKNOWN).put('1', WRITTEN)
  t.same(story().get(siblingsOf('1')).get(siblingsOf('1', '1')).end(), [])
  t.match(story().get(undefined).end(), [/lacks 1/])
  t.match(
    story()
      .get(siblingsOf('1', '1', '1'))
      .end(),
    [/shows 1 3 times/],
  )
  const replaced = () => story().put('2', WRITTEN, { context: CONTEXT, seen: ['1'] })
  t.same(replaced().get(siblingsOf('2')).get(siblingsOf('1', '2')).end(), [])
  t.match(
    replaced()
      .get(siblingsOf('1', '1', '2'))
      .end(),
    [/shows 1, which 2 \(call 3\) has replaced/],
  )
})
