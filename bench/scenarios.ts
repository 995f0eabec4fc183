/** What is measured beside what: groups of measurements whose first is classic-level, and the ratios that are asked for. */

import { type Measurement, makeChance, runCalls } from './harness.js'
import type { Data, Subject } from './subjects/subject.js'

const IN_FLIGHT = 64
/** Calls with many keys in flight: enough to keep every node busy, few enough to be somebody's program. */
const IN_FLIGHT_MANY = 4
const KEYS_PER_CALL = 100
/** Short ones, and as long as it takes to see their pace. */
const PAIRS_PER_SCAN = [50, 1_000, 100_000]

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

/** A cluster to be measured. */
export interface Setup {
  /** Behind the name of each group. */
  readonly suffix: string
  readonly nodes: number
  readonly coordination: 'client' | 'server'
  readonly hasTargets: boolean
  /** Calls of one key only, or all kinds. */
  readonly calls: 'single' | 'all'
}

/** Three copies each: on five nodes, as `openCluster` makes by itself, and on as few as hold them, each of which has everything. */
export const SETUPS: readonly Setup[] = [
  { suffix: '', nodes: 5, coordination: 'client', hasTargets: true, calls: 'all' },
  { suffix: ', three nodes', nodes: 3, coordination: 'client', hasTargets: true, calls: 'single' },
  { suffix: ", coordination 'server'", nodes: 5, coordination: 'server', hasTargets: false, calls: 'all' },
]

/** The groups of a setup. */
export function groupsOf({ level, r1, r2 }: Subjects, data: Data, { suffix, hasTargets, calls }: Setup): Group[] {
  const chance = makeChance(42)
  const key = () => data.keys[Math.floor(chance() * data.keys.length)] ?? ''
  const keys = () => Array.from({ length: KEYS_PER_CALL }, key)
  const drive = (inFlight: number, call: (subject: Subject) => Promise<number>) => (subject: Subject) =>
    ((until) => runCalls(until, inFlight, () => call(subject))) satisfies Measurement
  const get = drive(IN_FLIGHT, (subject) => subject.get(key()))
  const put = drive(IN_FLIGHT, (subject) => subject.put(key(), data.value))
  const getMany = drive(IN_FLIGHT_MANY, (subject) => subject.getMany(keys()))
  const batch = drive(IN_FLIGHT_MANY, (subject) => subject.batch(keys(), data.value))
  const batchLogged = drive(IN_FLIGHT_MANY, (subject) => subject.batch(keys(), data.value, true))
  /** From anywhere; where that many do not follow, from the first. */
  const scan = (pairs: number) =>
    drive(1, (subject) => subject.scan(pairs * 2 > data.keys.length ? (data.keys[0] ?? '') : key(), pairs))
  const reads = (call: (subject: Subject) => Measurement) =>
    new Map([level, r1, r2].map((subject) => [subject.name, call(subject)] as const))
  const writes = (call: (subject: Subject) => Measurement) =>
    new Map([
      [level.name, call(level)],
      ['Coterie w=2, 3 copies', call(r2)],
    ])
  const single: Group[] = [
    {
      name: `get, ${IN_FLIGHT} in flight${suffix}`,
      measurements: reads(get),
      targets: hasTargets ? { [r1.name]: 0.7, [r2.name]: 0.4 } : {},
    },
    {
      name: `put, ${IN_FLIGHT} in flight${suffix}`,
      measurements: writes(put),
      targets: hasTargets ? { 'Coterie w=2, 3 copies': 0.25 } : {},
    },
  ]
  if (calls === 'single') return single
  return [
    ...single,
    {
      name: `getMany(${KEYS_PER_CALL}), ${IN_FLIGHT_MANY} in flight${suffix}`,
      measurements: reads(getMany),
      targets: {},
    },
    { name: `batch(${KEYS_PER_CALL}), ${IN_FLIGHT_MANY} in flight${suffix}`, measurements: writes(batch), targets: {} },
    {
      name: `logged batch(${KEYS_PER_CALL}), ${IN_FLIGHT_MANY} in flight${suffix}`,
      measurements: writes(batchLogged),
      targets: {},
    },
    ...PAIRS_PER_SCAN.map((pairs) => ({
      name: `scan of ${pairs} pairs${suffix}`,
      measurements: reads(scan(pairs)),
      targets: {},
    })),
  ]
}
