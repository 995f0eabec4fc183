/**
 * The cluster's folder as the supervisor's actor writes it: tables and metadata, one after the other. What the next process
 * must know of is noted here.
 *
 * Once the nodes run, room on a full disk (and a free file descriptor) is waited for: nothing is lost, what waits for an epoch
 * to be on disk (a refill, a boot) waits too, and requests go on by the table that is there. While the cluster opens, and once it closes, it is an error at once.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { type PartitionTable, standbysOf } from '../../src/protocol/ring/table.js'
import type { OnTheWay, SupervisorNotice } from '../../src/protocol/supervision/supervisor-events.js'
import { isShortage } from '../../src/shared/shortage.js'
import type { ClusterFolder, ClusterMetadata, NodeEntry } from '../../src/storage/cluster-folder.js'
import { isDiskFull } from '../../src/storage/disk-room.js'
import { nodeFolders } from '../../src/storage/layout.js'
import { codeOf } from '../../src/storage/store-error.js'
import { readWitness } from '../../src/storage/witness.js'

/** Between two attempts on a full disk. */
const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 2_000

export class ClusterRecord {
  readonly #folder: ClusterFolder
  readonly #onFatal: (error: Error) => void
  #metadata: ClusterMetadata
  #lastTable: PartitionTable
  #writing: Promise<void> = Promise.resolve()
  /** Between `start` and `stop`. */
  #waits = new AbortController()

  readonly #onFull: (error: Error) => void

  /** `onFatal`: the folder cannot be written. `onFull`: it must wait for room to be written. */
  constructor(options: {
    folder: ClusterFolder
    metadata: ClusterMetadata
    table: PartitionTable
    onFatal: (error: Error) => void
    onFull: (error: Error) => void
  }) {
    this.#folder = options.folder
    this.#metadata = options.metadata
    this.#lastTable = options.table
    this.#onFatal = options.onFatal
    this.#onFull = options.onFull
    this.#waits.abort()
  }

  /** From here on a full disk is waited for. */
  start(): void {
    this.#waits = new AbortController()
  }

  stop(): void {
    this.#waits.abort()
  }

  get metadata(): ClusterMetadata {
    return this.#metadata
  }

  get isCreation(): boolean {
    return this.#metadata.stage === 'creating'
  }

  /** The highest that is fsynced. */
  get lastTable(): PartitionTable {
    return this.#lastTable
  }

  /** Nodes that were on the way in, or out. */
  get onTheWay(): OnTheWay {
    const { nodes } = this.#metadata
    const idsOf = (wanted: NodeEntry['status']) => nodes.flatMap(({ id, status }) => (status === wanted ? [id] : []))
    const isStandby = ({ status, role }: NodeEntry) => status === 'joining' && role === 'standby'
    const standbys = nodes.filter(isStandby).map(({ id }) => id)
    const inTable = standbysOf(this.#lastTable)
    const isPromoted = ({ id, status, role }: NodeEntry) =>
      role === 'member' && (status === 'member' || status === 'joining') && inTable.includes(id)
    const promoted = nodes.filter(isPromoted).map(({ id }) => id)
    return { joining: idsOf('joining'), standbys, promoted, leaving: idsOf('leaving') }
  }

  entryOf(node: string): NodeEntry | undefined {
    return this.#metadata.nodes.find(({ id }) => id === node)
  }

  /** Resolves once everything asked for so far is written, or has failed. Never rejects. */
  get settled(): Promise<void> {
    return this.#writing
  }

  /** Metadata as it is to be from now on; on disk when the promise resolves. */
  writeMetadata(change: Partial<ClusterMetadata>): Promise<void> {
    this.#metadata = { ...this.#metadata, ...change }
    const metadata = this.#metadata
    return this.#write(() => this.#folder.writeMetadata(metadata))
  }

  /** Tombstones that every copy held by then may be gone from now on. */
  noteReaping(beforeNs: bigint): Promise<void> {
    // With a longer grace than before it would fall.
    const noted = BigInt(this.#metadata.reapedBeforeNs ?? 0)
    return this.writeMetadata({ reapedBeforeNs: String(beforeNs > noted ? beforeNs : noted) })
  }

  changeNode(node: string, change: Partial<NodeEntry>): Promise<void> {
    const nodes = this.#metadata.nodes.map((entry) => (entry.id === node ? { ...entry, ...change } : entry))
    return this.writeMetadata({ nodes })
  }

  /**
   * How far each store has come, by its witness, for the metadata that are written next. One that was not closed in order, or
   * cannot be read, keeps what was noted before: that stays true, it says only less.
   */
  noteClosed(location: string): void {
    const nodes = this.#metadata.nodes.map((entry) => {
      const closed = closedWitness(nodeFolders(location, entry.id).witness)
      return closed === undefined ? entry : { ...entry, closed }
    })
    this.#metadata = { ...this.#metadata, nodes }
  }

  writeTable(table: PartitionTable): Promise<void> {
    return this.#write(async () => {
      await this.#folder.writeTable(table)
      this.#lastTable = table
    })
  }

  /** What the next process must know of. */
  remember(notice: SupervisorNotice): void {
    const written = this.#noteOf(notice)
    written?.catch(this.#onFatal)
  }

  #noteOf(notice: SupervisorNotice): Promise<void> | undefined {
    if (notice.type === 'created') return this.writeMetadata({ stage: 'ready' })
    if (notice.type === 'node:joined') return this.changeNode(notice.node, { status: 'member' })
    if (notice.type === 'node:down') {
      // Whoever leaves and dies for good still leaves.
      return this.entryOf(notice.node)?.status === 'leaving'
        ? undefined
        : this.changeNode(notice.node, { status: 'down' })
    }
    const isBack = notice.type === 'node:up' && this.entryOf(notice.node)?.status === 'down'
    return isBack ? this.changeNode(notice.node, { status: 'member' }) : undefined
  }

  #write(task: () => Promise<void>): Promise<void> {
    const written = this.#writing.then(() => this.#whenThereIsRoom(task))
    this.#writing = written.catch(this.#onFatal)
    return written
  }

  async #whenThereIsRoom(task: () => Promise<void>): Promise<void> {
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      try {
        return await task()
      } catch (error) {
        const { signal } = this.#waits
        if (!(isDiskFull(error) || isShortage(error)) || signal.aborted) throw error
        if (pauseMs === PAUSE_MS_MIN) this.#onFull(error as Error)
        // `stop` ends the pause: then there is one more attempt.
        await delay(pauseMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}

function closedWitness(path: string): NodeEntry['closed'] | undefined {
  try {
    const witness = readWitness(path)
    if (typeof witness === 'string' || !witness.closed) return undefined
    return { storeId: witness.storeId, sequence: witness.sequence }
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
}
