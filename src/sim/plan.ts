/**
 * What one seed is: how many nodes and clients, what they do, which faults strike when. Every seed draws its own mix (swarm
 * testing, Groce et al. 2012): some kinds of faults are off, some strike often, so that each gets the whole stage in some runs.
 *
 * A plan is plain data. Leaving out some of its faults or operations changes nothing else, so that a run that fails can be
 * made smaller. Called by `run.ts` and `shrink.ts`.
 */

import { Prng } from '../protocol/prng.js'
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

export type FaultKind = (typeof FAULT_KINDS)[number] | typeof CLOCK_FAULT | typeof PAUSE_FAULT

/** One fault. What it strikes is drawn from `where` among what is there then. */
export interface PlannedFault {
  readonly number: number
  readonly kind: FaultKind
  readonly atMs: number
  readonly lastsMs: number
  /** Each 0…1. */
  readonly where: readonly [number, number, number]
}

export interface Plan extends PlannedBounds {
  readonly seed: number
  readonly nodes: number
  readonly gateways: number
  readonly clients: number
  /** Calls of all clients together. */
  readonly operations: number
  readonly coordination: 'client' | 'server'
  readonly conflict: 'lww' | 'siblings'
  readonly quorums: { readonly n: number; readonly r: number; readonly w: number }
  /** False: each gateway's clock is wrong by up to half a second, and jumps. Nothing is written sloppily then. */
  readonly sharedClock: boolean
  /** Some keys are written sloppily. */
  readonly sloppy: boolean
  readonly thinkMs: number
  readonly latencyMs: readonly [number, number]
  readonly hintWindowMs: number
  readonly faults: readonly PlannedFault[]
}

export interface PlanOptions {
  readonly operations?: number
  readonly faults?: number
  readonly nodes?: number
}

const OPERATIONS = 500
const FAULTS = 64
/** Of these every run draws so many kinds at least. */
const KINDS_MIN = 17
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
  const clients = 4 + prng.below(7)
  const thinkMs = 20 + prng.below(40)
  // Fewer calls leave the faults where they are.
  const lastsMs = (Math.max(OPERATIONS, operations) / clients) * (thinkMs + 15)
  const quorums = prng.below(6) === 0 ? { n: 3, r: 3, w: 2 } : { n: 3, r: 2, w: 2 }
  const clocks = new Prng(seed * 8 + 7)
  const sharedClock = clocks.below(8) !== 0
  const jumps = sharedClock ? [] : jumpsOf(clocks, lastsMs)
  const pauses = clocks.below(4) === 0 ? pausesOf(clocks, lastsMs) : []
  return {
    seed,
    sharedClock,
    nodes,
    gateways: 1 + prng.below(3),
    clients,
    operations,
    coordination: prng.below(3) === 0 ? 'server' : 'client',
    conflict,
    quorums,
    sloppy: prng.below(2) === 0 && sharedClock,
    thinkMs,
    latencyMs: prng.below(4) === 0 ? [0.5, 10] : [0.05, 0.5],
    ...boundsOf(new Prng(seed * 8 + 5)),
    hintWindowMs: prng.below(4) === 0 ? 100 : 3_600_000,
    faults: [...faultsOf(prng, options.faults ?? FAULTS, lastsMs), ...jumps, ...pauses].sort((a, b) => a.atMs - b.atMs),
  }
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

function pickWeighted(prng: Prng, kinds: readonly FaultKind[], weights: readonly number[]): FaultKind {
  let left = prng.next() * weights.reduce((sum, weight) => sum + weight, 0)
  for (let place = 0; place < kinds.length; place++) {
    left -= weights[place] ?? 0
    if (left < 0) return kinds[place] as FaultKind
  }
  return kinds.at(-1) ?? 'crash'
}
