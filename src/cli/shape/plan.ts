/** `coterie plan --join 1 --leave node2`: what would be copied, and who would own how much. Nothing is changed. */

import { accessCluster } from '../access.js'
import type { PlanCommand } from '../commands.js'
import { checkIds } from './new-ids.js'
import { planLines } from './plan-lines.js'

export async function planCommand({ cluster: options, join, leave, json }: PlanCommand): Promise<number> {
  const cluster = await accessCluster(options)
  try {
    await checkIds(cluster, join)
    const plan = await cluster.plan({ join: join.count, leave })
    process.stdout.write(json ? `${JSON.stringify(plan)}\n` : `${planLines(plan, await cluster.status()).join('\n')}\n`)
    return 0
  } finally {
    await cluster.close()
  }
}
