/** Which backups may seed a node. */

import { test } from 'tap'
import { checkSeed, type SeedTarget } from '../../src/opening/seed.js'
import { newTable } from '../../src/protocol/supervision/reassignment.js'

const manifest = { clusterId: 'ours', partitions: 16, cut: { at: '', clockNs: '100', table: newTable([], 3) } }
const target: SeedTarget = { clusterId: 'ours', partitions: 16, clockNs: 200n, reapedNs: 0n }

test('seed: only of this cluster, not of a later time, not of a time before tombstones were reaped', async (t) => {
  const check = (change: Partial<SeedTarget>) => () => checkSeed('dir', manifest, { ...target, ...change })
  t.doesNotThrow(check({}))
  t.throws(check({ clusterId: 'another' }), { code: 'BACKUP_MISMATCH' })
  t.throws(check({ clockNs: 99n }), { code: 'BACKUP_MISMATCH' })
  t.throws(check({ reapedNs: 101n }), { code: 'BACKUP_MISMATCH' })
  t.doesNotThrow(check({ reapedNs: 100n }))
})
