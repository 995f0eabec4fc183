/**
 * A process whose wall clock jumps (libfaketime reads it from a file that this process writes): after each jump it writes and
 * reads every key, and has a node crash, which so opens its store under another time.
 */

import { writeFileSync } from 'node:fs'
import { openCluster } from '../../../src/index.js'
import { outcomeOf, textOf, wrongRecords } from '../cluster.js'

export interface ClockTask {
  readonly location: string
  readonly nodes: number
  readonly keys: number
  /** Where libfaketime looks; undefined: the clock is left alone, and what is there is only read. */
  readonly clockFile?: string
  /** Seconds from the real time, one jump after the other. */
  readonly jumps: readonly number[]
}

export interface ClockReport {
  /** By how much the wall clock moved against the monotonic one at each jump, in seconds. */
  readonly moved: readonly number[]
  readonly problems: readonly string[]
}

const task = JSON.parse(process.argv[2] ?? '') as ClockTask
const records = new Map<string, string>()
process.send?.(await run())
process.disconnect()

async function run(): Promise<ClockReport> {
  const { location, nodes, keys, jumps, clockFile } = task
  const cluster = await openCluster({ location, nodes, faults: true, restartsMax: 1_000 })
  const problems: string[] = []
  const moved: number[] = []
  cluster.on('node:hung', ({ node }) => problems.push(`${node} was called hung`))
  const lastOf = (key: number) => `value ${key} after jump ${jumps.length - 1}`
  if (clockFile === undefined) for (let key = 0; key < keys; key++) records.set(`key ${key}`, lastOf(key))
  else {
    for (const [jump, seconds] of jumps.entries()) {
      const before = Date.now() - performance.now()
      writeFileSync(clockFile, `${seconds < 0 ? '' : '+'}${seconds}s`)
      moved.push(Math.round((Date.now() - performance.now() - before) / 1_000))
      const outcomes = await Promise.all(Array.from({ length: keys }, (_, key) => writeAndRead(key, jump)))
      problems.push(...outcomes.flat())
      await cluster.faults.crash(`node${1 + (jump % nodes)}`)
      await cluster.settled({ timeoutMs: 30_000 })
    }
  }
  const wrong = await wrongRecords(cluster, records, { r: 3 })
  if (wrong.length > 0) problems.push(`${wrong.length} records are wrong at the end`)
  await cluster.close()
  return { moved, problems }

  async function writeAndRead(key: number, jump: number): Promise<string[]> {
    const name = `key ${key}`
    const value = `value ${key} after jump ${jump}`
    const written = await outcomeOf(cluster.put(name, value))
    if (written !== 'ok') return [`${name} after jump ${jump}: ${written}`]
    records.set(name, value)
    const read = textOf(await cluster.get(name))
    return read === value ? [] : [`${name} after jump ${jump} is ${read}`]
  }
}
