/** What `status` draws: who owns what, so that it can be read in 80 columns and without colours. */

import { test } from 'tap'
import { longStatus } from '../../src/cli/terminal/live-status.js'
import { NodeLetters, ringStrip } from '../../src/cli/terminal/ring-strip.js'
import { stylerFor } from '../../src/cli/terminal/style.js'
import type { ClusterStatus, NodeStatus, PartitionOwners } from '../../src/index.js'

const plain = (_style: unknown, text: string) => text
const marked = (style: unknown, text: string) => `<${String(style)}>${text}</>`

function node(id: string, more: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id,
    role: 'member',
    status: 'up',
    incarnation: 1,
    restarts: 0,
    partitions: 12,
    pending: 0,
    keys: 1_234_567,
    mailbox: 12,
    loopLagMs: 0,
    memoryBytes: 0,
    exchanging: 0,
    hints: 3,
    epoch: 7,
    threadId: 1,
    actor: null,
    quarantined: [],
    storeFull: false,
    ...more,
  }
}

function statusOf(nodes: readonly NodeStatus[], more: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    location: '/data',
    epoch: 7,
    converged: true,
    partitions: 16,
    conflict: 'lww',
    replication: { n: 3, r: 2, w: 2 },
    partitionsMoving: 0,
    partitionsLost: [],
    gateways: 1,
    ...more,
    nodes: [...nodes],
  }
}

function ringOf(count: number, more: (partition: number) => Partial<PartitionOwners> = () => ({})): PartitionOwners[] {
  return Array.from({ length: count }, (_, partition) => ({
    partition,
    owners: [`node${(partition % 3) + 1}`, `node${((partition + 1) % 3) + 1}`],
    pending: [],
    moving: false,
    lost: false,
    ...more(partition),
  }))
}

const THREE = [node('node1'), node('node2'), node('node3')]

test('ring: a letter a partition, of its first owner; a vacant place is passed over', async (t) => {
  const ring = ringOf(16, (partition) => (partition === 0 ? { owners: [null, 'node3'] } : {}))
  t.strictSame(ringStrip(statusOf(THREE), ring, { columns: 80, style: plain }), [
    'partitions, by first owner',
    '   0  CBCABCABCABCABCA',
    '      -',
    '- fewer copies than n (1 place)',
  ])
})

test('ring: what moves and what is lost is marked below, and said', async (t) => {
  const ring = ringOf(128, (partition) => ({
    moving: partition >= 64 && partition < 67,
    lost: partition === 127,
    ...(partition === 5 ? { owners: [null, null] } : {}),
  }))
  const lines = ringStrip(statusOf(THREE), ring, { columns: 80, style: plain })
  t.equal(lines[1]?.at(11), '.', 'nobody')
  t.equal(lines[2], '           -')
  t.equal(lines[4], `      ~~~${' '.repeat(60)}!`)
  t.match(lines.slice(5), [/^! lost: .*1 place/, /^~ moving: .*3 places/, /^- fewer copies/])
})

test('ring: many partitions share a letter, and the worst of them is marked', async (t) => {
  const ring = ringOf(16_384, (partition) => ({
    lost: partition === 100,
    owners: [partition < 8_192 ? 'node1' : 'node2'],
  }))
  const lines = ringStrip(statusOf(THREE), ring, { columns: 80, style: plain })
  t.match(lines[0], /32 a letter/)
  t.equal(lines[1], `    0  ${'A'.repeat(64)}`)
  t.equal(lines[2], '          !')
  t.equal(lines.at(-2), `14336  ${'B'.repeat(64)}`)
})

test('ring: every node of the largest cluster has a letter of its own', async (t) => {
  const nodes = Array.from({ length: 64 }, (_, index) => node(`node${index + 1}`))
  const letters = new NodeLetters(nodes)
  t.equal(new Set(nodes.map(({ id }) => letters.of(id))).size, 64)
  const looks = nodes.map(({ id }) => letters.styled('x', id, marked))
  t.equal(new Set(looks.slice(0, 12)).size, 12, 'twelve look different')
})

test('status: 80 columns are enough, down to 40 nothing is longer than the terminal', async (t) => {
  const busy = node('node10', { status: 'suspect', restarts: 12, partitions: 77, pending: 25 })
  const status = statusOf([...THREE, busy], { partitionsMoving: 25, converged: false })
  for (const columns of [80, 40]) {
    const lines = longStatus(status, ringOf(128), { columns, style: plain }).slice(1)
    for (const line of lines) t.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`)
  }
  const text = longStatus(status, ringOf(128), { columns: 80, style: plain }).join('\n')
  t.notMatch(text, '…', 'nothing is cut off')
  t.match(text, /^D {2}node10 {2}suspect .* 77 \+25 .* 3$/m)
})

test('colours: of a terminal if it has them, elsewhere only where they are forced', async (t) => {
  const before = process.env['FORCE_COLOR']
  t.teardown(() => {
    if (before === undefined) delete process.env['FORCE_COLOR']
    else process.env['FORCE_COLOR'] = before
  })
  const look = (stream: object, forced: string | undefined) => {
    if (forced === undefined) delete process.env['FORCE_COLOR']
    else process.env['FORCE_COLOR'] = forced
    return stylerFor(stream as NodeJS.WriteStream)('red', 'x') !== 'x'
  }
  t.same(
    [undefined, '0', 'false', '1', '3', 'true', ''].map((forced) => look({ isTTY: false }, forced)),
    [false, false, false, true, true, true, true],
  )
  t.equal(look({ isTTY: true, hasColors: () => false }, undefined), false, 'NO_COLOR, say')
  t.equal(look({ isTTY: true, hasColors: () => true }, undefined), true)
})
