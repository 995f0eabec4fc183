/**
 * The knobs of membership and the named limits that are not knobs.
 *
 * Called by everything in this folder; decides nothing.
 */

/** Fractions of a second a person may tune; the defaults suit a cluster within one process. */
export interface MembershipConfig {
  /** ms between two beats of the own counter; each is also sent to the ring neighbours, and is when peers are judged. */
  readonly heartbeatMs: number
  /** How many healthy ring successors get each beat as a message of its own; the rest hear the counter by gossip. */
  readonly heartbeatNeighbours: number
  /** ms between gossip rounds while views differ. */
  readonly gossipMs: number
  /** ms between gossip rounds once views agree. */
  readonly gossipConvergedMs: number
  /** Live peers addressed per round; at most one suspect is addressed on top. */
  readonly gossipFanout: number
  /** Suspicion from this phi on: the wrong once in 10^phi judgements, were the beats normally distributed. */
  readonly phiThreshold: number
  /** ms of silence on top of the usual interval that mean nothing (garbage collection, a busy event loop). */
  readonly acceptablePauseMs: number
  /** ms; a very regular peer is not condemned for one beat that is a little late. */
  readonly minStdDeviationMs: number
  /** The own tick is late, and nobody judged, if it came after this many `heartbeatMs`. */
  readonly lateTickFactor: number
  /** ms after a member came back from suspicion in which silence alone does not make it suspect again. */
  readonly flapDampingMs: number
}

/** Gossip as Pekko's two speeds, phi as Pekko's with shorter pauses, for threads of one process. */
export const MEMBERSHIP_DEFAULTS: MembershipConfig = {
  heartbeatMs: 250,
  heartbeatNeighbours: 3,
  gossipMs: 200,
  gossipConvergedMs: 1_000,
  gossipFanout: 2,
  phiThreshold: 8,
  acceptablePauseMs: 1_500,
  minStdDeviationMs: 50,
  lateTickFactor: 3,
  flapDampingMs: 10_000,
}

/** Members of one view, tombstones included. Further ones are refused and counted. */
export const MEMBERS_MAX = 1_024

/** Inter-arrival samples kept for each peer. */
export const PHI_SAMPLES_MAX = 200

/** A removed member is remembered this long, so that gossip still under way does not bring it back. */
export const TOMBSTONE_MS = 600_000

/** The same higher table epoch is reported again only after this long: a table is big and takes a while to store. */
export const TABLE_ASK_AGAIN_MS = 500

/** A peer known only by gossiped counters may be silent for this many converged rounds more than a ring neighbour. */
export const GOSSIP_PAUSE_ROUNDS = 2

/** Silent ring successors do not count as neighbours, but no beat is sent to more than this many times the neighbours. */
export const NEIGHBOUR_WALK_FACTOR = 2
