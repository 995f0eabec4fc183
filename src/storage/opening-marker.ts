/**
 * A file in a node's folder for as long as LevelDB opens its store: `{ pid, deaths }`. If the process dies in LevelDB (an
 * assertion, a bad address), it says over whose store that may have been.
 *
 * What it can say, and no more: these nodes were being opened by this process. Several are at once, so the first such death
 * makes all of them suspects, which are opened one after the other from then on; at the second, one is left, and its store is set
 * aside. Of a death while all stores are open nobody can say whose it was: every store is verified to the last block.
 *
 * Who died, and of what, the parent of `coterie start` knows; without it a marker that is left says nothing, and changes nothing.
 */

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeId } from '../protocol/ids.js'
import { nodeFolders } from './layout.js'
import { codeOf } from './store-error.js'

/** How the process before this one ended, as its parent saw it. */
export interface NativeDeath {
  readonly pid: number
  readonly signal: string
}

export interface Suspicion {
  /** For people. */
  readonly reason: string
  /** It was being opened when a process died: no other suspect is opened at the same time. */
  readonly opensAlone: boolean
  /** It was being opened, alone, at the death before, too. */
  readonly setAside: boolean
}

interface Marker {
  /** Of the process that opens it, or tried to. */
  readonly pid: number
  /** Processes that died in a row while they opened it. */
  readonly deaths: number
}

const DEATHS_MAX = 2

/** LevelDB is about to open the node's store. Errors: those of fs. */
export function markOpening(nodeFolder: string): void {
  const deaths = readMarker(nodeFolder)?.deaths ?? 0
  writeMarker(nodeFolder, { pid: process.pid, deaths })
}

/** It is open, or has said that it will not be. */
export function unmarkOpening(nodeFolder: string): void {
  // Not `rmSync`: newer versions of Node.js remove by other means than the system call, which a trace of the disk then misses.
  try {
    unlinkSync(pathOf(nodeFolder))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/**
 * Which stores are not to be trusted, and how far. Notes the death in the markers: call it once a process, before a store is opened.
 *
 * `maySetAside`: enough others hold what a node holds.
 */
export function suspectsAfter(
  death: NativeDeath | undefined,
  options: { location: string; nodes: readonly NodeId[]; maySetAside: boolean },
): ReadonlyMap<NodeId, Suspicion> {
  const suspects = new Map<NodeId, Suspicion>()
  for (const node of options.nodes) {
    const { folder } = nodeFolders(options.location, node)
    const marker = readMarker(folder)
    const died = death !== undefined && marker?.pid === death.pid
    const deaths = (marker?.deaths ?? 0) + (died ? 1 : 0)
    if (died) writeMarker(folder, { pid: death.pid, deaths })
    if (death === undefined && deaths === 0) continue
    const what = death === undefined ? 'an earlier process died' : `the process died of ${death.signal}`
    suspects.set(node, {
      reason: deaths === 0 ? `${what} with its store open` : `${what} while it was being opened (${deaths} in a row)`,
      opensAlone: deaths > 0,
      setAside: deaths >= DEATHS_MAX && options.maySetAside,
    })
  }
  return suspects
}

function readMarker(nodeFolder: string): Marker | undefined {
  let text: string
  try {
    text = readFileSync(pathOf(nodeFolder), 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  // Written in one piece by a process that then lived on for a while; what is not whole says nothing.
  const [, pid, deaths] = /^\{"pid":(\d+),"deaths":(\d+)\}$/.exec(text) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), deaths: Number(deaths) }
}

function writeMarker(nodeFolder: string, { pid, deaths }: Marker): void {
  writeFileSync(pathOf(nodeFolder), JSON.stringify({ pid, deaths }))
}

function pathOf(nodeFolder: string): string {
  return join(nodeFolder, 'opening')
}
