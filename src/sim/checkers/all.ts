/** The checkers of a run. */

import type { Observer } from '../observer.js'
import type { Plan } from '../plan.js'
import { Availability } from './availability.js'
import { Batches } from './batches.js'
import { Bounds } from './bounds.js'
import type { Checker, Report } from './checker.js'
import { Credits } from './credits.js'
import { Cuts } from './cuts.js'
import { Dots } from './dots.js'
import { EarlierLives } from './earlier-lives.js'
import { Fills } from './fills.js'
import { GossipBound } from './gossip.js'
import { Ends, Linearizability, LostWrites } from './histories.js'
import { LateRequests } from './late-requests.js'
import { LateWatchers } from './late-watchers.js'
import { LoggedBatches } from './logged-batches.js'
import { Quorums } from './quorums.js'
import { ReadValues } from './reads.js'
import { Reaps } from './reaps.js'
import { HintsConserved, Leftovers, ReplicasIdentical } from './replicas.js'
import { Acknowledgements, Deadlines, Owners, Replies } from './replies.js'
import { RowEpochs } from './row-epochs.js'
import { Scans } from './scans.js'
import { SiblingValues } from './siblings.js'
import { Stamps } from './stamps.js'
import { EpochsGrow, OneTable, Placement } from './tables.js'
import { TreesTrue } from './trees.js'

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
    new TreesTrue(report, PARTITIONS),
    new Reaps(report, PARTITIONS),
    new Credits(report),
    new GossipBound(report),
    new Bounds(report),
    new Availability(report),
    new Quorums(report),
    new RowEpochs(report),
    new EarlierLives(report),
    new LateRequests(report),
    new LateWatchers(report),
  ]
  const { r } = plan.quorums
  if (isSiblings) return { checkers: [...common, new SiblingValues(report, r, now), new Dots(report)], wire }
  const lww = [
    new Linearizability(report, r, (key) => key.startsWith('k')),
    new LostWrites(report, plan, now),
    new Stamps(report),
    new Batches(report),
    new LoggedBatches(report),
    new Cuts(report, now),
  ]
  return { checkers: [...common, ...lww], wire }
}
