/**
 * `npm run level-suite`: abstract-level's own suite, every test that the manifest of `CoterieLevel` enables, as it is published. Not part of `npm test` yet: its
 * process does not end by itself. Some of its tests leave
 * their database open, which costs a database in a thread's memory nothing and a cluster its threads: each is closed with its test.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tape from 'tape'
import { CoterieLevel, type CoterieLevelOptions } from '../../src/index.js'

type Body = (t: tape.Test) => unknown
type Suite = (options: { test: (name: string, body: Body) => void; factory: (options?: object) => unknown }) => void

const suite = createRequire(import.meta.url)('abstract-level/test') as Suite
const folder = mkdtempSync(join(tmpdir(), 'coterie-level-'))
let databases = 0
/** Made by the test that runs. */
let own: CoterieLevel[] = []

/** Its options are not those that a hook is shown. */
class SmallLevel extends CoterieLevel {
  override _open(options: Parameters<CoterieLevel['_open']>[0]): Promise<void> {
    return super._open({ nodes: 2, partitions: 16, ...options })
  }
}

suite({
  test: (name, body) => {
    tape(name, (t) => {
      own = []
      const done = Promise.resolve().then(() => body(t))
      t.teardown(async () => {
        // Also of a test that is over by its plan; tape hears of what it rejects with.
        await Promise.allSettled([done])
        // What a setup opens is used, and closed, by the tests that follow.
        if (!name.endsWith('setup')) await Promise.all(own.map(closed))
      })
      return done
    })
  },
  factory: (options?: CoterieLevelOptions<string, string>) => {
    databases += 1
    const db = new SmallLevel(join(folder, String(databases)), options)
    own.push(db)
    return db
  },
})
// The first is made before any test, for its manifest.
await Promise.all(own.map(closed))
tape.onFinish(() => rmSync(folder, { recursive: true }))

/** Those that a hook has left between open and closed cannot be, and hold nothing. */
async function closed(db: CoterieLevel): Promise<void> {
  // Some would open it again.
  db.removeAllListeners()
  try {
    await db.close()
  } catch (error) {
    if ((error as { code?: string }).code !== 'LEVEL_STATUS_LOCKED') throw error
  }
}
