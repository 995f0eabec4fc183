/**
 * What a metric is here: a row of one table that says its name, type, labels, unit and meaning, and how it is read from what was seen
 * of a cluster. The README's table is made of the same rows.
 */

import type { ClusterMetrics, ClusterStatus } from '../shared/cluster-reports.js'
import type { EventCounts } from './event-counts.js'
import type { Health } from './health.js'
import type { QuorumsAway } from './quorums.js'

/** One look at the cluster, for all metrics of a scrape. */
export interface Seen {
  readonly status: ClusterStatus
  readonly metrics: ClusterMetrics
  readonly quorums: QuorumsAway
  readonly health: Health
  readonly events: EventCounts
}

export type Labels = Readonly<Record<string, string>>

/** One line of the exposition. `suffix`: of a histogram, behind its name. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

export interface MetricDefinition {
  readonly name: `${'coterie' | 'process' | 'nodejs'}_${string}`
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly labels: readonly string[]
  /** As the name ends, or what is counted. */
  readonly unit: string
  readonly help: string
  readonly read: (seen: Seen) => readonly Sample[]
}

/** Without labels. */
export function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}
