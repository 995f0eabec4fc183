import { test } from 'tap'
import { type LoaderOptions, type LoadProgress, loadRecords } from '../../src/cli/load/batch-loader.js'
import type { BadLine, SourceItem } from '../../src/cli/load/source-record.js'
import type { BatchOperation } from '../../src/shared/api.js'
import { CoterieError } from '../../src/shared/errors.js'

interface Run {
  readonly items: readonly SourceItem[]
  readonly options?: Partial<LoaderOptions>
  /** What the store answers to its so-manieth batch, from 1. */
  readonly answer?: (batch: number) => Promise<void>
}

/** Loads into a list of batches. */
async function load({ items, options, answer = async () => undefined }: Run) {
  const batches: (readonly BatchOperation[])[] = []
  const bad: BadLine[] = []
  const progress: LoadProgress = { records: 0, badLines: 0, retries: 0, bytes: 0 }
  const store = {
    batch: (operations: readonly BatchOperation[]) => {
      batches.push([...operations])
      return answer(batches.length)
    },
  }
  const end = loadRecords(
    store,
    each(items),
    { ...DEFAULTS, onBadLine: (line) => bad.push(line), ...options },
    progress,
  )
  return { end, batches, bad, progress }
}

const DEFAULTS: LoaderOptions = {
  batchSize: 2,
  concurrency: 1,
  badLinesMax: 0,
  valueBytesMax: 10,
  w: undefined,
  onBadLine: () => undefined,
  signal: new AbortController().signal,
}

async function* each(items: readonly SourceItem[]) {
  yield* items
}

function records(count: number): SourceItem[] {
  return Array.from({ length: count }, (_, at) => ({ line: at + 1, key: `k${at}`, value: 'v' }))
}

test('load: full batches, then the rest', async (t) => {
  const { end, batches, progress } = await load({ items: records(5) })
  t.equal(await end, 'done')
  t.strictSame(
    batches.map((batch) => batch.length),
    [2, 2, 1],
  )
  t.match(progress, { records: 5, badLines: 0, retries: 0 })
})

test('load: never more batches in flight than asked for', async (t) => {
  let running = 0
  let runningMax = 0
  const answer = async () => {
    running += 1
    runningMax = Math.max(runningMax, running)
    await new Promise(setImmediate)
    running -= 1
  }
  const { end } = await load({ items: records(40), options: { concurrency: 3 }, answer })
  t.equal(await end, 'done')
  t.equal(runningMax, 3)
  t.equal(running, 0, 'and none is left behind')
})

test('load: the first bad line ends it, and the records before it are in', async (t) => {
  const items = [...records(1), { line: 2, problem: 'is odd' }, ...records(3)]
  const { end, bad, progress } = await load({ items })
  t.equal(await end, 'too many bad lines')
  t.strictSame(bad, [{ line: 2, problem: 'is odd' }])
  t.equal(progress.records, 1)
})

test('load: bad lines within the limit are skipped and counted', async (t) => {
  const items: SourceItem[] = [
    { line: 1, problem: 'is odd' },
    { line: 2, key: '', value: 'v' },
    { line: 3, key: 'k', value: '12345678901' },
    { line: 4, key: 'x'.repeat(65_536), value: '' },
    { line: 5, key: 'k', value: '1234567890' },
  ]
  const { end, bad, progress } = await load({ items, options: { badLinesMax: 4 } })
  t.equal(await end, 'done')
  t.match(bad, [
    { problem: 'is odd' },
    { line: 2, problem: 'has an empty key' },
    { line: 3, problem: /a value of 11 bytes/ },
    { line: 4, problem: /a key of 65536 bytes/ },
  ])
  t.match(progress, { records: 1, badLines: 4 })
})

test('load: a definite failure is sent again, the same batch', async (t) => {
  const answer = async (batch: number) => {
    if (batch === 1) throw new CoterieError('OVERLOADED')
  }
  const { end, batches, progress } = await load({ items: records(2), answer })
  t.equal(await end, 'done')
  t.strictSame(batches[0], batches[1])
  t.match(progress, { records: 2, retries: 1 })
})

test('load: an unknown outcome is never sent again', async (t) => {
  const answer = async () => {
    throw new CoterieError('OUTCOME_UNKNOWN')
  }
  const { end, batches } = await load({ items: records(2), answer })
  await t.rejects(end, { code: 'OUTCOME_UNKNOWN' })
  t.equal(batches.length, 1)
})

test('load: an interruption puts what was read and stops', async (t) => {
  const stop = new AbortController()
  const answer = async () => stop.abort()
  const { end, progress } = await load({ items: records(100), options: { signal: stop.signal }, answer })
  t.equal(await end, 'interrupted')
  t.equal(progress.records, 2)
})
