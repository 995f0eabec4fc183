import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CoterieLevel, openCluster } from 'coterie'
import { healthOf, PrometheusMetrics } from 'coterie/observe'

const location = mkdtempSync(join(tmpdir(), 'coterie-use-'))
const cluster = await openCluster({ location, nodes: 3 })
await cluster.put('greeting', 'hello')
await cluster.put('other', Uint8Array.of(1, 2, 3))
assert.equal(Buffer.from(await cluster.get('greeting')).toString(), 'hello')
assert.equal(await cluster.get('nothing'), undefined)

const keys = []
for await (const [key] of cluster.scan({})) keys.push(Buffer.from(key).toString())
assert.deepEqual(keys, ['greeting', 'other'])
assert.equal(cluster.status().nodes.length, 3)
assert.deepEqual(healthOf(cluster), { live: true, ready: true, reasons: [] })
assert.match((await new PrometheusMetrics(cluster).text()).body, /^coterie_ready 1$/m)
await cluster.close()

const db = new CoterieLevel(location)
await db.batch([{ type: 'put', key: 'as level', value: 'says' }])
assert.deepEqual(await db.keys().all(), ['as level', 'greeting', 'other'])
await db.close()
rmSync(location, { recursive: true })
