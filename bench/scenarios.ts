/** What is measured beside what: groups of measurements whose first is classic-level, and the ratios that are asked for. */

import { type Measurement, makeChance, runCalls } from './harness.js'
import type { Data, Subject } from './subjects/subject.js'

const IN_FLIGHT = 64
/** Calls with many keys in flight: enough to keep every node busy, few enough to be somebody's program. */
const IN_FLIGHT_MANY = 4
const KEYS_PER_CALL = 100
const PAIRS_PER_SCAN = 1_000

/** Measurements that are compared: the first is what the others are divided by. */
export interface Group {
  readonly name: string
  readonly measurements: ReadonlyMap<string, Measurement>
  /** Least ratio by the name of the measurement. */
  readonly targets: Readonly<Record<string, number>>
}

/** classic-level and the ways to call one cluster. */
export interface Subjects {
  readonly level: Subject
  readonly r1: Subject
  readonly r2: Subject
}

/** All groups for a cluster of that coordination. Only the default one has targets. */
export function groupsOf({ level, r1, r2 }: Subjects, data: Data, coordination: 'client' | 'server'): Group[] {
  const chance = makeChance(42)
  const key = () => data.keys[Math.floor(chance() * data.keys.length)] ?? ''
  const keys = () => Array.from({ length: KEYS_PER_CALL }, key)
  const drive = (inFlight: number, call: (subject: Subject) => Promise<number>) => (subject: Subject) =>
    ((until) => runCalls(until, inFlight, () => call(subject))) satisfies Measurement
  const get = drive(IN_FLIGHT, (subject) => subject.get(key()))
  const put = drive(IN_FLIGHT, (subject) => subject.put(key(), data.value))
  const getMany = drive(IN_FLIGHT_MANY, (subject) => subject.getMany(keys()))
  const batch = drive(IN_FLIGHT_MANY, (subject) => subject.batch(keys(), data.value))
  const scan = drive(1, (subject) => subject.scan(key(), PAIRS_PER_SCAN))
  const isDefault = coordination === 'client'
  const where = isDefault ? '' : ", coordination 'server'"
  const reads = (call: (subject: Subject) => Measurement) =>
    new Map([level, r1, r2].map((subject) => [subject.name, call(subject)] as const))
  const writes = (call: (subject: Subject) => Measurement) =>
    new Map([
      [level.name, call(level)],
      ['Coterie w=2, 3 copies', call(r2)],
    ])
  return [
    {
      name: `get, ${IN_FLIGHT} in flight${where}`,
      measurements: reads(get),
      targets: isDefault ? { [r1.name]: 0.7, [r2.name]: 0.4 } : {},
    },
    {
      name: `put, ${IN_FLIGHT} in flight${where}`,
      measurements: writes(put),
      targets: isDefault ? { 'Coterie w=2, 3 copies': 0.25 } : {},
    },
    {
      name: `getMany(${KEYS_PER_CALL}), ${IN_FLIGHT_MANY} in flight${where}`,
      measurements: reads(getMany),
      targets: {},
    },
    { name: `batch(${KEYS_PER_CALL}), ${IN_FLIGHT_MANY} in flight${where}`, measurements: writes(batch), targets: {} },
    { name: `scan of ${PAIRS_PER_SCAN} pairs${where}`, measurements: reads(scan), targets: {} },
  ]
}
