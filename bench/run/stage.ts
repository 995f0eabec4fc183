/** Opens stores beside each other with the same records, hands them to a measurement, and closes them whatever happens. */

import type { Data, Host, HostInput, Subject } from '../subjects/subject.js'
import { PeerMissing } from '../subjects/subject.js'
import type { Context } from './context.js'

/** How a host is opened, by its name. */
export interface HostPlan {
  readonly name: string
  open(input: HostInput): Promise<Host>
}

/** Whoever cannot be had here is left out, and `context.missing` says so; every other failure is one. */
export async function onStage<T>(
  context: Context,
  stage: { readonly data: Data; readonly plans: readonly HostPlan[] },
  work: (subjects: readonly Subject[]) => Promise<T>,
): Promise<T> {
  const openedAt = performance.now()
  const hosts: Host[] = []
  try {
    for (const plan of stage.plans) {
      const host = await openPlan(context, plan, stage.data)
      if (host === undefined) continue
      hosts.push(host)
      await host.load(stage.data)
    }
    context.say(
      `  ${stage.plans.map(({ name }) => name).join(', ')}: ${stage.data.records.toLocaleString('en')} records each, after ${Math.round((performance.now() - openedAt) / 1_000)} s`,
    )
    return await work(hosts.flatMap(({ subjects }) => subjects))
  } finally {
    for (const host of hosts.reverse()) await host.close()
  }
}

async function openPlan(context: Context, plan: HostPlan, data: Data): Promise<Host | undefined> {
  try {
    return await plan.open({ folder: await context.folder(), data })
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error
    context.missing.set(plan.name, error.message)
    context.say(`NOT MEASURED: ${plan.name}: ${error.message}`)
    return undefined
  }
}
