/** Backups from the command line: made, checked and restored, and what an interrupted restore leaves. */

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { until } from '../support/cluster.js'
import { finished, type Result, run, start } from '../support/run-command.js'

const ATTEMPTS_MAX = 10

test('backup, verify, restore: a folder of a cluster, and back', async (t) => {
  const folder = t.testdir()
  await run(folder, ['put', '2', 'Two', '--nodes', '3', '--partitions', '16'])
  const backup = await run(folder, ['backup', 'b'])
  t.match(backup, { code: 0, stdout: /^3 records .* of 3 nodes backed up .*writes stopped for/ })
  t.match(await run(folder, ['verify', 'b']), { code: 0, stdout: /node1 .* ok\n[\s\S]*backup in b: nothing is wrong/ })
  const restored = await run(folder, ['restore', 'b', '--data', 'new', '--nodes', '4', '--json'])
  t.equal(restored.code, 0)
  t.match(JSON.parse(restored.stdout), { nodes: { length: 4 }, partitions: 16 })
  t.match(JSON.parse((await run(folder, ['verify', 'new', '--json'])).stdout), { kind: 'cluster', ok: true })
  rmSync(join(folder, 'b', 'node2-backup-database', 'CURRENT'))
  t.match(await run(folder, ['verify', 'b']), { code: 1, stdout: /node2: CURRENT[\s\S]*it is damaged/ })
})

test('restore: after Ctrl-C it says what the folder is, opening it says so too, and restoring again works', async (t) => {
  const folder = t.testdir()
  const rows = Array.from({ length: 20_000 }, (_, number) => `key ${number}\t${'value '.repeat(20)}${number}`)
  writeFileSync(join(folder, 'rows.tsv'), `${rows.join('\n')}\n`)
  t.match(await run(folder, ['load', 'rows.tsv', '--nodes', '3', '--partitions', '16']), { code: 0 })
  t.match(await run(folder, ['backup', 'b']), { code: 0 })
  const result = await interruptedRestore(folder)
  t.match(result, { code: 130, stdout: '', stderr: /interrupted: there is no cluster in new; restore into it again/ })
  t.match(await run(folder, ['get', 'key 7', '--location', 'new']), { code: 1, stderr: /RESTORE_INCOMPLETE.*again/ })
  t.match(await run(folder, ['restore', 'b', '--data', 'new']), { code: 0, stdout: /restored into .*new: 3 nodes/ })
  t.match(await run(folder, ['get', 'key 7', '--location', 'new']), { code: 0, stdout: /value 7/ })
  t.match(await run(folder, ['verify', 'b']), { code: 0, stdout: /nothing is wrong/ })
})

/** SIGINT once stores are being filled. A restore that was done before it heard of it is done again. */
async function interruptedRestore(folder: string): Promise<Result> {
  const store = join(folder, 'new', 'node3', 'store')
  for (let attempt = 1; ; attempt++) {
    const child = start(folder, ['restore', 'b', '--data', 'new'])
    const result = finished(child)
    await until(() => existsSync(store) || child.exitCode !== null)
    child.kill('SIGINT')
    const { code, ...output } = await result
    if (code !== 0 || attempt === ATTEMPTS_MAX) return { code, ...output }
    rmSync(join(folder, 'new'), { recursive: true })
  }
}
