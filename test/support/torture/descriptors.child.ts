/**
 * A process that has few descriptors left: opens a cluster and reads everything, or says with which error it could not.
 * With `exhausts` it then uses up what it has, has a node crash meanwhile, goes on writing, and gives them back.
 */

import { closeSync, openSync } from 'node:fs'
import { type Cluster, CoterieError, openCluster } from '../../../src/index.js'
import { eventOf, outcomeOf, textOf, wrongRecords } from '../cluster.js'

export interface DescriptorsTask {
  readonly location: string
  readonly records: number
  /** So many descriptors can be opened by the cluster; absent: all of the process's. */
  readonly left?: number
  readonly exhausts: boolean
}

export interface DescriptorsReport {
  readonly outcome: 'open' | 'refused'
  /** Of the refusal: the error's code, and the codes and messages of what caused it. */
  readonly code?: string
  readonly message?: string
  readonly problems: readonly string[]
}

const task = JSON.parse(process.argv[2] ?? '') as DescriptorsTask
const records = new Map(Array.from({ length: task.records }, (_, index) => [`key ${index}`, `value ${index}`]))
process.send?.(await run())
process.disconnect()

async function run(): Promise<DescriptorsReport> {
  const held = task.left === undefined ? [] : takeAll()
  for (const fd of held.splice(0, task.left)) closeSync(fd)
  try {
    return await openAndCheck()
  } finally {
    for (const fd of held) closeSync(fd)
  }
}

/** Every descriptor that the process may still open. */
function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EMFILE')) throw error
  }
  return taken
}

async function openAndCheck(): Promise<DescriptorsReport> {
  let cluster: Cluster
  try {
    cluster = await openCluster({ location: task.location, faults: true, openTimeoutMs: 20_000 })
  } catch (error) {
    const code = error instanceof CoterieError ? error.code : 'no CoterieError'
    return { outcome: 'refused', code, message: chainOf(error), problems: [] }
  }
  const problems: string[] = []
  try {
    await check(cluster, problems)
    if (task.exhausts) await exhaust(cluster, problems)
  } catch (error) {
    problems.push(chainOf(error))
  } finally {
    await cluster.close()
  }
  return { outcome: 'open', problems }
}

async function check(cluster: Cluster, problems: string[]): Promise<void> {
  if (cluster.status().nodes.every((node) => node.keys === 0)) {
    await cluster.batch(
      [...records].map(([key, value]) => ({ type: 'put', key, value })),
      { timeoutMs: 20_000 },
    )
  }
  const wrong = await wrongRecords(cluster, records, { timeoutMs: 10_000 })
  if (wrong.length > 0) problems.push(`${wrong.length} records are wrong`)
}

/** With no descriptor left, what is open goes on working; a node that crashes comes back when there are some again. */
async function exhaust(cluster: Cluster, problems: string[]): Promise<void> {
  // So that what is to be loaded in such a moment is loaded: an import needs a descriptor too.
  await cluster.faults.crash('node2')
  await cluster.settled({ timeoutMs: 20_000 })
  const taken = takeAll()
  const exited = eventOf(cluster, 'node:exit')
  await cluster.faults.crash('node1')
  await exited
  const writes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => outcomeOf(cluster.put(`late ${index}`, 'late', { timeoutMs: 10_000 }))),
  )
  for (const fd of taken) closeSync(fd)
  const failed = writes.filter((outcome) => outcome !== 'ok')
  if (failed.length > 0) problems.push(`${failed.length} writes failed without descriptors: ${failed[0]}`)
  await cluster.settled({ timeoutMs: 30_000 })
  if (textOf(await cluster.get('late 1', { r: 3 })) !== 'late') problems.push('a late write is missing')
}

function chainOf(error: unknown): string {
  const texts: string[] = []
  for (let one = error; one instanceof Error && texts.length < 5; one = one.cause) {
    texts.push(`${'code' in one ? `${one.code}: ` : ''}${one.message}`)
  }
  return texts.join(' <- ')
}
