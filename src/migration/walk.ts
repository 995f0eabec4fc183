/**
 * All live records of the cluster, page by page, in the order of their keys and so over all partitions at once. A node's records lie in
 * that order: partition by partition, each store would be read from end to end a hundred times.
 *
 * Called by the backfill and the verification.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../client.js'
import { isLogKey } from '../protocol/batch-log/log-keys.js'
import type { Key } from '../protocol/ids.js'
import { CoterieError } from '../shared/errors.js'
import type { Pace } from './pace.js'
import { type KeyHere, stamped } from './side-by-side.js'

const PAGE_ROWS_MAX = 512
const PAGE_MS = 10_000
/** Who is to be slow is so evenly, and can be stopped in between. */
const PAGES_PER_SECOND_MIN = 8
const LOOK_MS = 100
const AGAIN_MS = 200
/** What fails for longer than this at a stretch fails the walk: nothing is lost by going on later. */
const GIVE_UP_MS = 60_000

export interface WalkPage {
  /** It holds what lies above this key … */
  readonly after: Key | undefined
  /** … up to this one, included. Undefined: it is the last. */
  readonly upTo: Key | undefined
  readonly here: readonly (KeyHere & { readonly record: NonNullable<KeyHere['record']> })[]
}

export interface Walk {
  readonly client: Client
  readonly after: Key | undefined
  /** Owners that are asked. */
  readonly r: number
  /** How much it rests in favour of those who call. */
  readonly pace: Pace
  /** Records a second at most, whatever the pace allows. */
  readonly recordsPerSecond: number
  /** Throws once the walk is to end. */
  readonly check: () => void
}

export async function* walk(options: Walk): AsyncGenerator<WalkPage> {
  const startedMs = performance.now()
  options.pace.begin(startedMs)
  let records = 0
  let reading: Promise<WalkPage> | undefined = readPage(options, options.after)
  while (reading !== undefined) {
    const page: WalkPage = await reading
    // One page ahead.
    reading = page.upTo === undefined ? undefined : readPage(options, page.upTo)
    reading?.catch(() => undefined)
    yield page
    records += page.here.length
    await rest(options, reading)
    await until(startedMs + (records / options.recordsPerSecond) * 1_000, options.check)
  }
}

/** With nothing under way, or calls would not be seen without it. `reading`: the next page. */
async function rest({ pace, check }: Walk, reading: Promise<WalkPage> | undefined): Promise<void> {
  const due = pace.onPage(performance.now())
  if (due === undefined) return
  await reading?.catch(() => undefined)
  const sinceMs = performance.now()
  await until(sinceMs + due.settlingMs, check)
  pace.onSettled()
  await until(sinceMs + due.restMs, check)
  pace.onRested(performance.now())
}

async function until(endMs: number, check: () => void): Promise<void> {
  for (let leftMs = endMs - performance.now(); leftMs > 0; leftMs = endMs - performance.now()) {
    check()
    await delay(Math.min(leftMs, LOOK_MS))
  }
}

function readPage({ client, r, recordsPerSecond, check }: Walk, after: Key | undefined): Promise<WalkPage> {
  const limit = Math.max(1, Math.min(PAGE_ROWS_MAX, Math.ceil(recordsPerSecond / PAGES_PER_SECOND_MIN)))
  const range = { ...(after === undefined ? {} : { from: after, fromExclusive: true }), reverse: false }
  return persist(check, async () => {
    const page = await client.records(range, { limit, r, timeoutMs: PAGE_MS })
    const here = page.keys.flatMap((key, index) => {
      const record = stamped(page.records[index])
      return record === undefined || isLogKey(key) ? [] : [{ key, record }]
    })
    return { after, upTo: page.next, here }
  })
}

/** Again and again: nodes come back, and so do masters. Errors: those of `check`; of the deed, once it has failed for so long. */
export async function persist<T>(check: () => void, deed: () => Promise<T>, giveUpMs = GIVE_UP_MS): Promise<T> {
  const endMs = performance.now() + giveUpMs
  for (;;) {
    check()
    try {
      return await deed()
    } catch (error) {
      if (!(error instanceof CoterieError) || performance.now() > endMs) throw error
      // The target is let go when the migration is stopped; that is what there is to tell then.
      if (error.code === 'CLOSED') {
        check()
        throw error
      }
    }
    await delay(AGAIN_MS)
  }
}
