/** A task of Piscina: one thread of callers, which connects to the cluster once and then drives it for as long as it is told. */

import { connect, type KeyValueStore } from '../../src/index.js'
import { coterieSubject, type Quorum } from '../subjects/coterie.js'
import { readAll } from '../subjects/read-all.js'
import { makeData } from '../subjects/subject.js'
import { type CallName, callWorkload } from '../workloads.js'
import type { CallerTask } from './caller-threads.js'

let connected: Promise<KeyValueStore> | undefined
/** Made once, so that each round goes on where the last one ended. */
const measurements = new Map<string, (until: number) => Promise<number>>()

/** Operations done. */
export async function drive({ ticket, call, quorum, records, durationMs }: CallerTask): Promise<number> {
  connected ??= connect(ticket)
  const measure = await measurementOf(await connected, call, quorum, records)
  return measure(performance.now() + durationMs)
}

async function measurementOf(store: KeyValueStore, call: CallName, quorum: Quorum, records: number) {
  const name = `${call}|${quorum.name}`
  const known = measurements.get(name)
  if (known !== undefined) return known
  const data = makeData(records, 100)
  const subject = coterieSubject(store, data, quorum)
  // In a round that does not count.
  await readAll(subject, data)
  const made = callWorkload(call).measurement(subject, data)
  measurements.set(name, made)
  return made
}
