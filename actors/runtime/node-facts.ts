/** What the supervisor's actor knows of a node beside what its core does. */

import type { Suspicion } from '../../src/storage/opening-marker.js'
import type { VerifyReport } from '../../src/storage/verify-store.js'
import { NodeMarks } from '../../src/storage/write-marks.js'
import { Gauges } from './gauges.js'
import type { NodeThread, ThreadEnd } from './node-thread.js'
import { RoomLooks } from './room-looks.js'
import { ViewCells } from './view-cells.js'

export interface ScrubFacts {
  readonly at: string
  readonly tables: number
  readonly bytes: number
  readonly problems: number
}

export interface NodeFacts {
  readonly gauges: Gauges
  readonly view: ViewCells
  thread: NodeThread | undefined
  actor: string | null
  lastEnd: { readonly end: ThreadEnd; readonly at: string } | undefined
  /** Files that were verified, so that a restart verifies only what is new. */
  knownFiles: VerifyReport['files']
  /** Its next life verifies everything, whatever the options say; why, for people. */
  suspectedFor: string | undefined
  /** Its next life opens its store with no other such node; or sets it aside unseen. */
  opensAlone: boolean
  isSetAside: boolean
  /** The last scrub that came to an end. */
  lastScrub: ScrubFacts | undefined
  spawnedAtMs: number
  /** Work that must be done before the node's next thread opens its store (a fault that changes its files). */
  beforeSpawn: (() => Promise<void>) | undefined
  /** See `Assignment.diskFilled`: it outlives its threads. */
  readonly diskFilled: SharedArrayBuffer
  readonly room: RoomLooks
  /** Its writes under way: see `NodeMarks`. It outlives its threads. */
  readonly writeMarks: SharedArrayBuffer
  quarantined: { readonly folder: string; readonly reason: string; readonly at: string }[]
}

export function newFacts(suspicion: Suspicion | undefined): NodeFacts {
  return {
    gauges: new Gauges(),
    view: new ViewCells(),
    thread: undefined,
    actor: null,
    lastEnd: undefined,
    knownFiles: [],
    suspectedFor: suspicion?.reason,
    opensAlone: suspicion?.opensAlone === true,
    isSetAside: suspicion?.setAside === true,
    lastScrub: undefined,
    spawnedAtMs: 0,
    beforeSpawn: undefined,
    diskFilled: new SharedArrayBuffer(4),
    room: new RoomLooks(),
    writeMarks: NodeMarks.newCounts(),
    quarantined: [],
  }
}
