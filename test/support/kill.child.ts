/**
 * A process that writes until it is killed. Sixteen callers, each with keys of its own and numbers that only grow; every
 * acknowledged put is reported to the parent. Arguments: location, durability, the number to start above.
 */

import { openCluster } from '../../src/index.js'

/** One acknowledged put. */
export interface KillReport {
  readonly key: string
  readonly number: number
}

const KEYS_PER_CALLER = 50

const [location = '', durability = 'process', started = '0'] = process.argv.slice(2)
if (durability !== 'process' && durability !== 'disk') throw new Error(`no durability ${durability}`)
const cluster = await openCluster({ location, durability })
// An orphan must not go on writing: if the parent ends without the kill, so does this.
process.once('disconnect', () => process.exit(1))
await Promise.all(Array.from({ length: 16 }, (_, caller) => write(caller)))

async function write(caller: number): Promise<never> {
  for (let number = Number(started) + 1; ; number++) {
    const key = `kill:${caller}:${number % KEYS_PER_CALLER}`
    await cluster.put(key, String(number))
    process.send?.({ key, number } satisfies KillReport)
  }
}
