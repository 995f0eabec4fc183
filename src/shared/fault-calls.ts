/** `cluster.faults` as types. `../faults.ts` and `../standing-faults.ts` implement them. */

import type { GatewayId, NodeId } from '../protocol/ids.js'
import type { Failpoint } from './failpoints.js'

/** One node or gateway, or several. A gateway's is the `id` of its store. */
export type Ids = NodeId | GatewayId | readonly (NodeId | GatewayId)[]

/**
 * Injected faults: each resolves once it is in effect. Those from `cut` on stay until `heal`.
 *
 * Errors: FAULTS_DISABLED without `faults: true`; UNKNOWN_NODE; INVALID_OPTION; NODE_NOT_RUNNING of a node that is down for good, or hangs
 *         and does not take note within five seconds.
 */
export interface Faults {
  /**
   * The thread ends at once. In the pause before a restart there is none: the pause goes on. `permanent`: it is not restarted; its
   * partitions are reassigned.
   */
  crash(node: NodeId, options?: { permanent?: boolean }): Promise<void>
  /** An endless loop of `ms` milliseconds, 1 … 600,000. Longer than `hungAfterMs`: the thread is ended and restarted. */
  hang(node: NodeId, ms: number): Promise<void>
  /** As `hang`, but the thread stands still without using the CPU. */
  pause(node: NodeId, ms: number): Promise<void>
  /** Ends the node, deletes its store, starts it again (a node that is down for good stays down). */
  wipe(node: NodeId): Promise<void>
  /** Ends the node, flips bytes in its files, starts it again (a node that is down for good stays down). */
  corrupt(node: NodeId): Promise<void>
  /** No message passes between one side and the other. Rules of links treat each message by itself, and add up. Links to the supervisor are never cut: it is the process itself. */
  cut(idsA: Ids, idsB: Ids): Promise<void>
  /** No message passes from the one to the other; the way back is open. */
  cutOneWay(from: Ids, to: Ids): Promise<void>
  /** Messages arrive `ms` and up to `jitterMs` milliseconds later, in their order. */
  delay(from: Ids, to: Ids, options: { ms: number; jitterMs?: number }): Promise<void>
  /** This share of the messages (0 … 1) is lost. */
  drop(from: Ids, to: Ids, options: { share: number }): Promise<void>
  /** This share of the messages (0 … 1) arrives twice. */
  duplicate(from: Ids, to: Ids, options: { share: number }): Promise<void>
  /** This share of the messages (0 … 1) is held back for `ms` milliseconds and overtaken by later ones. */
  reorder(from: Ids, to: Ids, options: { share: number; ms: number }): Promise<void>
  /** A slow disk: what the node's store does, and reads of it, take `ms` milliseconds longer. The thread is not blocked. */
  slow(node: NodeId, options: { ms: number }): Promise<void>
  /** The node's wall clock is wrong by `ms` milliseconds (may be negative). Stamps and deadlines do not come from it. */
  skewClock(node: NodeId, ms: number): Promise<void>
  /** The node's disk is as good as full: its store takes no writes until `heal`. */
  fillDisk(node: NodeId): Promise<void>
  /**
   * The thread ends when it comes by that point for the `nth` time (default 1, counted over its lives), once: just before it
   * handles a message, or says one. What it has not sent by then goes with it; what its store is doing may be done.
   */
  failpoint(node: NodeId, point: Failpoint, options?: { nth?: number }): Promise<void>
  /** Ends every fault that is still in effect. With ids: only those of links between the one side and the other. */
  heal(idsA?: Ids, idsB?: Ids): Promise<void>
}

/** What injected faults have done to a node in its present life. */
export interface FaultCounts {
  /** Messages lost, by cuts too. */
  readonly dropped: number
  /** Messages held back by `delay`. */
  readonly delayed: number
  /** Messages sent twice. */
  readonly duplicated: number
  /** Messages held back to be overtaken. */
  readonly reordered: number
  /** Store operations and reads that took longer. */
  readonly slowed: number
}
