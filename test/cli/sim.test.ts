/** `coterie sim` as a user runs it. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'

const BIN = fileURLToPath(new URL('../../src/cli/coterie.cjs', import.meta.url))

async function sim(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [BIN, 'sim', ...args], {
      maxBuffer: 2 ** 28,
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('sim: several seeds, a summary', async (t) => {
  const { code, stdout } = await sim('--seeds', '6', '--from', '20', '--operations', '60')
  t.equal(code, 0)
  t.match(stdout, /^6 seeds, 0 broken, in /)
  t.match(stdout, /360 calls/)
})

test('sim: one seed, its trace, the same each time', async (t) => {
  const first = await sim('--seed', '21', '--operations', '40', '--trace')
  t.equal(first.code, 0)
  t.match(first.stdout, /gateway\d+ {2}CALL 1 {2}/)
  t.notMatch(first.stdout, /gossip\/syn/)
  const again = await sim('--seed', '21', '--operations', '40', '--trace')
  t.ok(first.stdout === again.stdout)
})

test('sim: one seed as JSON, with some of its faults', async (t) => {
  const { stdout } = await sim('--seed', '22', '--operations', '40', '--only', 'none', '--json')
  const report = JSON.parse(stdout)
  t.equal(report.seed, 22)
  t.same(report.faults, {})
  t.same(report.violations, [])
})

test('sim: what makes no sense is refused', async (t) => {
  const { code, stderr } = await sim('--trace')
  t.equal(code, 2)
  t.match(stderr, /need --seed/)
})
