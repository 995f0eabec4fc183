/**
 * What one seed is: how many nodes and clients, what they do, which faults strike when. Every seed draws its own mix (swarm
 * testing, Groce et al. 2012): some kinds of faults are off, some strike often, so that each gets the whole stage in some runs.
 *
 * A plan is plain data. Leaving out some of its faults or operations changes nothing else, so that a run that fails can be
 * made smaller. Called by `run.ts` and `shrink.ts`.
 */

import { Prng } from '../protocol/prng.js'
import { MAJORITY } from '../protocol/ring/quorum.js'
import { boundsOf, type PlannedBounds } from './plan-bounds.js'

export const FAULT_KINDS = [
  'crash',
  'crash-losing',
  'hang',
  'slow-disk',
  'full-disk',
  'lose-store',
  'damage-files',
  'older-copy',
  'damage-records',
  'down-for-good',
  'cut',
  'cut-one-way',
  'split-in-two',
  'split-in-three',
  'lossy-link',
  'lossy-network',
  'doubling-network',
  'reordering-network',
  'slow-link',
  'client-vanishes',
  'client-thread-joins',
  'supervisor-breaks',
  'process-dies',
] as const

/** Only where the clock is not shared. */
const CLOCK_FAULT = 'clock-jumps'
const CLOCK_JUMPS = 6
/** The whole process stands still (SIGSTOP, a debugger, a laptop that is closed): in some runs, beside all others. */
const PAUSE_FAULT = 'process-pauses'
const PAUSES_MAX = 2

/** Changes of shape are no faults, but strike like them. */
const SHAPE_KINDS = ['node-joins', 'node-leaves', 'standby-joins', 'standby-is-promoted'] as const
const SHAPES_MAX = 6

/**
 * Two or three members do not come back at the same time: rows that had them as owners are filled from what they left on disk. In some
 * runs, beside all others.
 */
const LOSS_FAULT = 'several-down-for-good'
const LOSSES_MAX = 2

/** Nor is a backup, whose cut must hold whatever strikes. */
const BACKUP = 'backup'
const BACKUPS_MAX = 4

export type FaultKind =
  | (typeof FAULT_KINDS)[number]
  | (typeof SHAPE_KINDS)[number]
  | typeof CLOCK_FAULT
  | typeof PAUSE_FAULT
  | typeof LOSS_FAULT
  | typeof BACKUP

/** One fault. What it strikes is drawn from `where` among what is there then. */
export interface PlannedFault {
  readonly number: number
  readonly kind: FaultKind
  readonly atMs: number
  readonly lastsMs: number
  /** Each 0…1. */
  readonly where: readonly [number, number, number]
}

/** When clients call. */
export interface Rhythm {
  /** Between an answer and the next call, on average. */
  readonly thinkMs: number
  /** Calls that a client begins together, at most. */
  readonly together: number
  /** All call for so long, then nobody begins anything for so long. */
  readonly activeMs: number
  readonly silentMs: number
  /** Who is refused at once waits before the next call. */
  readonly backsOff: boolean
}

export interface Plan extends PlannedBounds {
  readonly seed: number
  readonly nodes: number
  /** Hot standbys, beside the nodes. */
  readonly standbys: number
  readonly gateways: number
  readonly clients: number
  /** Calls of all clients together. */
  readonly operations: number
  readonly coordination: 'client' | 'server'
  readonly conflict: 'lww' | 'siblings'
  /** MAJORITY: of a row's places; only where every node is a full copy. */
  readonly quorums: { readonly n: number | 'all'; readonly r: number; readonly w: number }
  /** False: each gateway's clock is wrong by up to half a second, and jumps. Nothing is written sloppily then. */
  readonly sharedClock: boolean
  /** Some keys are written sloppily. */
  readonly sloppy: boolean
  /** Most batches are logged. */
  readonly logs: boolean
  readonly rhythm: Rhythm
  readonly latencyMs: readonly [number, number]
  readonly hintWindowMs: number
  /** Bounds of a gateway and of a node: so small in some runs that they are reached. */
  readonly requestsInFlightMax: number
  readonly hintBytesMax: number
  readonly faults: readonly PlannedFault[]
}

export interface PlanOptions {
  readonly operations?: number
  readonly faults?: number
  readonly nodes?: number
  /** False: no batch is logged, whatever the seed says. */
  readonly logs?: boolean
}

