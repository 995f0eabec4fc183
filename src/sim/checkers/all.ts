/** The checkers of a run. */

import type { Observer } from '../observer.js'
import type { Plan } from '../plan.js'
import type { Checker, Report } from './checker.js'
import { Cuts } from './cuts.js'
import { Fills } from './fills.js'
import { Ends, Linearizability, LostWrites } from './histories.js'
import { Quorums } from './quorums.js'
import { ReadValues } from './reads.js'
import { HintsConserved, Leftovers, ReplicasIdentical } from './replicas.js'
import { Acknowledgements, Deadlines, Owners, Replies } from './replies.js'
import { Scans } from './scans.js'
import { SiblingValues } from './siblings.js'
import { EpochsGrow, OneTable, Placement } from './tables.js'
import { Bounds, Credits, GossipBound, Stamps } from './traffic.js'

const PARTITIONS = 16

export function checkersFor(
  plan: Plan,
  report: Report,
  now: () => number,
): { readonly checkers: readonly Checker[]; readonly wire: Observer } {
  const isSiblings = plan.conflict === 'siblings'
  const replies = [new Acknowledgements(report), new Owners(report, PARTITIONS), new Deadlines(report)]
  const wire = new Replies(replies)
  const common = [
    new Ends(report),
    new Scans(report),
    new ReadValues(report),
    ...replies,
    new OneTable(report),
    new EpochsGrow(report),
    new Placement(report, plan.nodes + plan.standbys, plan.quorums.n === 'all'),
    new HintsConserved(report),
    new Fills(report),
    new ReplicasIdentical(report),
    new Leftovers(report),
    new Credits(report),
    new GossipBound(report),
    new Bounds(report),
  ]
  const { r } = plan.quorums
  if (isSiblings) return { checkers: [...common, new SiblingValues(report, r, now)], wire }
  const lww = [
    new Linearizability(report, r, (key) => key.startsWith('k')),
    new LostWrites(report, plan, now),
    new Stamps(report),
    new Quorums(report),
    new Cuts(report, now),
  ]
  return { checkers: [...common, ...lww], wire }
}
