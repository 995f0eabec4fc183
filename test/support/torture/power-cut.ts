/**
 * What a power cut leaves of a folder: a model of a disk, fed with a trace of what a process did to its files. Pure.
 *
 * Promised, and nothing else:
 * - What was written to a file before an fsync of it began is there once that fsync has ended. What was written later is there
 *   as a whole, in part, or not at all: chance decides for each file. What was appended appears from its beginning on, for a
 *   file grows when its data are on the disk (ext4, ordered); XFS may show zeros for the rest. `holes`: in any order.
 * - Changes of names (create, rename, unlink, …) reach the disk in their order, as the journals of ext4 and XFS keep it. All
 *   up to some change are there. An fsync of a folder brings the changes of its names along, an fsync of a file the change that
 *   made its newest name; whether more are there is up to chance. `strict`: each folder keeps its own order, and only an fsync
 *   of the folder counts, which is all that POSIX promises.
 *
 * Called by the power part of the torture, and by its own test.
 */

import { dirname } from 'node:path'
import type { Prng } from '../../../src/protocol/prng.js'
import type { TraceEvent } from './file-trace.js'

/** A folder's content: path → bytes, or `'folder'`. */
export type Tree = ReadonlyMap<string, { readonly inode: bigint; readonly content: Buffer | 'folder' }>

interface Change {
  /** Its event's number. */
  readonly order: number
  apply(content: Content): void
}

interface File {
  readonly isFolder: boolean
  /** What is on the disk for certain. */
  readonly durable: Content
  /** Since then, oldest first. */
  pending: Change[]
}

type Names = Map<string, File>

interface NameChange {
  readonly order: number
  /** Folders whose entries it changes. */
  readonly folders: readonly string[]
  readonly file: File
  apply(names: Names): void
}

/** What a disk writes as a whole, or not at all; bytes. */
const SECTOR_BYTES = 512

export interface CutOptions {
  /** Undefined: nothing that was not synced is there. */
  readonly prng?: Prng
  readonly strict?: boolean
  readonly holes?: boolean
}

export class DiskModel {
  readonly #before: Names = new Map()
  /** As the process sees it. */
  readonly #names: Names = new Map()
  readonly #byInode = new Map<bigint, File>()
  readonly #changes: NameChange[] = []
  /** Of `#changes`: how many are on the disk, in the order of all; and for each, whether its folder's fsync brought it there. */
  #changesDurable = 0
  readonly #changesSynced = new Set<NameChange>()
  readonly #syncsBegun = new Map<number, number>()
  #events = 0

  /** `tree`: what was there, on the disk, before the first event. */
  constructor(tree: Tree) {
    for (const [path, { inode, content }] of tree) {
      const file = newFile(content === 'folder', content === 'folder' ? Buffer.alloc(0) : content)
      this.#before.set(path, file)
      this.#names.set(path, file)
      this.#byInode.set(inode, file)
    }
  }

  play(events: readonly TraceEvent[]): void {
    for (const event of events) {
      this.#events += 1
      this.#play(event)
    }
  }

  /** Without a cut: what the process saw. */
  seen(): Map<string, Buffer | 'folder'> {
    return contents(this.#names, (file) => changed(file.durable, file.pending))
  }

  afterCut(options: CutOptions = {}): Map<string, Buffer | 'folder'> {
    const { prng } = options
    const names = new Map(this.#before)
    for (const change of options.strict === true ? this.#strictChanges() : this.#orderedChanges(prng))
      change.apply(names)
    return contents(names, (file) => bytesAfterCut(file, options))
  }

  #orderedChanges(prng: Prng | undefined): NameChange[] {
    const more = this.#changes.length - this.#changesDurable
    return this.#changes.slice(0, this.#changesDurable + (prng === undefined ? 0 : prng.below(more + 1)))
  }

  #strictChanges(): NameChange[] {
    return this.#changes.filter((change) => this.#changesSynced.has(change))
  }

  #play(event: TraceEvent): void {
    switch (event.type) {
      case 'create':
      case 'mkdir':
        return this.#onCreate(event)
      case 'write':
        return this.#onContent(event.inode, (content) => content.write(event.at, event.data))
      case 'truncate':
        return this.#onContent(event.inode, (content) => content.resize(event.size))
      case 'rename':
      case 'link':
        return this.#onMove(event)
      case 'unlink':
      case 'rmdir':
        return this.#onRemove(event.path)
      case 'sync-begin':
        this.#syncsBegun.set(event.token, this.#events)
        return
      case 'sync-end':
        return this.#onSynced(event.inode, this.#syncsBegun.get(event.token) ?? 0)
      default:
        event satisfies never
    }
  }

