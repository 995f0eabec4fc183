/** The assertions of the keep-answering tests: one variant a file, so that each file stays short. */

import { describeViolation } from '../../src/sim/checkers/linearizability.js'
import { folderForTest, type TestContext } from './cluster.js'
import { describeSoak, type SoakOptions, soak } from './soak.js'

/** Seconds that a soak in the test suite lasts: `COTERIE_SOAK_SECONDS`, or what the test says. */
export function soakSeconds(byDefault: number): number {
  const said = Number(process.env.COTERIE_SOAK_SECONDS)
  return Number.isFinite(said) && said > 0 ? said : byDefault
}

/** Soaks and asserts everything but times: those `npm run soak` judges. */
export async function assertKeepsAnswering(
  t: TestContext,
  options: Omit<SoakOptions, 'location' | 'seed'>,
): Promise<void> {
  const report = await soak({ location: await folderForTest(t), seed: 1, requestsPerSecondMax: 8_000, ...options })
  for (const line of describeSoak(report)) t.comment(line)
  t.same(report.failures.slice(0, 10), [], 'no request fails')
  t.same(
    report.violations.slice(0, 3).map(describeViolation),
    [],
    'every key is linearizable, nothing acknowledged is lost',
  )
  t.same(report.nodesNotBack, [], 'every node is back by itself')
  t.equal(report.copies, 3 * report.liveKeys, 'every key is back at full replication')
  t.ok(report.faults.length >= 2 && report.requests > 1_000, 'there were faults, and requests that met them')
}
