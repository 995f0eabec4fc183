/** abstract-level's own suite: every test that the manifest of `CoterieLevel` enables, as it is published. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tape from 'tape'
import { CoterieLevel, type CoterieLevelOptions } from '../../src/index.js'

type Suite = (options: { test: typeof tape; factory: (options?: object) => unknown }) => void

const suite = createRequire(import.meta.url)('abstract-level/test') as Suite
const folder = mkdtempSync(join(tmpdir(), 'coterie-level-'))
let databases = 0

suite({
  test: tape,
  factory: (options?: CoterieLevelOptions<string, string>) => {
    databases += 1
    return new CoterieLevel(join(folder, String(databases)), { nodes: 2, partitions: 16, ...options })
  },
})
tape.onFinish(() => rmSync(folder, { recursive: true, force: true }))