  #onCreate({ type, inode, path }: Extract<TraceEvent, { type: 'create' | 'mkdir' }>): void {
    const file = newFile(type === 'mkdir', Buffer.alloc(0))
    this.#byInode.set(inode, file)
    this.#rename([path], file, (names) => names.set(path, file))
  }

  #onContent(inode: bigint, apply: Change['apply']): void {
    const file = this.#byInode.get(inode)
    if (file === undefined) throw new Error(`the trace writes to inode ${inode}, which nobody made`)
    file.pending.push({ order: this.#events, apply })
  }

  #onMove({ type, path, to }: Extract<TraceEvent, { type: 'rename' | 'link' }>): void {
    const file = this.#fileAt(path)
    if (type === 'link') return this.#rename([to], file, (names) => names.set(to, file))
    this.#rename([path, to], file, (names) => {
      for (const [name, moved] of [...names]) {
        if (name !== path && !name.startsWith(`${path}/`)) continue
        names.delete(name)
        names.set(to + name.slice(path.length), moved)
      }
    })
  }

  #onRemove(path: string): void {
    this.#rename([path], this.#fileAt(path), (names) => names.delete(path))
  }

  #fileAt(path: string): File {
    const file = this.#names.get(path) ?? (path.endsWith('/') ? this.#names.get(path.slice(0, -1)) : undefined)
    // Written by way of the C library's own streams (LevelDB's LOG), which nobody can trace: of no consequence.
    return file ?? newFile(false, Buffer.alloc(0))
  }

  #rename(paths: readonly string[], file: File, apply: (names: Names) => void): void {
    const change = { order: this.#events, folders: paths.map((path) => dirname(path)), file, apply }
    this.#changes.push(change)
    apply(this.#names)
  }

  /** Everything of the file, and of its names, that was done before the fsync began. */
  #onSynced(inode: bigint, begun: number): void {
    const file = this.#byInode.get(inode)
    if (file === undefined) return
    const kept = file.pending.filter((change) => change.order > begun)
    for (const change of file.pending) if (change.order <= begun) change.apply(file.durable)
    file.pending = kept
    const folder = file.isFolder ? [...this.#names].find(([, one]) => one === file)?.[0] : undefined
    for (const [index, change] of this.#changes.entries()) {
      if (change.order > begun) break
      const isInFolder = folder !== undefined && change.folders.includes(folder)
      if (isInFolder) this.#changesSynced.add(change)
      if (isInFolder || change.file === file) this.#changesDurable = Math.max(this.#changesDurable, index + 1)
    }
  }
}

/** Bytes that grow by appending without being copied each time. */
class Content {
  #bytes: Buffer
  #length: number

  constructor(bytes: Buffer) {
    this.#bytes = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  write(at: number, data: Buffer): void {
    this.resize(Math.max(this.#length, at + data.length))
    data.copy(this.#bytes, at)
  }

  /** What is new is zeros. */
  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#bytes.length))
      this.bytes.copy(larger)
      this.#bytes = larger
    } else if (size > this.#length) {
      this.#bytes.fill(0, this.#length, size)
    }
    this.#length = size
  }
}

function newFile(isFolder: boolean, bytes: Buffer): File {
  return { isFolder, durable: new Content(bytes), pending: [] }
}

function contents(names: Names, bytesOf: (file: File) => Buffer): Map<string, Buffer | 'folder'> {
  const seen = new Map<File, Buffer>()
  const result = new Map<string, Buffer | 'folder'>()
  for (const [path, file] of names) {
    // Two names of one file have one content.
    const bytes = seen.get(file) ?? bytesOf(file)
    seen.set(file, bytes)
    result.set(path, file.isFolder ? 'folder' : bytes)
  }
  return result
}

function changed(content: Content, changes: readonly Change[]): Buffer {
  const result = new Content(content.bytes)
  for (const change of changes) change.apply(result)
  return result.bytes
}

/**
 * What stays of a file: of what was overwritten any of the sectors, of what was appended a prefix, with or without zeros in
 * place of the rest. `holes`: any of the sectors of that too.
 */
function bytesAfterCut({ durable, pending }: File, { prng, holes = false }: CutOptions): Buffer {
  const before = durable.bytes
  if (prng === undefined || pending.length === 0) return before
  const after = changed(durable, pending)
  if (after.length < before.length) return prng.below(2) === 0 ? before : after
  for (let from = 0; from < before.length; from += SECTOR_BYTES) {
    if (prng.below(2) === 0) before.copy(after, from, from, Math.min(before.length, from + SECTOR_BYTES))
  }
  const appended = after.length - before.length
  const choice = prng.pick(['nothing', 'prefix', 'zeros', 'all', ...(holes ? (['holes'] as const) : [])] as const)
  switch (choice) {
    case 'prefix':
      return after.subarray(0, before.length + prng.below(appended + 1))
    case 'zeros':
      return after.fill(0, Math.min(after.length, sectorEdge(before.length + prng.below(appended + 1))))
    case 'all':
      return after
    case 'holes':
      for (let from = sectorEdge(before.length); from < after.length; from += SECTOR_BYTES) {
        if (prng.below(2) === 0) after.fill(0, from, Math.min(after.length, from + SECTOR_BYTES))
      }
      return after
    default:
      return after.subarray(0, before.length)
  }
}

/** The next edge at or above an offset. */
function sectorEdge(offset: number): number {
  return Math.ceil(offset / SECTOR_BYTES) * SECTOR_BYTES
}
