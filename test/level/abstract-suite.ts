/**
 * abstract-level's own suite: every test that the manifest of `CoterieLevel` enables, as it is published. It registers its tests
 * twice, the second time on a sublevel: each pass is run by a file of its own.
 *
 * Some of its tests leave their database open, which costs a database in a thread's memory nothing and a cluster its threads:
 * each is closed with its test.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tape from 'tape'
import { CoterieLevel, type CoterieLevelOptions } from '../../src/index.js'

export type Pass = 'database' | 'sublevel'
type Body = (t: tape.Test) => unknown
type Suite = (options: { test: (name: string, body: Body) => void; factory: (options?: object) => unknown }) => void
/** Of a sublevel, what is called here. */
type Openable = Pick<CoterieLevel, 'status' | 'open' | 'removeAllListeners'>

const LOCKED = ['LEVEL_STATUS_LOCKED', 'LEVEL_DATABASE_NOT_CLOSED']

const suite = createRequire(import.meta.url)('abstract-level/test') as Suite
const folder = mkdtempSync(join(tmpdir(), 'coterie-level-'))
let databases = 0
/** Made by the test that runs. */
let own: CoterieLevel[] = []
let sublevels: Openable[] = []
/** Made by a setup, for the tests that follow it up to a teardown. */
let shared: CoterieLevel[] = []

/** Copies are other tests' business: what the suite asks is answered by one node at half the price of two. */
const NODES = 1
let clusterOptions: CoterieLevelOptions<string, string> = {}

/** Its options are not those that a hook is shown. */
class SmallLevel extends CoterieLevel {
  override _open(options: Parameters<CoterieLevel['_open']>[0]): Promise<void> {
    return super._open({ partitions: 16, ...clusterOptions, ...options })
  }
}

/** `of`: what each cluster is opened with. */
export async function runSuite(
  wanted: Pass,
  of: CoterieLevelOptions<string, string> = { nodes: NODES },
): Promise<void> {
  clusterOptions = of
  let pass: Pass = 'database'
  const names = new Set<string>()
  suite({
    test: (name, body) => {
      // The first of all comes again.
      if (names.size > 1 && names.values().next().value === name) pass = 'sublevel'
      names.add(name)
      if (pass === wanted) tape(name, (t) => inTest(name, t, body))
    },
    factory,
  })
  // The first are made before any test, for their manifests.
  await closeOwn()
  tape.onFinish(() => rmSync(folder, { recursive: true }))
}

/** The test, and after it the end of what it has opened. */
function inTest(name: string, t: tape.Test, body: Body): unknown {
  // Some are over by their plan: tape ends one whose promise has resolved, so that there must be none of ours.
  let done: unknown
  t.teardown(async () => {
    // It may be over by its plan and still run; tape hears of what it rejects with.
    await Promise.allSettled([done])
    if (name.endsWith('setup')) {
      shared.push(...own)
      own = []
      return
    }
    await closeOwn()
    if (!name.endsWith('teardown')) return
    await Promise.all(shared.map(closed))
    shared = []
  })
  done = body(t)
  return done
}

function factory(options?: CoterieLevelOptions<string, string>): CoterieLevel {
  databases += 1
  const db = new SmallLevel(join(folder, String(databases)), options)
  own.push(db)
  const make = db.sublevel.bind(db) as unknown as (...call: unknown[]) => Openable
  const sublevel = (...call: unknown[]): Openable => {
    const made = make(...call)
    sublevels.push(made)
    return made
  }
  return Object.assign(db, { sublevel })
}

async function closeOwn(): Promise<void> {
  const [databasesOpen, sublevelsOpen] = [own, sublevels]
  own = []
  sublevels = []
  // A test may be over while one opens: that must not fail for want of its database. And some open again what is closed.
  await Promise.allSettled(sublevelsOpen.map(async (one) => one.status === 'opening' && (await one.open())))
  for (const one of [...sublevelsOpen, ...databasesOpen]) one.removeAllListeners()
  await Promise.all(databasesOpen.map(closed))
}

/** One that failing hooks have left between open and closed, or a sublevel of it, cannot be: its cluster is. */
async function closed(db: CoterieLevel): Promise<void> {
  try {
    await db.close()
  } catch (error) {
    if (!LOCKED.includes((error as { code?: string }).code ?? '')) throw error
    await db._close()
  }
}