const OPERATIONS = 500
const FAULTS = 64
/** Of these every run draws so many kinds at least. */
const KINDS_MIN = 17
/** Requests in flight that a flooded gateway takes. */
const FLOODED_AT = 3
/** What a call takes, about, where faults strike. */
const LATENCY_MS = 15
/** How often a kind is drawn, where it is not 1. Those that lose a store need a quiet moment, and come rarely through. */
const WEIGHTS: Partial<Record<FaultKind, number>> = {
  crash: 2,
  'lose-store': 2,
  'down-for-good': 0.5,
  'process-dies': 0.5,
}

export function planOf(seed: number, options: PlanOptions = {}): Plan {
  const prng = new Prng(seed * 8)
  const nodesDrawn = 5 + prng.below(3)
  const nodes = options.nodes ?? nodesDrawn
  const conflict = prng.below(4) === 0 ? 'siblings' : 'lww'
  const operations = options.operations ?? OPERATIONS
  const { clients, rhythm, ...bounds } = loadOf(new Prng(seed * 8 + 5), 4 + prng.below(7), 20 + prng.below(40))
  // Fewer calls leave the faults where they are.
  const lastsMs = lengthOf(rhythm, Math.max(OPERATIONS, operations) / clients)
  const drawn: Plan['quorums'] = prng.below(6) === 0 ? { n: 3, r: 3, w: 2 } : { n: 3, r: 2, w: 2 }
  const clocks = new Prng(seed * 8 + 7)
  const sharedClock = clocks.below(8) !== 0
  const jumps = sharedClock ? [] : jumpsOf(clocks, lastsMs)
  const shaping = new Prng(seed * 8 + 7_000_003)
  const standbys = shaping.below(4) === 0 ? 1 : 0
  const shapes = shapesOf(shaping, lastsMs)
  const pauses = clocks.below(4) === 0 ? pausesOf(clocks, lastsMs) : []
  const backups = backupsOf(new Prng(seed * 8 + 7_000_019), lastsMs)
  const losses = lossesOf(new Prng(seed * 8 + 7_000_037), lastsMs)
  const copying = new Prng(seed * 8 + 7_000_011)
  const quorums: Plan['quorums'] = copying.below(5) === 0 ? { n: 'all', r: MAJORITY, w: MAJORITY } : drawn
  return {
    seed,
    sharedClock,
    nodes,
    standbys,
    gateways: 1 + prng.below(3),
    clients,
    operations,
    coordination: prng.below(3) === 0 ? 'server' : 'client',
    conflict,
    quorums,
    sloppy: prng.below(2) === 0 && sharedClock,
    logs: conflict === 'lww' && (options.logs ?? new Prng(seed * 8 + 7_000_023).below(2) === 0),
    rhythm,
    latencyMs: prng.below(4) === 0 ? [0.5, 10] : [0.05, 0.5],
    ...bounds,
    ...boundsOf(new Prng(seed * 8 + 7_000_005)),
    hintWindowMs: prng.below(4) === 0 ? 100 : 3_600_000,
    faults: [
      ...faultsOf(prng, options.faults ?? FAULTS, lastsMs),
      ...[...jumps, ...pauses, ...losses, ...shapes, ...backups],
    ].sort((a, b) => a.atMs - b.atMs),
  }
}

/**
 * How much is asked, and how much is taken. Most runs are steady and within their bounds; in some the clients call in bursts,
 * in some there is one client alone, so that nothing else moves along what was left behind. Few have a bound that is reached,
 * and very few are flooded: most of what is asked there is refused, and little can be seen of the rest.
 */
function loadOf(
  prng: Prng,
  clients: number,
  thinkMs: number,
): Pick<Plan, 'clients' | 'rhythm' | 'requestsInFlightMax' | 'hintBytesMax'> {
  const bound = prng.below(32)
  const hintBytesMax = prng.below(8) === 0 ? 1_000 : 1e7
  const steady = { thinkMs, together: 1, activeMs: 1, silentMs: 0, backsOff: bound > 0 }
  if (bound === 0) return { clients, rhythm: steady, requestsInFlightMax: FLOODED_AT, hintBytesMax }
  const kind = prng.below(16)
  const limit = 2 + prng.below(4)
  if (kind < 4) {
    const silence = { activeMs: 40 + prng.below(80), silentMs: 200 + prng.below(500) }
    const rhythm = { ...steady, ...silence, thinkMs: thinkMs / 4, together: 2 + prng.below(5) }
    return { clients, rhythm, requestsInFlightMax: bound < 4 ? limit * 4 : 1_000, hintBytesMax }
  }
  const requestsInFlightMax = bound < 4 ? limit : 1_000
  // Alone, and quick to go on, so that the run takes no longer.
  if (kind < 6) return { clients: 1, rhythm: { ...steady, thinkMs: thinkMs / 10 }, requestsInFlightMax, hintBytesMax }
  return { clients, rhythm: steady, requestsInFlightMax, hintBytesMax }
}

