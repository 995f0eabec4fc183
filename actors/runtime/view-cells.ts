/**
 * The members as one node sees them, in shared memory: others read them without waking its thread. Written when the view changes
 * (a heartbeat is no change), so that an idle node writes nothing.
 *
 * A reader in another thread may come in the middle of a change: the version is odd while it is written, and another one after it.
 */

import { assert } from '../../src/protocol/assert.js'
import type { Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { MemberState } from '../../src/protocol/membership/member.js'
import { MEMBER_STATUSES, type MemberStatus } from '../../src/protocol/membership/member-status.js'

/** Twice as many as a cluster has at a time; those that are removed are left out. */
const MEMBERS_MAX = 128
const VERSION = 0
const COUNT = 1
const HEAD = 2
const CELLS_EACH = 3
/** What is written takes microseconds: who finds it unfinished so often reads a thread that ended in the middle of it. */
const TRIES = 100

export interface SeenMember {
  readonly id: NodeId
  readonly status: MemberStatus
  readonly incarnation: Incarnation
}

export class ViewCells {
  readonly #cells: Int32Array

  constructor(
    readonly shared: SharedArrayBuffer = new SharedArrayBuffer(
      (HEAD + MEMBERS_MAX * CELLS_EACH) * Int32Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.#cells = new Int32Array(shared)
  }

  publish(members: readonly MemberState[]): void {
    const seen = members.filter(({ status }) => status !== 'removed').slice(0, MEMBERS_MAX)
    this.#change(() => {
      this.#cells[COUNT] = seen.length
      seen.forEach(({ id, status, incarnation }, index) => {
        const from = HEAD + index * CELLS_EACH
        this.#cells[from] = numberOf(id)
        this.#cells[from + 1] = MEMBER_STATUSES.indexOf(status)
        this.#cells[from + 2] = incarnation
      })
    })
  }

  /** A new life begins, which has seen nobody yet. Also after one that ended in the middle of a change. */
  reset(): void {
    if (this.version % 2 !== 0) Atomics.add(this.#cells, VERSION, 1)
    this.publish([])
  }

  /** Changes whenever the view may have. */
  get version(): number {
    return Atomics.load(this.#cells, VERSION)
  }

  /** Empty: nothing has been published. */
  read(): readonly SeenMember[] {
    for (let tries = 0; tries < TRIES; tries++) {
      const version = this.version
      const members = Array.from({ length: this.#cells[COUNT] ?? 0 }, (_, index) => this.#memberAt(index))
      if (version % 2 === 0 && version === this.version) return members
    }
    return []
  }

  #memberAt(index: number): SeenMember {
    const from = HEAD + index * CELLS_EACH
    const status = MEMBER_STATUSES[this.#cells[from + 1] ?? 0] ?? 'joining'
    return { id: `node${this.#cells[from]}`, status, incarnation: this.#cells[from + 2] ?? 0 }
  }

  #change(write: () => void): void {
    Atomics.add(this.#cells, VERSION, 1)
    write()
    Atomics.add(this.#cells, VERSION, 1)
  }
}

function numberOf(id: NodeId): number {
  const number = Number(id.slice('node'.length))
  assert(id === `node${number}`, 'nodes are numbered', { id })
  return number
}
