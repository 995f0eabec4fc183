/**
 * What the dashboard is told, as plain JSON: the server makes it (`src/cli/http`), the page shows it. Each entry stands for itself;
 * only the partitions and the views, which are large and change seldom, are told when they change, and hold from then on.
 *
 * Imports nothing: it is compiled for Node and for browsers.
 */

/** Milliseconds since 1970, by the server's wall clock. */
type At = number

/** What does not change while the process lives. */
export interface AboutEntry {
  readonly kind: 'about'
  readonly at: At
  readonly version: string
  readonly location: string
  readonly partitions: number
  readonly conflict: 'lww' | 'siblings'
  /** Faults may be injected; `mayDestroy`: also those that delete data. */
  readonly faults: boolean
  readonly mayDestroy: boolean
  /** How far back the recording goes, at most. */
  readonly recordingMs: number
}

/** Who has each partition: places of `nodes`, −1 for nobody. */
export interface RingEntry {
  readonly kind: 'ring'
  readonly at: At
  readonly epoch: number
  readonly nodes: readonly string[]
  /** In the order of the partitions: owners by place, those that are being filled, flags (`RING_LOST`, `RING_MOVING`). */
  readonly rows: readonly (readonly [owners: readonly number[], pending: readonly number[], flags: number])[]
}

export const RING_LOST = 1
export const RING_MOVING = 2

/** How each node sees the members. */
export interface ViewsEntry {
  readonly kind: 'views'
  readonly at: At
  readonly members: readonly string[]
  /** For each node that told: a letter of `STATUS_LETTERS` for each of `members` (`-`: unknown to it), and their incarnations. */
  readonly views: readonly (readonly [node: string, statuses: string, incarnations: readonly number[]])[]
}

export const STATUSES = ['joining', 'up', 'suspect', 'leaving', 'down'] as const
export type Status = (typeof STATUSES)[number] | 'removed'
export const STATUS_LETTERS: Readonly<Record<string, Status>> = {
  j: 'joining',
  u: 'up',
  s: 'suspect',
  l: 'leaving',
  d: 'down',
}

export interface NodeFrame {
  readonly id: string
  readonly role: 'member' | 'standby'
  readonly status: Status
  readonly incarnation: number
  readonly restarts: number
  readonly partitions: number
  readonly pending: number
  readonly keys: number
  readonly mailbox: number
  readonly hints: number
  readonly exchanging: number
  readonly epoch: number
  readonly loopLagMs: number
  readonly memoryBytes: number
  readonly storeFull: boolean
  /** Of a fill: partitions that are filled, of how many, records and bytes received. */
  readonly filling: readonly [done: number, partitions: number, records: number, bytes: number] | null
  /** Why its last life ended; empty: none has. */
  readonly lastExit: string
}

/** A node as the bare values of `NodeFrame`, in the order of `NODE_COLUMNS`: ten minutes of 64 nodes are to fit. */
export type PackedNode = readonly unknown[]

const COLUMNS: Record<keyof NodeFrame, true> = {
  id: true,
  role: true,
  status: true,
  incarnation: true,
  restarts: true,
  partitions: true,
  pending: true,
  keys: true,
  mailbox: true,
  hints: true,
  exchanging: true,
  epoch: true,
  loopLagMs: true,
  memoryBytes: true,
  storeFull: true,
  filling: true,
  lastExit: true,
}
const NODE_COLUMNS = Object.keys(COLUMNS) as (keyof NodeFrame)[]

export function packNode(node: NodeFrame): PackedNode {
  return NODE_COLUMNS.map((name) => node[name])
}

export function unpackNode(packed: PackedNode): NodeFrame {
  return Object.fromEntries(NODE_COLUMNS.map((name, index) => [name, packed[index]])) as unknown as NodeFrame
}

export const REQUESTS = ['get', 'put', 'delete', 'batch', 'scan', 'all'] as const
export type RequestName = (typeof REQUESTS)[number]

/** Of the interval before; latencies null: there was no request. */
export type PackedRates = readonly [
  perSecond: number,
  failedPerSecond: number,
  p50Ms: number | null,
  p99Ms: number | null,
  maxMs: number | null,
]

/** The cluster at one moment. */
export interface FrameEntry {
  readonly kind: 'frame'
  readonly at: At
  readonly epoch: number
  readonly converged: boolean
  readonly n: number
  readonly r: number
  readonly w: number
  readonly partitionsMoving: number
  readonly partitionsLost: number
  readonly gateways: number
  /** Links that are cut, each in one direction. */
  readonly cuts: readonly { readonly from: readonly string[]; readonly to: readonly string[] }[]
  readonly nodes: readonly PackedNode[]
  /** Absent between two intervals: something happened, and nobody waits for the next one. */
  readonly requests?: Readonly<Record<RequestName, PackedRates>>
  /** In the same interval. */
  readonly repairs?: { readonly readRepairs: number; readonly keysExchanged: number; readonly hintsHandedBack: number }
}

/** A line of the event log. */
export interface EventEntry {
  readonly kind: 'event'
  readonly at: At
  readonly event: string
  readonly tone: 'good' | 'bad' | 'warning' | 'news' | 'quiet'
  readonly text: string
}

export type Entry = RingEntry | ViewsEntry | FrameEntry | EventEntry

/** As they are sent: numbered from 1 while the server lives, so that what was recorded and what is told live are not taken twice. */
export type NumberedEntry = Entry & { readonly number: number }
