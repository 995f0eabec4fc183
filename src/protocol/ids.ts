/**
 * The names of things: nodes, gateways, keys, partitions. All are plain strings and numbers, so that they can be map
 * keys, travel through structured clone for nothing, and be read in a trace.
 *
 * Called by everything; decides nothing.
 */

/** A storage node: `node1`, `node2`, … The folder below the cluster's location has the same name. */
export type NodeId = string

/** A place where requests enter: `gateway1`, … One in the opener's thread, one in every thread that connected. */
export type GatewayId = string

/** The one supervisor. */
export const SUPERVISOR = 'supervisor'

/** Whoever can send or receive a message. */
export type Address = NodeId | GatewayId | typeof SUPERVISOR

/**
 * A key as the protocol sees it: a *binary string*, one char (0…255) for each byte of the user's key.
 *
 * An ASCII key is its own binary string, `<` compares in byte order (LevelDB's order), it is a map key, and structured
 * clone copies it with one memcpy; a `Uint8Array` has none of the four. `shared/keys.ts` converts at the edge.
 */
export type Key = string

/** 0 … partitions − 1. */
export type PartitionId = number

/** A leaf of a Merkle tree, among the leaves of all partitions. */
export type LeafId = number

/** 0 … 16383, Redis Cluster's hash slots. */
export type Slot = number

/** Counts the table versions, and of a row the table version that changed it last. Starts at 1, only grows. */
export type Epoch = number

/** Counts the lives of a node within one process, from 1. Mail to an earlier life is a dead letter. */
export type Incarnation = number

/** A durable writer identity: node plus a random store id, new whenever a store may have forgotten something. */
export type ActorId = string
