/**
 * How suspicious a silence is: the phi-accrual failure detector for one peer, as pure functions over a plain value.
 *
 * phi = −log10(the chance that the next beat comes even later than now), with intervals taken as normally distributed.
 * phi 1 errs once in 10, phi 8 once in 100 million, if the model held. It must never act: it gives a number, and
 * `failure-detector.ts` decides.
 *
 * Source: Hayashibara, Défago, Yared, Katayama 2004; the logistic approximation of the normal distribution, the first
 * estimate and the acceptable pause as in Apache Pekko's PhiAccrualFailureDetector.
 */

import { PHI_SAMPLES_MAX } from './membership-config.js'

/** What one peer's beats have taught. Volatile. */
export interface PhiState {
  /** ms between beats, the oldest first; 2 … PHI_SAMPLES_MAX of them. */
  readonly samplesMs: readonly number[]
  /** ms; of the samples. */
  readonly meanMs: number
  /** ms; population deviation of the samples, before the minimum is applied. */
  readonly stdDeviationMs: number
  /** Monotonic ms of the latest beat. */
  readonly lastHeartbeatMs: number
}

/** How strictly to judge. */
export interface PhiSettings {
  readonly phiThreshold: number
  /** ms added to the mean. */
  readonly acceptablePauseMs: number
  /** ms */
  readonly minStdDeviationMs: number
}

/** Assumed spread of a peer of which only one beat is known: a quarter of the estimate, on both sides. */
const FIRST_ESTIMATE_SPREAD = 0.25

/**
 * The state after a first beat: two made-up samples around the expected interval, so that a peer that beats once and
 * then never again is found out too.
 *
 * Units:  monotonic ms; `estimateMs` the expected interval.
 */
export function firstHeartbeat(nowMs: number, estimateMs: number): PhiState {
  const spreadMs = estimateMs * FIRST_ESTIMATE_SPREAD
  return summarized([estimateMs - spreadMs, estimateMs + spreadMs], nowMs)
}

/**
 * The state after a further beat. An interval that was suspicious itself is no sample: a hang is not the peer's rhythm,
 * and learning it would make the next hang look normal.
 */
export function afterHeartbeat(state: PhiState, nowMs: number, settings: PhiSettings): PhiState {
  if (nowMs < state.lastHeartbeatMs) return state
  if (phiOf(state, nowMs, settings) >= settings.phiThreshold) return { ...state, lastHeartbeatMs: nowMs }
  // Not spread: both calls copy memory as a block, and this is done for each member at each exchange.
  const samplesMs = state.samplesMs.slice(-(PHI_SAMPLES_MAX - 1)).concat(nowMs - state.lastHeartbeatMs)
  return summarized(samplesMs, nowMs)
}

/**
 * phi at a time.
 *
 * Units:  monotonic ms in, decimal exponent out; ≥ 0, finite.
 */
export function phiOf(state: PhiState, nowMs: number, settings: PhiSettings): number {
  const silentMs = nowMs - state.lastHeartbeatMs
  const meanMs = state.meanMs + settings.acceptablePauseMs
  const y = (silentMs - meanMs) / Math.max(state.stdDeviationMs, settings.minStdDeviationMs)
  const x = y * (1.5976 + 0.070566 * y * y)
  // Pekko's −log10(e/(1+e)) with e = exp(−x), as log1p: it neither underflows to infinity for a long silence, nor
  // needs the second formula for silences shorter than the mean.
  return (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) / Math.LN10
}

function summarized(samplesMs: readonly number[], lastHeartbeatMs: number): PhiState {
  let sumMs = 0
  for (const sampleMs of samplesMs) sumMs += sampleMs
  const meanMs = sumMs / samplesMs.length
  let squares = 0
  for (const sampleMs of samplesMs) squares += (sampleMs - meanMs) ** 2
  return { samplesMs, meanMs, stdDeviationMs: Math.sqrt(squares / samplesMs.length), lastHeartbeatMs }
}
