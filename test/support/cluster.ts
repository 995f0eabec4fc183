/** What the cluster tests have in common: opening, waiting for events instead of sleeping, records to load and verify. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval as ticks } from 'node:timers/promises'
import {
  type Cluster,
  type ClusterEvents,
  type ClusterOptions,
  CoterieError,
  type GetOptions,
  type KeyValueStore,
  type NodeStatus,
  openCluster,
  type RestoreOptions,
  restoreCluster,
} from '../../src/index.js'

/** The part of a tap test that the helpers use. */
export interface TestContext {
  teardown(callback: () => Promise<void>): void
  comment(...lines: string[]): void
  equal(found: unknown, wanted: unknown, ...message: [] | [string]): boolean
  ok(value: unknown, ...message: [] | [string]): boolean
  same(found: unknown, wanted: unknown, ...message: [] | [string]): boolean
}

/** Records to load: key and value. */
export type Records = ReadonlyMap<string, string>

/**
 * A folder of the test's own, removed when the test ends. Not `t.testdir()`: tap removes that before it runs the
 * teardowns, so a cluster that is closed in one would find its folder gone. Teardowns run last first: ask for the folder
 * before the cluster in it is opened.
 */
export async function folderForTest(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coterie-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/**
 * A cluster in the test's own folder (or `location`), closed when the test ends. What faults have cut off or stopped is let go first:
 * closing would wait for it.
 */
export async function openForTest(t: TestContext, options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await openCluster({
    location: options.location ?? (await folderForTest(t)),
    faults: true,
    ...options,
  })
  t.teardown(async () => {
    // `CLOSED` where the test has closed it, `FAULTS_DISABLED` where it may have none.
    await outcomeOf(Promise.resolve().then(() => cluster.faults.heal()))
    await cluster.close()
  })
  return cluster
}

/** A cluster made of a backup, in a folder of the test's own (or `location`), closed when the test ends. */
export async function restoreForTest(
  t: TestContext,
  dir: string,
  options: Partial<RestoreOptions> = {},
): Promise<Cluster> {
  const restored = await restoreCluster(dir, { location: options.location ?? (await folderForTest(t)), ...options })
  t.teardown(() => restored.close())
  return restored
}

/** The next event of that name that is accepted. Ask for it before the deed that causes it. */
export function eventOf<Name extends keyof ClusterEvents>(
  cluster: Cluster,
  name: Name,
  accept: (...args: ClusterEvents[Name]) => boolean = () => true,
): Promise<ClusterEvents[Name]> {
  return new Promise((resolve) => {
    const listener = (...args: ClusterEvents[Name]): void => {
      if (!accept(...args)) return
      cluster.off(name, listener)
      resolve(args)
    }
    cluster.on(name, listener)
  })
}

/** `'ok'`, a CoterieError's code, or the name and message of any other error. Never rejects. */
export async function outcomeOf(request: Promise<unknown>): Promise<string> {
  try {
    await request
    return 'ok'
  } catch (error) {
    return error instanceof CoterieError ? error.code : String(error)
  }
}

/** Resolves once the condition holds; for what no event tells. Errors: throws if it does not within the time. */
export async function until(condition: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs
  for await (const _ of ticks(5)) {
    if (condition()) return
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${condition}`)
  }
}

/** How often each outcome happened. */
export async function countOutcomes(requests: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const outcome of await Promise.all(requests.map(outcomeOf))) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** A node of `status()`. */
export function nodeOf(cluster: Cluster, id: string): NodeStatus {
  const node = cluster.status().nodes.find((one) => one.id === id)
  if (node === undefined) throw new Error(`no node ${id}`)
  return node
}

/** Ids of all nodes, in the order of `status()`. */
export function nodeIds(cluster: Cluster): string[] {
  return cluster.status().nodes.map((node) => node.id)
}

/** Live keys of all stores together: n times the live keys, once every copy is where it belongs. */
export function copiesOf(cluster: Cluster): number {
  return cluster.status().nodes.reduce((sum, node) => sum + node.keys, 0)
}

/** Writes `count` records in batches. */
export async function loadRecords(store: KeyValueStore, count: number, label = 'record'): Promise<Records> {
  const records = new Map<string, string>()
  for (let number = 0; number < count; number++) {
    records.set(`${label}:${String(number).padStart(6, '0')}`, `${label} ${number} `.padEnd(100, '.'))
  }
  const operations = [...records].map(([key, value]) => ({ type: 'put', key, value }) as const)
  for (let from = 0; from < count; from += 500) await store.batch(operations.slice(from, from + 500))
  return records
}

/** Keys whose value is not the record's. */
export async function wrongRecords(store: KeyValueStore, records: Records, options?: GetOptions): Promise<string[]> {
  const keys = [...records.keys()]
  const wrong: string[] = []
  for (let from = 0; from < keys.length; from += 500) {
    const some = keys.slice(from, from + 500)
    const values = await store.getMany(some, options)
    for (const [index, key] of some.entries()) if (textOf(values[index]) !== records.get(key)) wrong.push(key)
  }
  return wrong
}

/** A value as text. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString('utf8')
}

/** All items of an iterator. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const result: Item[] = []
  for await (const item of items) result.push(item)
  return result
}

/** Callers that write and read their own keys until they are stopped. */
export async function callDuring(
  cluster: Cluster,
  deed: () => Promise<unknown>,
): Promise<{ calls: number; failed: string[] }> {
  let isOver = false
  let calls = 0
  const failed: string[] = []
  const caller = async (name: number): Promise<void> => {
    for (let number = 0; !isOver; number++) {
      const key = `caller ${name}:${number % 50}`
      const outcome = await outcomeOf(number % 3 === 0 ? cluster.delete(key) : cluster.put(key, `${number}`))
      const read = await outcomeOf(cluster.get(key))
      calls += 2
      if (outcome !== 'ok' || read !== 'ok') failed.push(`${key}: ${outcome}, ${read}`)
    }
  }
  const callers = Array.from({ length: 4 }, (_, name) => caller(name))
  try {
    await deed()
  } finally {
    isOver = true
    await Promise.all(callers)
  }
  return { calls, failed }
}
