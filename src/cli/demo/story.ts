/** The chapters of the demo. Each does one thing, shows its figures, and adds what had to hold to the list. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../shared/api.js'
import { count, duration, plural } from '../terminal/format.js'
import { nodeTable } from '../terminal/live-status.js'
import { EventLog } from '../terminal/log-lines.js'
import { stylerFor } from '../terminal/style.js'
import { putAll, scanAll, type Verdicts, verifyAll } from './bulk.js'
import type { Cities } from './cities.js'
import { type Healing, hurt, INJURIES, type Injury } from './faults.js'
import { Ledger } from './ledger.js'
import type { Narrator } from './narrator.js'
import { type Span, Traffic } from './traffic.js'

const CALLERS = 16
const CALM_MS = 3_000
const TAIL_MS = 1_500
const SETTLE_TIMEOUT_MS = 15_000
/** Events that a reader of the story wants to see as they happen. */
const TOLD_EVENTS: ReadonlySet<string> = new Set([
  'node:exit',
  'node:hung',
  'node:up',
  'node:down',
  'node:amnesia',
  'node:quarantine',
  'epoch',
])

export async function tell(cluster: Cluster, cities: Cities, narrator: Narrator): Promise<void> {
  const ledger = new Ledger(cities)
  await loadChapter(cluster, cities, ledger, narrator)
  await readChapter(cluster, cities, ledger, narrator)
  await trafficChapters(cluster, cities, ledger, narrator)
  await repairChapter(cluster, narrator)
  await verifyChapter(cluster, cities, ledger, narrator)
}

async function loadChapter(cluster: Cluster, cities: Cities, ledger: Ledger, narrator: Narrator): Promise<void> {
  narrator.chapter('Load every record')
  const tookMs = await timed(() => putAll(cluster, cities, ledger))
  narrator.fact(
    'loaded',
    `${plural(cities.count, 'record')} in ${duration(tookMs)}: ${rate(cities.count, tookMs)}, three copies each`,
  )
}

async function readChapter(cluster: Cluster, cities: Cities, ledger: Ledger, narrator: Narrator): Promise<void> {
  narrator.chapter('Read everything back')
  let verdicts: Verdicts = { right: 0, stale: 0, wrong: 0 }
  const tookMs = await timed(async () => {
    verdicts = await verifyAll(cluster, cities, ledger, {})
  })
  narrator.fact('read', `${plural(cities.count, 'record')} in ${duration(tookMs)}: ${rate(cities.count, tookMs)}`)
  narrator.fact('as loaded', `${count(verdicts.right)} of ${count(cities.count)}`)
  narrator.check(verdicts.right === cities.count, `every record read back as it was loaded: ${count(verdicts.right)}`)
}

async function trafficChapters(cluster: Cluster, cities: Cities, ledger: Ledger, narrator: Narrator): Promise<void> {
  const events = new EventLog(cluster, ({ event, text }) => {
    if (TOLD_EVENTS.has(event)) narrator.event(`${event}  ${text}`)
  })
  const traffic = new Traffic(cluster, cities, ledger, CALLERS)
  const finish = traffic.measure()
  try {
    narrator.chapter(`Traffic: ${CALLERS} callers, half reads, half writes and deletes, every answer checked`)
    traffic.start()
    const calm = traffic.measure()
    await delay(CALM_MS)
    showSpan(narrator, calm(), CALM_MS)
    for (const injury of INJURIES) await injuryChapter(cluster, traffic, injury, narrator)
  } finally {
    await traffic.stop()
    events.close()
  }
  summarizeTraffic(traffic, finish(), ledger, narrator)
}

async function injuryChapter(cluster: Cluster, traffic: Traffic, injury: Injury, narrator: Narrator): Promise<void> {
  narrator.chapter(`In the middle of it: ${injury.name} ${injury.node}`)
  narrator.say(injury.about)
  const started = performance.now()
  const healing = await hurt(cluster, traffic, injury, TAIL_MS)
  showSpan(narrator, healing.span, performance.now() - started)
  const goal = injury.stallGoalMs === undefined ? '' : ` (the goal is below ${injury.stallGoalMs} ms)`
  narrator.fact('longest stall', `${duration(healing.span.stallMs)} that a caller waited for an answer${goal}`)
  narrator.fact(`${injury.node} up again`, healed(healing.upMs))
  narrator.fact('gossip converged', healed(healing.convergedMs))
  checkHealing(injury, healing, narrator)
}

