/**
 * A process that damages copies of a closed cluster, opens them one after the other, and says what is wrong with each: what quorum
 * reads and scans serve at once, whether every copy is back after it has settled, and what then lies in the stores. It is told
 * which by messages; that it dies is what its parent watches for.
 */

import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, CoterieError, openCluster } from '../../../src/index.js'
import { Prng } from '../../../src/protocol/prng.js'
import { clusterFolderOf, nodeFolders } from '../../../src/storage/layout.js'
import { damageFile, damageFolder } from './damage-deeds.js'
import {
  closeAndLook,
  type DamageReport,
  type Expected,
  missingCopies,
  SMALL,
  unsettled,
  wrongKeys,
  wrongScan,
} from './damage-judge.js'
import { clusterFilesOf, type FileKind, isClusterFile, nodeFilesOf } from './damage-kinds.js'
import type { DamageCase } from './damage-plan.js'
import type { Whole } from './damage-prepare.js'
import { differingPaths, readTree } from './folder-tree.js'

/** What it is told. */
export interface ClosedTask {
  readonly damage: DamageCase
  readonly whole: Whole
  /** Where the copy is made. */
  readonly location: string
}

/** One in so many that were refused is opened once more when the file is back. */
const BROUGHT_BACK_SHARE = 8

process.on('message', (task: ClosedTask) => {
  void examine(task).then((report) => process.send?.(report))
})

async function examine(task: ClosedTask): Promise<DamageReport> {
  const { whole, location } = task
  const expected: Expected = new Map(Object.entries(JSON.parse(readFileSync(whole.expected, 'utf8')) as object))
  rmSync(location, { recursive: true, force: true })
  cpSync(whole.location, location, { recursive: true })
  const { what, back } = damage(task)
  const before = readTree(location)
  const opened = await openOrReason(location)
  if (opened instanceof CoterieError) {
    const problems = problemsOfRefusal(task, opened)
    // A refusal must change nothing: what a person brings back must be all that is needed.
    const changed = differingPaths(before, contentsOf(location)).filter((path) => !isOfLock(location, path))
    if (changed.length > 0) problems.push(`it was refused, and changed ${changed.join(', ')}`)
    if (problems.length === 0 && task.damage.seed % BROUGHT_BACK_SHARE === 0) {
      back()
      problems.push(...(await problemsOf(await openCluster({ ...SMALL, location }), expected)).problems)
    }
    return { what, problems, healedMs: 0, fate: 'refused' }
  }
  return { what, ...(await problemsOf(opened, expected)) }
}

/** `back`: takes a file's damage back. */
function damage({ damage: { seed, damage: wanted }, whole, location }: ClosedTask): {
  what: string
  back: () => void
} {
  const prng = new Prng(seed)
  if (wanted.kind !== 'folder') {
    const path = prng.pick(filesOf(location, wanted.kind, prng))
    if (path === undefined) throw new Error(`${location} has no ${wanted.kind}`)
    const bytes = readFileSync(path)
    return { what: damageFile(path, wanted.deed, prng), back: () => writeFileSync(path, bytes) }
  }
  const nodes = nodesOf(location)
  const node = prng.pick(nodes) ?? ''
  const other = prng.pick(nodes.filter((one) => one !== node)) ?? ''
  const folders = { location, older: whole.older }
  return { what: damageFolder(folders, { node, other }, wanted.deed), back: () => undefined }
}

/** Of one node that has some, or of the cluster. */
function filesOf(location: string, kind: FileKind, prng: Prng): string[] {
  if (isClusterFile(kind)) {
    if (kind === 'gate') adoptGate(clusterFolderOf(location))
    return clusterFilesOf(location, kind)
  }
  // It is there while a store is being opened, and after a death in that moment.
  if (kind === 'opening')
    for (const node of nodesOf(location))
      writeFileSync(join(nodeFolders(location, node).folder, 'opening'), '{"pid":1,"deaths":0}')
  const files = nodesOf(location).map((node) => nodeFilesOf(location, node, kind))
  return prng.pick(files.filter((some) => some.length > 0)) ?? []
}

/** As if an earlier process had had the number of this one. */
function adoptGate(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith('gate-')) renameSync(join(folder, name), join(folder, `gate-${process.pid}`))
}

function nodesOf(location: string): string[] {
  return readdirSync(location)
    .filter((name) => /^node\d+$/.test(name))
    .sort()
}

async function openOrReason(location: string): Promise<Cluster | CoterieError> {
  try {
    return await openCluster({ ...SMALL, location })
  } catch (error) {
    if (error instanceof CoterieError) return error
    throw error
  }
}

/** Only a table that cannot be read may be refused. */
function problemsOfRefusal({ damage: { damage: wanted } }: ClosedTask, error: CoterieError): string[] {
  const isRight = error.code === 'LOCATION_DAMAGED' && error.facts.file === 'cluster/table.json'
  return isRight && wanted.kind === 'table.json' ? [] : [`it did not open: ${String(error)}`]
}

function contentsOf(location: string): Map<string, Buffer | 'folder'> {
  return new Map([...readTree(location)].map(([path, { content }]) => [path, content]))
}

function isOfLock(location: string, path: string): boolean {
  return /^(lock|gate-\d+)(\/|$)/.test(path.slice(clusterFolderOf(location).length + 1))
}

async function problemsOf(cluster: Cluster, expected: Expected): Promise<Omit<DamageReport, 'what'>> {
  const startedMs = performance.now()
  let isNoticed = cluster.status().nodes.some((node) => node.quarantined.length > 0 || node.pending > 0)
  for (const name of ['node:amnesia', 'node:quarantine', 'repair', 'record:damaged'] as const) {
    cluster.on(name, () => {
      isNoticed = true
    })
  }
  const problems = [
    ...(await wrongKeys(cluster, expected, 'at once, by quorum')),
    ...(await wrongScan(cluster, expected)),
  ]
  problems.push(...(await unsettled(cluster)))
  const healedMs = performance.now() - startedMs
  problems.push(...missingCopies(cluster, expected))
  problems.push(...(await closeAndLook(cluster, expected)))
  return { problems, healedMs, fate: isNoticed ? 'noticed' : 'unnoticed' }
}
