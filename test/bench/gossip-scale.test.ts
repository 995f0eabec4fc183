/** What `npm run bench:gossip-scale` claims, for clusters small enough for every run of the tests; and its arithmetic. */

import { test } from 'tap'
import { EventQueue } from '../../bench/gossip/event-queue.js'
import { measureRest, measureSpread, settle } from '../../bench/gossip/measure-size.js'
import { SimulatedCluster } from '../../bench/gossip/simulated-cluster.js'
import { fitLog, messagesPerRoundMax, quantile } from '../../bench/gossip/theory.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'

const { gossipMs, gossipFanout, gossipConvergedMs } = MEMBERSHIP_DEFAULTS
/** The full runs measure 0.4 log2 n for the median; these are single runs, and some of them lose mail. */
const ROUNDS_PER_LOG = 2

function settled(members: number, seed: number): SimulatedCluster {
  const cluster = new SimulatedCluster(members, seed)
  settle(cluster)
  return cluster
}

for (const members of [10, 30])
  test(`gossip of ${members}: a change reaches all in O(log n) rounds of at most three messages a peer`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const cluster = settled(members, seed)
      for (const kind of ['status', 'epoch'] as const)
        for (const loss of [0, 0.1]) {
          const { ms, load } = measureSpread(cluster, kind, loss)
          const rounds = ms / gossipMs
          const what = `${kind}, seed ${seed}, ${loss * 100} % lost: ${rounds.toFixed(1)} rounds`
          t.ok(rounds <= ROUNDS_PER_LOG * Math.log2(members), what)
          t.ok(load.roundsPerMember <= rounds + 1, `${what}, ${load.roundsPerMember.toFixed(1)} made by a member`)
          t.ok(load.messagesPerRound <= messagesPerRoundMax(gossipFanout), `${what}, ${load.messagesPerRound} messages`)
          t.ok(load.synsPerRoundMax <= gossipFanout, `${what}, ${load.synsPerRoundMax} syns`)
        }
    }
  })

test('gossip at rest: a syn and its answer to each of fan-out peers a slow round, whatever the size', async (t) => {
  for (const members of [10, 30]) {
    const load = measureRest(settled(members, 1), 10 * gossipConvergedMs)
    t.equal(load.messagesPerRound, 2 * gossipFanout)
    t.equal(load.roundsPerMember, 10)
  }
})

test('gossip simulation: one seed gives one run', async (t) => {
  const spreadMs = (seed: number) => measureSpread(settled(10, seed), 'status', 0.1).ms
  t.equal(spreadMs(5), spreadMs(5))
  t.not(spreadMs(5), spreadMs(6))
})

test('event queue: the earliest first, and of one time the first added', async (t) => {
  const queue = new EventQueue<string>()
  for (const [at, atMs] of [5, 3, 9, 3, 1, 9, 0, 3].entries()) queue.add(atMs, `${atMs}:${at}`)
  const taken = (limitMs: number) => {
    const events: string[] = []
    for (let next = queue.takeUntil(limitMs); next !== undefined; next = queue.takeUntil(limitMs))
      events.push(next.event)
    return events
  }
  t.same(taken(5), ['0:6', '1:4', '3:1', '3:3', '3:7', '5:0'])
  t.same(taken(9), ['9:2', '9:5'])
})

test('theory: a fit finds the factor of a logarithm and says how well it lies', async (t) => {
  const exact = [8, 64, 1_024].map((members) => ({ members, rounds: 0.75 * Math.log2(members) }))
  t.same(fitLog(exact), { c: 0.75, rSquared: 1 })
  t.ok(fitLog(exact.map(({ members }) => ({ members, rounds: members / 10 }))).rSquared < 0.8)
  t.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  t.equal(quantile([5, 4, 1, 3, 2], 0.5), 3)
  t.equal(quantile([4, 1, 3, 2], 1), 4)
  t.equal(quantile([7], 0.9), 7)
})
