/** Which backups may seed a node. */

import { test } from 'tap'
import { checkSeed, type SeedTarget } from '../../src/opening/seed.js'
import { newTable } from '../../src/protocol/supervision/reassignment.js'

const CUT_NS = 10n ** 18n
const manifest = { clusterId: 'ours', partitions: 16, cut: { at: '', clockNs: String(CUT_NS), table: newTable([], 3) } }
const target: SeedTarget = { clusterId: 'ours', partitions: 16, clockNs: CUT_NS + 1n, reapedNs: 0n }

test('seed: only of this cluster, not of a later time, not of a time before tombstones were reaped', async (t) => {
  const check = (change: Partial<SeedTarget>) => () => checkSeed('dir', manifest, { ...target, ...change })
  t.doesNotThrow(check({}))
  t.throws(check({ clusterId: 'another' }), { code: 'BACKUP_MISMATCH' })
  t.throws(check({ clockNs: CUT_NS - 1n }), { code: 'BACKUP_MISMATCH' })
  t.throws(check({ reapedNs: CUT_NS }), { code: 'BACKUP_MISMATCH' }, 'it was read when the snapshots had been taken')
  t.throws(check({ reapedNs: CUT_NS - 60_000_000_000n + 1n }), { code: 'BACKUP_MISMATCH' })
  t.doesNotThrow(check({ reapedNs: CUT_NS - 60_000_000_000n }))
})