function checkHealing({ name, node }: Injury, { span, upMs, convergedMs }: Healing, narrator: Narrator): void {
  narrator.check(span.failed === 0, `${name} ${node}: ${count(span.failed)} of ${count(span.requests)} requests failed`)
  narrator.check(
    upMs !== undefined && convergedMs !== undefined,
    `${name} ${node}: it came back by itself and gossip converged`,
  )
}

function summarizeTraffic(traffic: Traffic, all: Span, ledger: Ledger, narrator: Narrator): void {
  const { right, stale, wrong } = traffic.verdicts
  narrator.chapter('The traffic is over')
  narrator.fact('requests', `${count(all.requests)}, ${count(all.failed)} failed`)
  narrator.fact('writes acknowledged', count(ledger.writesAcknowledged))
  narrator.fact('reads checked', `${count(right)} right, ${count(stale)} stale, ${count(wrong)} wrong`)
  narrator.fact('longest stall', duration(all.stallMs))
  for (const failure of traffic.failures)
    narrator.say(`failed: ${failure instanceof Error ? failure.message : String(failure)}`)
  narrator.check(all.failed === 0, `all traffic: ${count(all.failed)} of ${count(all.requests)} requests failed`)
  narrator.check(
    stale + wrong === 0,
    `all traffic: ${count(stale)} stale and ${count(wrong)} wrong among ${count(right + stale + wrong)} reads`,
  )
}

async function repairChapter(cluster: Cluster, narrator: Narrator): Promise<void> {
  narrator.chapter('Repair')
  let settled = true
  const tookMs = await timed(() =>
    cluster.settled({ timeoutMs: SETTLE_TIMEOUT_MS }).catch((error: Error) => {
      settled = false
      narrator.say(`not settled: ${error.message}`)
    }),
  )
  const status = cluster.status()
  narrator.fact(
    'settled',
    settled ? `after ${duration(tookMs)}: hints handed back, copies full, gossip converged` : 'no',
  )
  narrator.lines(nodeTable(status, process.stdout.columns ?? 120, stylerFor(process.stdout)))
  narrator.check(settled && status.converged, 'repair finished and every node has the same table and members')
  const whole = status.nodes.every((node) => node.status === 'up' && node.pending === 0 && node.hints === 0)
  narrator.check(whole, 'all nodes are up, at full replication, no hint left')
}

async function verifyChapter(cluster: Cluster, cities: Cities, ledger: Ledger, narrator: Narrator): Promise<void> {
  narrator.chapter('Verify record by record')
  const { n } = cluster.status().replication
  for (const r of [undefined, n]) {
    const how = r === undefined ? 'with the quorum r=2' : `with r=${r}, all owners`
    let verdicts: Verdicts = { right: 0, stale: 0, wrong: 0 }
    const tookMs = await timed(async () => {
      verdicts = await verifyAll(cluster, cities, ledger, r === undefined ? {} : { r })
    })
    narrator.fact(
      how,
      `${count(verdicts.right)} right, ${count(verdicts.stale + verdicts.wrong)} not, in ${duration(tookMs)}`,
    )
    narrator.check(
      verdicts.right === cities.count,
      `${how}: ${count(verdicts.right)} of ${count(cities.count)} records are as acknowledged`,
    )
  }
  const { records, ordered, unexpected } = await scanAll(cluster, cities, ledger)
  narrator.fact('scan in key order', `${count(records)} records, ${count(cities.count - ledger.live)} are deleted`)
  narrator.check(
    ordered && unexpected === 0 && records === ledger.live,
    `a scan gives ${count(records)} of the ${count(ledger.live)} records that are there, in order, ${count(unexpected)} not as acknowledged`,
  )
}

function showSpan(narrator: Narrator, span: Span, ms: number): void {
  const { requests, failed, medianMs, p99Ms, stallMs } = span
  narrator.fact('requests', `${count(requests)} (${rate(requests, ms)}), ${count(failed)} failed`)
  narrator.fact('latency', `median ${duration(medianMs)}, p99 ${duration(p99Ms)}, longest ${duration(stallMs)}`)
}

function healed(ms: number | undefined): string {
  return ms === undefined ? 'NOT within the time allowed' : `${duration(ms)} after the fault`
}

function rate(total: number, ms: number): string {
  return `${count(total / (ms / 1_000))}/s`
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