/** How long so many calls of a client take, about. */
function lengthOf({ thinkMs, together, activeMs, silentMs }: Rhythm, calls: number): number {
  const turns = calls / ((1 + together) / 2)
  return turns * (thinkMs + LATENCY_MS) * ((activeMs + silentMs) / activeMs)
}

function faultsOf(prng: Prng, count: number, lastsMs: number): PlannedFault[] {
  const kinds = prng.shuffled(FAULT_KINDS).slice(0, KINDS_MIN + prng.below(FAULT_KINDS.length - KINDS_MIN + 1))
  const weights = kinds.map((kind) => (WEIGHTS[kind] ?? 1) * (prng.below(5) === 0 ? 4 : 1))
  const faults: PlannedFault[] = []
  for (let number = 0; number < count; number++) {
    // Each kind once first.
    const kind = kinds[number] ?? pickWeighted(prng, kinds, weights)
    const atMs = prng.next() * lastsMs
    const where: PlannedFault['where'] = [prng.next(), prng.next(), prng.next()]
    faults.push({ number, kind, atMs, lastsMs: 20 + prng.next() ** 2 * 800, where })
  }
  return faults
}

/** In two runs of three. */
function shapesOf(prng: Prng, lastsMs: number): PlannedFault[] {
  const count = prng.below(3) === 0 ? 0 : 1 + prng.below(SHAPES_MAX)
  return Array.from({ length: count }, (_, shape) => {
    const where: PlannedFault['where'] = [prng.next(), prng.next(), prng.next()]
    const kind = prng.pick(SHAPE_KINDS) as FaultKind
    return { number: 2_000 + shape, kind, atMs: prng.next() * lastsMs, lastsMs: 0, where }
  })
}

/** In every other run. */
function backupsOf(prng: Prng, lastsMs: number): PlannedFault[] {
  const count = prng.below(2) === 0 ? 0 : 1 + prng.below(BACKUPS_MAX)
  return Array.from({ length: count }, (_, backup) => {
    const atMs = prng.next() * lastsMs
    return { number: 3_000 + backup, kind: BACKUP, atMs, lastsMs: 0, where: [0, 0, 0] as const }
  })
}

function jumpsOf(prng: Prng, lastsMs: number): PlannedFault[] {
  return Array.from({ length: CLOCK_JUMPS }, (_, jump) => {
    const where: PlannedFault['where'] = [prng.next(), prng.next(), 0]
    return { number: 1_000 + jump, kind: CLOCK_FAULT, atMs: prng.next() * lastsMs, lastsMs: 0, where }
  })
}

function pausesOf(prng: Prng, lastsMs: number): PlannedFault[] {
  return Array.from({ length: 1 + prng.below(PAUSES_MAX) }, (_, pause) => {
    const atMs = prng.next() * lastsMs
    return { number: 2_000 + pause, kind: PAUSE_FAULT, atMs, lastsMs: 100 + prng.next() * 4_000, where: [0, 0, 0] }
  })
}

/** In one run of three. */
function lossesOf(prng: Prng, lastsMs: number): PlannedFault[] {
  const count = prng.below(3) === 0 ? 1 + prng.below(LOSSES_MAX) : 0
  return Array.from({ length: count }, (_, loss) => {
    const where: PlannedFault['where'] = [prng.next(), prng.next(), prng.next()]
    return { number: 4_000 + loss, kind: LOSS_FAULT, atMs: prng.next() * lastsMs, lastsMs: 0, where }
  })
}

function pickWeighted(prng: Prng, kinds: readonly FaultKind[], weights: readonly number[]): FaultKind {
  let left = prng.next() * weights.reduce((sum, weight) => sum + weight, 0)
  for (let place = 0; place < kinds.length; place++) {
    left -= weights[place] ?? 0
    if (left < 0) return kinds[place] as FaultKind
  }
  return kinds.at(-1) ?? 'crash'
}
