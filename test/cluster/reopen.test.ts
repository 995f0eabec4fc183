/** What was acknowledged is there after the cluster was closed, and after the whole process was killed. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { openCluster } from '../../src/index.js'
import {
  copiesOf,
  folderForTest,
  loadRecords,
  nodeIds,
  openForTest,
  outcomeOf,
  textOf,
  wrongRecords,
} from '../support/cluster.js'
import type { KillReport } from '../support/kill.child.js'

for (const durability of ['process', 'disk'] as const) {
  test(`reopen: after a clean close everything is there, durability '${durability}'`, async (t) => {
    const location = await folderForTest(t)
    const first = await openCluster({ location, durability })
    const records = await loadRecords(first, 1_000)
    await first.put('gone', 'value')
    await first.delete('gone')
    await first.settled()
    const { epoch } = first.status()
    const nodes = nodeIds(first)
    await first.close()

    const cluster = await openForTest(t, { location, durability })
    t.same(await wrongRecords(cluster, records, { r: 3 }), [])
    t.equal(await cluster.get('gone'), undefined, 'a deleted key stays deleted')
    t.ok(cluster.status().epoch >= epoch, 'epochs only grow')
    t.same(nodeIds(cluster), nodes)
    t.same(
      cluster.status().nodes.flatMap((node) => node.quarantined),
      [],
      'nothing was wrong with the files',
    )
    t.equal(copiesOf(cluster), 3_000)
  })

  test(`reopen: after a SIGKILL no acknowledged write is lost, durability '${durability}'`, async (t) => {
    const location = await folderForTest(t)
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < 3; round++) {
      const started = Math.max(0, ...acknowledged.values())
      await killAfter({ location, durability, started, acknowledgements: 1_500, acknowledged })
    }
    const cluster = await openForTest(t, { location, durability })
    t.equal(await countLost(acknowledged, (key) => cluster.get(key)), 0, `${acknowledged.size} keys were acknowledged`)
    await cluster.settled()
    t.equal(await countLost(acknowledged, (key) => cluster.get(key, { r: 3 })), 0, 'from all owners too')
    t.same(
      cluster.status().nodes.flatMap((node) => node.quarantined),
      [],
      'a killed process leaves no damaged store',
    )
  })
}

test('reopen: while another process has the location open it is locked; when that is killed it is free', async (t) => {
  const location = await folderForTest(t)
  const child = startChild({ location, durability: 'process', started: 0 })
  await once(child, 'message')
  t.equal(await outcomeOf(openCluster({ location })), 'LOCATION_LOCKED')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const cluster = await openForTest(t, { location })
  t.equal(await outcomeOf(cluster.put('key', 'value')), 'ok')
})

test('reopen: a cluster outlives ten openings, each with a write', async (t) => {
  const location = await folderForTest(t)
  for (let round = 0; round < 10; round++) {
    const cluster = await openCluster({ location, nodes: 3 })
    for (let earlier = 0; earlier < round; earlier++) {
      const value = textOf(await cluster.get(`round ${earlier}`))
      if (value !== String(earlier)) t.fail(`round ${earlier} is ${value} in round ${round}`)
    }
    await cluster.put(`round ${round}`, String(round))
    await cluster.close()
  }
})

test('create: before a first write can be acknowledged, the disk knows that nothing here may be thrown away', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location })
  const metadata = readFileSync(join(location, 'cluster', 'metadata.json'), 'utf8')
  t.match(metadata, /"stage":"ready"/, 'a cluster that is still creating is made anew by the next opening')
  await cluster.close()
})

interface ChildOptions {
  readonly location: string
  readonly durability: 'process' | 'disk'
  readonly started: number
}

function startChild({ location, durability, started }: ChildOptions) {
  return fork(new URL('../support/kill.child.js', import.meta.url), [location, durability, String(started)])
}

/** Kills the child after so many acknowledgements, and notes for each key the newest number that was acknowledged. */
async function killAfter(
  options: ChildOptions & { acknowledgements: number; acknowledged: Map<string, number> },
): Promise<void> {
  const { acknowledgements, acknowledged } = options
  const child = startChild(options)
  let count = 0
  child.on('message', ({ key, number }: KillReport) => {
    acknowledged.set(key, Math.max(number, acknowledged.get(key) ?? 0))
    count += 1
    if (count === acknowledgements) child.kill('SIGKILL')
  })
  await once(child, 'exit')
}

/** Keys that hold an older number than was acknowledged; a newer one was sent and its acknowledgement not heard. */
async function countLost(
  acknowledged: ReadonlyMap<string, number>,
  get: (key: string) => Promise<Uint8Array | undefined>,
): Promise<number> {
  const numbers = await Promise.all([...acknowledged.keys()].map(async (key) => Number(textOf(await get(key)) ?? -1)))
  const wanted = [...acknowledged.values()]
  return numbers.filter((number, index) => number < (wanted[index] ?? 0)).length
}
