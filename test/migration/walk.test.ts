/** A walk over all records: what is read ahead, and that nothing is under way while it rests. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import type { Client } from '../../src/client.js'
import type { Pace } from '../../src/migration/pace.js'
import { walk } from '../../src/migration/walk.js'

test('walk: it reads a page ahead, and rests with nothing under way', async (t) => {
  const log: string[] = []
  const client = {
    records: async ({ from = '' }: { from?: string }) => {
      const next = from === '' ? 'a' : from === 'a' ? 'b' : undefined
      log.push(`read after ${from}`)
      for (let turn = 0; turn < 5; turn++) await nextTurn()
      log.push(`read ${next ?? 'the rest'}`)
      return { keys: [], records: [], next }
    },
  } as unknown as Client
  const pace = {
    begin: () => log.push('begin'),
    onPage: () => ({ restMs: 1, settlingMs: 0 }),
    onSettled: () => log.push('settled'),
    onRested: () => log.push('rested'),
  } as unknown as Pace
  const options = { client, after: undefined, r: 2, pace, recordsPerSecond: Number.POSITIVE_INFINITY }
  for await (const { upTo } of walk({ ...options, check: () => undefined })) log.push(`page to ${upTo ?? 'the end'}`)
  t.same(log, [
    'begin',
    'read after ',
    'read a',
    'read after a',
    'page to a',
    'read b',
    'settled',
    'rested',
    'read after b',
    'page to b',
    'read the rest',
    'settled',
    'rested',
    'page to the end',
    'settled',
    'rested',
  ])
})
