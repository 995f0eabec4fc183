/** From options to a cluster that can be started: what is drawn, and what is remembered of earlier openings. */

import { test } from 'tap'
import { type Prepared, prepare } from '../../src/opening/prepare.js'
import { supervisionConfigOf } from '../../src/opening/wiring.js'
import { type ClusterOptions, validateOptions } from '../../src/shared/options.js'
import { folderForTest } from '../support/cluster.js'

async function preparedOf(options: ClusterOptions): Promise<Prepared> {
  const prepared = await prepare(validateOptions(options))
  await prepared.folder.writeMetadata({ ...prepared.metadata, stage: 'ready' })
  await prepared.lock.release()
  return prepared
}

test('seed 0 is drawn at opening; any other is taken as it is', async (t) => {
  const location = await folderForTest(t)
  const seeds = new Set<number>()
  for (let opening = 0; opening < 3; opening++) seeds.add((await preparedOf({ location })).config.seed)
  t.notOk(seeds.has(0))
  t.equal(seeds.size, 3, [...seeds].join(', '))
  t.equal((await preparedOf({ location, seed: 7 })).config.seed, 7)
})

test('a larger w than before does not make fills read fewer stores than the writes of before need', async (t) => {
  const location = await folderForTest(t)
  const wFillOf = async (w: number) => supervisionConfigOf(await preparedOf({ location, replication: { w } })).wFill
  t.equal(await wFillOf(2), 2)
  t.equal(await wFillOf(3), 2, 'acknowledged by two of three: any two stores meet it')
  t.equal(await wFillOf(1), 1)
  t.equal(await wFillOf(3), 1, 'the smallest is remembered')
})
