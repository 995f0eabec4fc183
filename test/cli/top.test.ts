/** `coterie top`: what lies between two looks, how it is drawn, and the command itself without a terminal. */

import { test } from 'tap'
import { parseCommand } from '../../src/cli/args.js'
import { sampleOf } from '../../src/cli/top/sample.js'
import { topLines } from '../../src/cli/top/top-lines.js'
import type { ClusterMetrics, ClusterStatus, RequestMetrics } from '../../src/index.js'
import { folderForTest } from '../support/cluster.js'
import { run, running } from '../support/run-command.js'

const NONE: RequestMetrics = { ended: 0, failed: 0, failures: {}, totalUs: 0, latencies: [] }

function metrics(atMs: number, get: RequestMetrics, put: RequestMetrics = NONE): ClusterMetrics {
  const requests = { get, put, delete: NONE, batch: NONE, scan: NONE }
  return { atMs, requests, repairs: { readRepairs: atMs, keysExchanged: 0, hintsHandedBack: 3 } }
}

const STATUS: ClusterStatus = {
  location: '/data',
  epoch: 7,
  converged: true,
  partitions: 128,
  conflict: 'lww',
  replication: { n: 3, r: 2, w: 2 },
  partitionsMoving: 2,
  partitionsLost: [],
  gateways: 1,
  nodes: Array.from({ length: 5 }, (_, index) => ({
    id: `node${index + 1}`,
    role: 'member' as const,
    status: 'up' as const,
    incarnation: 1,
    restarts: 2,
    partitions: 77,
    pending: index === 0 ? 25 : 0,
    keys: 1_000_000,
    mailbox: 1,
    loopLagMs: 0,
    memoryBytes: 0,
    exchanging: 0,
    hints: 4,
    epoch: index === 2 ? 6 : 7,
    threadId: 1,
    actor: null,
    quarantined: [],
    storeFull: false,
    ...(index === 0 ? { filling: { partitions: 25, partitionsDone: 7, records: 1_000, bytes: 1_234_567 } } : {}),
  })),
}

test('top: rates and percentiles are of the interval, not of all since the opening', async (t) => {
  const before = metrics(1_000, { ended: 1_000, failed: 9, failures: {}, totalUs: 0, latencies: [[5_000, 1_000]] })
  const after = metrics(
    3_000,
    {
      ended: 1_200,
      failed: 10,
      failures: {},
      totalUs: 0,
      latencies: [
        [100, 100],
        [5_000, 1_099],
        [9_000, 1],
      ],
    },
    { ended: 4, failed: 0, failures: {}, totalUs: 0, latencies: [[20_000, 4]] },
  )
  const { intervalMs, requests, repairs } = sampleOf(before, after)
  t.equal(intervalMs, 2_000)
  t.same(requests.get, { perSecond: 100, failedPerSecond: 0.5, p50Ms: 0.1, p99Ms: 5, maxMs: 9 })
  t.match(requests.all, { perSecond: 102, p50Ms: 5, p99Ms: 20, maxMs: 20 })
  t.match(requests.scan, { perSecond: 0, p50Ms: undefined })
  t.same(repairs, { readRepairs: 2_000, keysExchanged: 0, hintsHandedBack: 0 })
})

test('top: fits 80 columns and the rows there are', async (t) => {
  const sample = sampleOf(
    metrics(0, NONE),
    metrics(1_000, { ended: 1_234_567, failed: 5, failures: {}, totalUs: 0, latencies: [[123_456, 1_234_567]] }),
  )
  const style = (_style: unknown, text: string) => text
  const lines = topLines({ status: STATUS, sample }, { columns: 80, rows: 40, style })
  for (const line of lines) t.ok(line.length <= 80, line)
  const text = lines.join('\n')
  t.match(text, /^get +1,234,567 +5 +123 ms +123 ms +123 ms$/m)
  t.match(text, /^gossip +every node knows/m)
  t.match(text, /^hints +20 kept, 0 handed back$/m)
  t.match(text, /^transfers +2 partitions moving · node1 7 of 25 \(1.2 MB\)$/m)
  t.notMatch(text, '…', 'nothing is cut off')
  const behind = topLines(
    { status: { ...STATUS, converged: false }, sample: undefined },
    { columns: 80, rows: 40, style },
  )
  t.match(behind.join('\n'), /^gossip +node3 not at table 7 yet$/m)
  for (const rows of [5, 10, 20]) {
    const few = topLines({ status: STATUS, sample }, { columns: 30, rows, style })
    t.ok(few.length <= rows, `${few.length} of ${rows} rows`)
    t.match(few.at(-1), /q or Ctrl-C/)
  }
})

test('top: without a terminal a line of JSON for each interval, --count of them', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await running(t, folder)
  for (const key of ['a', 'b']) t.match(await run(folder, ['put', key, 'v']), { code: 0 })
  const { code, stdout, stderr } = await run(folder, ['top', '--count', '2', '--interval', '100'])
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.length, 2)
  for (const line of lines)
    t.match(JSON.parse(line), {
      requests: { put: { perSecond: 0 } },
      nodes: { length: 3 },
      epoch: 1,
      partitionsLost: [],
    })
  t.match(await cluster.stop(), { code: 0 })
  t.match(await run(folder, ['top']), { code: 4, stderr: /no cluster is running/ })
})

test('top: an interval is 100 ms at least', async (t) => {
  t.match(parseCommand(['top']), { intervalMs: 1_000, count: undefined })
  t.throws(() => parseCommand(['top', '--interval', '10']), /--interval is "10"; allowed: a whole number from 100/)
})
