/**
 * Verifies closed stores end to end, without changing them: every file, every block, every record; a backup's databases against
 * its manifest, a cluster's stores against their witnesses, and its replicas against each other.
 *
 * Called in a pool thread. Damage is what it reports, never what it throws.
 */

import type { Key, NodeId } from '../protocol/ids.js'
import { partitionOf } from '../protocol/ring/slot.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import { sameVersion, type VersionRecord } from '../protocol/versions/record.js'
import { packEntries, type StoredEntry } from './backup-chunk.js'
import { ContentsSum, isDamaged } from './backup-database.js'
import type { DatabaseContents } from './backup-manifest.js'
import { type FileSum, fileThatDiffers } from './file-sums.js'
import { isHint, keyOfData } from './keyspace.js'
import { type MergedKey, StoreMerge } from './merge-stores.js'
import { decodeRecord } from './record-codec.js'
import { StoreView } from './store-view.js'
import { verifyStoreFiles } from './verify-store.js'
import { readWitness } from './witness.js'

export interface StoreToVerify {
  readonly node: NodeId
  readonly folder: string
  /** Of a backup's database. */
  readonly written?: { readonly contents: DatabaseContents; readonly files: readonly FileSum[] }
  /** Of a node's store: its witness, and what the cluster knows of it. */
  readonly expected?: {
    readonly witness: string
    readonly storeId: string | undefined
    readonly sequence: number | undefined
  }
}

export interface StoresToVerify {
  readonly stores: readonly StoreToVerify[]
  readonly partitions: number
  /** Whose owners are compared; undefined: nobody's. */
  readonly table: PartitionTable | undefined
}

export interface VerifiedStore {
  readonly node: NodeId
  readonly files: number
  readonly records: number
  readonly hints: number
  readonly bytes: number
  readonly problems: readonly string[]
}

export interface StoresVerified {
  readonly stores: readonly VerifiedStore[]
  /** Keys that not every full owner holds in the same version, among the owners that could be read. */
  readonly keysDiffering: number
  /** One of them. */
  readonly exampleKey?: Key
}

/** Of each store, so many problems are told. */
const PROBLEMS_MAX = 20

/** Errors: those of fs and LevelDB for a shortage of means. */
export async function verifyStores(work: StoresToVerify, progress: { bytes: number }): Promise<StoresVerified> {
  const checks = work.stores.map((store) => new StoreCheck(store))
  const readable: StoreCheck[] = []
  try {
    for (const check of checks) if (await check.open()) readable.push(check)
    const replicas = new Replicas(work, readable)
    const merge = new StoreMerge(
      readable.map((check) => check.view),
      (source, entries) => {
        readable[source]?.onPage(entries)
        for (const [key, value] of entries) progress.bytes += key.length + value.length
      },
    )
    for (let keys = await merge.nextKeys(); keys.length > 0; keys = await merge.nextKeys())
      for (const key of keys) replicas.look(key)
    const { keysDiffering, exampleKey } = replicas
    const stores = checks.map((check) => check.report())
    return { stores, keysDiffering, ...(exampleKey === undefined ? {} : { exampleKey }) }
  } finally {
    for (const check of readable) await check.view.close()
  }
}

class StoreCheck {
  readonly store: StoreToVerify
  readonly #problems: string[] = []
  readonly #sum = new ContentsSum()
  #files = 0
  #view: StoreView | undefined
  #damaged = 0

  constructor(store: StoreToVerify) {
    this.store = store
  }

