/** The calls that are measured, as data: what one call is, how many are in flight, and who can be asked. */

import { type Measurement, makeChance, runCalls } from './harness.js'
import type { Data, Subject } from './subjects/subject.js'
import { type Chooser, type Distribution, makeChooser } from './ycsb/distributions.js'
import { kindOf, MIXES, type Mix, SCAN_LENGTH_MAX } from './ycsb/mixes.js'

export interface Workload {
  readonly name: string
  readonly title: string
  /** `write`: of subjects that differ in r alone, one is enough. */
  readonly kind: 'read' | 'write' | 'mixed'
  readonly needsScans?: boolean
  readonly needsAtomicBatches?: boolean
  /** Rounds are lengthened to this, where a call takes long. */
  readonly roundMsMin?: number
  /** Rounds are shortened to this, where many of them are to be made. */
  readonly roundMsMax?: number
  measurement(subject: Subject, data: Data): Measurement
}

/** What no goal is stated about is measured in half the time. */
export const SHORT_ROUNDS = { roundMsMax: 200 }

const IN_FLIGHT = 64
/** Calls with many keys in flight. */
const IN_FLIGHT_MANY = 8
const KEYS_PER_CALL = 100
/** A scan that is under way when the time is up is gone through to its end: it must not be most of the round. */
const SCAN_ROUND_MS = 1_000
/** The same choices for every subject. */
const SEED = 42

/** One kind of call. */
interface CallPlan {
  readonly title: string
  readonly kind: Workload['kind']
  readonly needsScans?: boolean
  readonly needsAtomicBatches?: boolean
  readonly roundMsMin?: number
  readonly roundMsMax?: number
  readonly inFlight: number
  /** What is called again and again. */
  once(input: CallInput): Promise<number>
}

interface CallInput {
  readonly subject: Subject
  readonly data: Data
  key(): string
  /** Another one each time. */
  value(): Uint8Array
}

const manyKeys = ({ key }: CallInput) => Array.from({ length: KEYS_PER_CALL }, key)
const get = ({ subject, key }: CallInput) => subject.get(key())
const put = ({ subject, key, value }: CallInput) => subject.put(key(), value())
const getMany = (input: CallInput) => input.subject.getMany(manyKeys(input))
const batch = (input: CallInput) => input.subject.batch(manyKeys(input), input.value())
const loggedBatch = (input: CallInput) => input.subject.batch(manyKeys(input), input.value(), true)
/** Where that many do not follow on every key, from the first. */
const scan =
  (pairs: number) =>
  ({ subject, data, key }: CallInput) =>
    subject.scan(pairs * 2 > data.records ? data.keyOf(0) : key(), pairs)

const CALLS = {
  'get-64': { title: 'get, 64 in flight', kind: 'read', inFlight: IN_FLIGHT, once: get },
  'get-many': { title: 'getMany(100) ×8', kind: 'read', inFlight: IN_FLIGHT_MANY, once: getMany },
  // After the others: what one caller reads one after the other would take long to fill a cache.
  'get-serial': { title: 'get, serial', kind: 'read', inFlight: 1, once: get },
  'put-serial': { title: 'put, serial', kind: 'write', inFlight: 1, once: put, ...SHORT_ROUNDS },
  'put-64': { title: 'put, 64 in flight', kind: 'write', inFlight: IN_FLIGHT, once: put },
  batch: { title: 'batch(100) ×8', kind: 'write', inFlight: IN_FLIGHT_MANY, once: batch },
  'batch-logged': {
    ...{ title: 'logged batch(100) ×8', kind: 'write', inFlight: IN_FLIGHT_MANY, once: loggedBatch },
    ...{ needsAtomicBatches: true, ...SHORT_ROUNDS },
  },
  'scan-50': { title: 'scans of 50', kind: 'read', needsScans: true, inFlight: 1, once: scan(50) },
  'scan-100000': {
    ...{ title: 'scan of 100,000', kind: 'read', needsScans: true, inFlight: 1, once: scan(100_000) },
    roundMsMin: SCAN_ROUND_MS,
  },
} as const satisfies Record<string, CallPlan>

export type CallName = keyof typeof CALLS
export const CALL_NAMES = Object.keys(CALLS) as readonly CallName[]

/** A call, zipfian as the goals are stated or by another distribution. */
export function callWorkload(name: CallName, distribution: Distribution = 'zipfian'): Workload {
  const { inFlight, once, title, ...plan }: CallPlan = CALLS[name]
  const isOther = distribution !== 'zipfian'
  return {
    ...plan,
    name: isOther ? `${name}-${distribution}` : name,
    title: isOther ? `${title}, ${distribution}` : title,
    measurement: (subject, data) => {
      const chooser = makeChooser(distribution, data.records, SEED)
      let values = 0
      const key = () => data.keyOf(chooser.next(data.records))
      const input = { subject, data, key, value: () => data.valueOf(values++) }
      return (until) => runCalls(until, inFlight, () => once(input))
    },
  }
}

/** A mix of YCSB by a distribution, 64 in flight. */
export function ycsbWorkload(mix: Mix, distribution: Distribution): Workload {
  return {
    name: `${mix.name}-${distribution}`,
    title: `YCSB-${mix.name}, ${distribution}`,
    kind: mix.name === 'C' ? 'read' : 'mixed',
    needsScans: 'scan' in mix.shares,
    ...(distribution === 'zipfian' ? {} : SHORT_ROUNDS),
    measurement: (subject, data) => {
      const chance = makeChance(SEED)
      const chooser = makeChooser(distribution, data.records, SEED)
      const request = requestOf({ mix, subject, data, chooser, chance })
      return (until) => runCalls(until, IN_FLIGHT, request)
    },
  }
}

function requestOf(input: {
  readonly mix: Mix
  readonly subject: Subject
  readonly data: Data
  readonly chooser: Chooser
  readonly chance: () => number
}): () => Promise<number> {
  const { mix, subject, data, chooser, chance } = input
  let writes = 0
  /** Those whose insertion has been acknowledged. */
  let records = data.records
  let inserted = data.records
  const value = () => data.valueOf(writes++)
  return async () => {
    const kind = kindOf(mix, chance())
    if (kind === 'insert') {
      const done = await subject.insert(data.keyOf(inserted++), value())
      records += 1
      return done
    }
    const key = data.keyOf(chooser.next(records))
    if (kind === 'read') return subject.get(key)
    if (kind === 'update') return subject.put(key, value())
    if (kind === 'scan') {
      // One operation, however many pairs: as YCSB counts.
      await subject.scan(key, 1 + Math.floor(chance() * SCAN_LENGTH_MAX))
      return 1
    }
    await subject.get(key)
    return subject.put(key, value())
  }
}

/** Every mix by every distribution. */
export function ycsbWorkloads(distributions: readonly Distribution[]): readonly Workload[] {
  return MIXES.flatMap((mix) => distributions.map((distribution) => ycsbWorkload(mix, distribution)))
}
