import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from 'coterie'

const location = mkdtempSync(join(tmpdir(), 'coterie-bundled-'))
const workers = {
  node: new URL('./node.actor.mjs', import.meta.url),
  verify: new URL('./verify.task.mjs', import.meta.url),
}
const cluster = await openCluster({ location, nodes: 3, workers })
await cluster.put('k', 'v')
assert.equal(Buffer.from(await cluster.get('k')).toString(), 'v')
await cluster.close()

// A second opening finds files, so the pool verifies them.
const again = await openCluster({ location, workers })
assert.equal(Buffer.from(await again.get('k')).toString(), 'v')
await again.close()
rmSync(location, { recursive: true })