  get view(): StoreView {
    if (this.#view === undefined) throw new Error('it is read once it is open')
    return this.#view
  }

  /** True: LevelDB may read it. */
  async open(): Promise<boolean> {
    const { folder, written } = this.store
    const report = verifyStoreFiles(folder)
    this.#files = report.files.length
    for (const { file, detail } of report.problems) this.#add(`${file}: ${detail}`)
    if (written !== undefined) {
      const differs = fileThatDiffers(folder, written.files)
      if (differs !== undefined) this.#add(differs)
    }
    if (report.verdict === 'absent') this.#add('there is no store')
    if (report.verdict !== 'ok') return false
    this.#view = await StoreView.open(folder)
    this.#checkIdentity(this.#view)
    return true
  }

  onPage(entries: readonly StoredEntry[]): void {
    this.#sum.add(entries, this.store.written === undefined ? NOTHING : packEntries(entries))
    for (const entry of entries) {
      if (!isDamaged(entry)) continue
      this.#damaged++
      if (this.#damaged <= PROBLEMS_MAX)
        this.#add(`${isHint(entry[0]) ? 'a hint' : `the record of ${JSON.stringify(keyOfData(entry[0]))}`} is damaged`)
    }
  }

  report(): VerifiedStore {
    const { written, node } = this.store
    const found = this.#sum.end()
    if (written !== undefined && this.#view !== undefined && found.sha256 !== written.contents.sha256) {
      const { records, hints } = written.contents
      this.#add(
        `its ${found.records} records and ${found.hints} hints are not the ${records} and ${hints} that were written`,
      )
    }
    if (this.#damaged > PROBLEMS_MAX) this.#add(`${this.#damaged} records and hints are damaged in all`)
    const { records, hints, bytes } = found
    return { node, files: this.#files, records, hints, bytes, problems: this.#problems }
  }

  /** The same questions as when the node opens it, but for a reboot. */
  #checkIdentity(view: StoreView): void {
    const { expected } = this.store
    if (expected === undefined) return
    const identity = view.identity()
    if (typeof identity === 'string') return this.#add(`its identity is ${identity}`)
    const isOurs = (id: string) => id === identity.storeId || id === identity.previousStoreId
    if (expected.storeId !== undefined && !isOurs(expected.storeId))
      this.#add('it is another store than the cluster knows')
    if (
      expected.sequence !== undefined &&
      expected.storeId === identity.storeId &&
      identity.sequence < expected.sequence
    )
      this.#add(`it is an older copy: batch ${identity.sequence}, and the cluster knows of ${expected.sequence}`)
    const witness = readWitness(expected.witness)
    if (typeof witness === 'string') return this.#add(`its witness is ${witness}`)
    if (!isOurs(witness.storeId)) return this.#add('its witness is of another store')
    if (identity.sequence < witness.sequence)
      this.#add(`it has forgotten something: batch ${identity.sequence}, and its witness saw ${witness.sequence}`)
  }

  #add(problem: string): void {
    this.#problems.push(problem)
  }
}

const NOTHING = new Uint8Array(0)

/** Compares what the full owners of a key hold. */
class Replicas {
  readonly #work: StoresToVerify
  readonly #readable: readonly StoreCheck[]
  readonly #nodes: ReadonlySet<NodeId>
  keysDiffering = 0
  exampleKey: Key | undefined

  constructor(work: StoresToVerify, readable: readonly StoreCheck[]) {
    this.#work = work
    this.#readable = readable
    this.#nodes = new Set(readable.map(({ store }) => store.node))
  }

  look({ found }: MergedKey): void {
    const { table, partitions } = this.#work
    const [first] = found
    if (table === undefined || first === undefined || isHint(first.entry[0])) return
    const key = keyOfData(first.entry[0])
    const owners = table.rows[partitionOf(key, partitions)]?.owners ?? []
    const comparable = owners.filter((owner) => owner !== null && this.#nodes.has(owner))
    const held = new Map<NodeId, VersionRecord | undefined>()
    for (const { source, entry } of found) {
      const record = decodeRecord(key, entry[1])
      held.set(this.#readable[source]?.store.node ?? '', record === 'damaged' ? undefined : record)
    }
    const versions = comparable.map((owner) => held.get(owner ?? ''))
    if (versions.every((version) => sameVersion(version, versions[0]))) return
    this.keysDiffering++
    this.exampleKey ??= key
  }
}
