/** The bound on standing faults, with a supervisor whose nodes have no threads to be told. */

import { test } from 'tap'
import { NO_FAULTS, sendersIn } from '../actors/runtime/fault-rules.js'
import type { SupervisorActor } from '../actors/supervisor.actor.js'
import { StandingFaults } from '../src/standing-faults.js'

const IDS = Array.from({ length: 64 }, (_, index) => `node${index + 1}`)

test('rules of links are bounded by the ids that they are from; healing some links never exceeds it', async (t) => {
  const supervisor = {
    faultRules: NO_FAULTS,
    nodes: () => IDS.map((id) => ({ id, phase: 'up' })),
    factsOf: (id: string) => (IDS.includes(id) ? {} : undefined),
    isGateway: () => false,
  }
  const faults = new StandingFaults(supervisor as unknown as SupervisorActor)
  // Both sides of a cut count.
  for (let times = 0; times < 32; times++) await faults.cut(IDS, IDS)
  await t.rejects(faults.cutOneWay('node1', 'node2'), { code: 'INVALID_OPTION' })
  t.equal(sendersIn(supervisor.faultRules.links), 4_096)
  for (let index = 0; index < 4; index++) {
    await faults.healLinks(IDS[index] ?? '', IDS.slice(index + 1))
    t.ok(sendersIn(supervisor.faultRules.links) <= 4_096)
  }
  await faults.healLinks(IDS, IDS)
  t.same(supervisor.faultRules.links, [])
  await faults.cutOneWay('node1', 'node2')
})
