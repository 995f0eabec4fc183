/** When a node that died is started again, and when it is not. */

import { test } from 'tap'
import { planRestart, RESTART_POLICY_DEFAULTS } from '../../../src/protocol/supervision/restart-policy.js'
import { Supervised } from './supervised.js'

const { backoffMsMin, backoffMsMax, restartsMax, windowMs, stableAfterMs } = RESTART_POLICY_DEFAULTS

test('restart: the first restart is immediate, each further short life doubles the pause, up to a bound', async (t) => {
  const patient = { ...RESTART_POLICY_DEFAULTS, restartsMax: 100 }
  const pauses = Array.from({ length: 14 }, (_, lives) => {
    const decision = planRestart(
      Array.from({ length: lives + 1 }, () => 0),
      patient,
      0,
    )
    return decision.type === 'restart' ? decision.delayMs : decision.type
  })
  t.same(pauses.slice(0, 5), [0, backoffMsMin, backoffMsMin * 2, backoffMsMin * 4, backoffMsMin * 8])
  t.equal(pauses.at(-1), backoffMsMax)
})

test('restart: one more short life than are forgiven within the window, and it is down for good', async (t) => {
  const lives = (count: number, atMs: number): number[] => Array.from({ length: count }, () => atMs)
  t.equal(planRestart(lives(restartsMax, 0), RESTART_POLICY_DEFAULTS, 0).type, 'restart')
  t.equal(planRestart(lives(restartsMax + 1, 0), RESTART_POLICY_DEFAULTS, 0).type, 'give-up')
  t.equal(
    planRestart(lives(restartsMax + 1, 0), RESTART_POLICY_DEFAULTS, windowMs).type,
    'restart',
    'the window is over',
  )
})

test('restart: a long life counts for nothing, neither toward the pause nor toward the bound', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  for (let life = 0; life < restartsMax * 3; life++) {
    cluster.runFor(stableAfterMs)
    cluster.exit('node4')
    t.equal(cluster.phaseOf('node4'), 'up', `life ${life + 2} began at once`)
  }
  for (let life = 0; life <= restartsMax; life++) {
    t.not(cluster.phaseOf('node4'), 'down')
    cluster.exit('node4')
    // Longer than any pause of so few; shorter lives than a long one.
    while (cluster.phaseOf('node4') === 'waiting') cluster.runFor(50)
  }
  t.equal(cluster.phaseOf('node4'), 'down')
})

test('restart: one death is nobody else’s', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.runFor(stableAfterMs)
  cluster.exit('node4')
  t.same(
    cluster.ids.map((id) => cluster.incarnationOf(id)),
    [1, 1, 1, 2],
  )
  t.ok(cluster.ids.every((id) => cluster.phaseOf(id) === 'up' && cluster.terminations(id).length === 0))
})
