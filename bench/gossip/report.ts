/** The findings as a Markdown page and as the panels of its plot. Computes medians and fits; measures nothing. */

import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'
import type { Panel, Series } from '../report/line-plot.js'
import type { ChangeKind, Quiet, SizeResult, Spread } from './measure-size.js'
import { fitLog, type LogFit, mean, messagesPerRoundMax, pushRounds, quantile } from './theory.js'
import type { Load } from './traffic.js'

export interface Findings {
  readonly machine: string
  readonly sizes: readonly SizeResult[]
  readonly quiet: readonly Quiet[]
}

const { gossipMs, gossipConvergedMs, gossipFanout, heartbeatMs, heartbeatNeighbours } = MEMBERSHIP_DEFAULTS
const LOSS = 0.1
const COLOURS = { status: '#2f6fde', statusLost: '#d9730d', epoch: '#2e9e5b', epochLost: '#8e5bd0', theory: '#8a8f98' }

export function renderReport(findings: Findings): string {
  const { machine, sizes, quiet } = findings
  const seeds = sizes.map((size) => `${size.seeds.length} of ${size.members}`).join(', ')
  return `# Gossip at scale

Real membership machines on a virtual clock, remade by \`npm run bench:gossip-scale\`. ${machine}.

Seeds from 1 on; clusters: ${seeds} members. Mail takes 1 to 5 ms. A round is ${gossipMs} ms, the pace while views differ; at rest
members gossip each ${gossipConvergedMs.toLocaleString('en')} ms and learn of a change at that pace or by being told. Fan-out ${gossipFanout}; a beat each ${heartbeatMs} ms to ${heartbeatNeighbours} ring
neighbours. Virtual times and counts are the same on every machine.

![Rounds and bytes over the number of members](gossip-scale.svg)

## How long until every member knows of one change

**status**: one member is told that another leaves. **epoch**: one member stores a later table, which digests carry themselves.
Rounds (virtual time ÷ ${gossipMs} ms) as median / p90 / most over the clusters, each change made at rest; _made_ are the rounds that a
member really made meanwhile. A member at rest has been idle for longer than a round and passes news on at once, so the first hops
take mail's time instead of a round's. _Pushing alone_ is theory: log₃ n + ½ ln n rounds where whoever
knows tells ${gossipFanout} others each round and nobody asks (Frieze and Grimmett 1985, Pittel 1987).

${table(sizes.map(spreadRow))}

Least squares, rounds = c · log₂ n, through the medians:

${table(fitRows(sizes))}

Telling ${gossipFanout} and being asked by ${gossipFanout} in a round multiplies those who know by ${1 + 2 * gossipFanout} at most: c = 1 ÷ log₂ ${1 + 2 * gossipFanout} = ${(1 / Math.log2(1 + 2 * gossipFanout)).toFixed(2)}, were no peer chosen twice.

## What it costs a member

Bytes are those of structured clone (\`v8.serialize\`; 1 kB = 1,000 bytes; of every 16th message from 100 members on). Spreading: from a
change of status until all know. A round is at most ${messagesPerRoundMax(gossipFanout)} messages: ${gossipFanout} syns, as many acks, and an ack2 for each.

${table(sizes.map(loadRow))}

Messages do not depend on n. Bytes do: a syn names every member, so a member sends O(n) a second and the whole process O(n²).

## How long a silent member is overlooked

From its last word until the first, and until each other member holds it suspect; without loss, median / most. False: suspicions
of members that spoke, over all of the runs above, loss included.

${table(sizes.map(silenceRow))}

Clusters in which nothing happens, without loss; memory is the heap of a member's machine after that time, its detectors' windows
full:

${table(quiet.map(quietRow))}
`
}

export function panelsOf({ sizes }: Findings): readonly Panel[] {
  const xTicks = sizes.map(({ members }) => members)
  const fit = fitOf(sizes, 'status', 0)
  const curve = (name: string, rounds: (members: number) => number): Series => ({
    name,
    colour: COLOURS.theory,
    isTheory: true,
    points: xTicks.map((x) => ({ x, y: rounds(x) })),
  })
  const rounds: readonly Series[] = [
    {
      ...spreadSeries(sizes, 'status', LOSS),
      name: 'status, 10 % of mail lost',
      colour: COLOURS.statusLost,
      shiftPx: 3,
    },
    { ...spreadSeries(sizes, 'status', 0), name: 'status', colour: COLOURS.status, shiftPx: -3 },
    { ...spreadSeries(sizes, 'epoch', LOSS), name: 'epoch, 10 % of mail lost', colour: COLOURS.epochLost, shiftPx: 9 },
    { ...spreadSeries(sizes, 'epoch', 0), name: 'epoch', colour: COLOURS.epoch, shiftPx: -9 },
    { ...curve(`${fit.c.toFixed(2)} · log₂ n (fit of status)`, (n) => fit.c * Math.log2(n)), colour: COLOURS.status },
    curve('pushing alone, in theory', (n) => pushRounds(n, gossipFanout)),
  ]
  const most = Math.max(...rounds.flatMap(({ points }) => points.map(({ y, yMax }) => yMax ?? y)))
  const yTop = Math.ceil((most * 1.3) / 2) * 2
  return [
    {
      title: 'Rounds until every member knows',
      xLabel: 'members (log scale)',
      yLabel: `gossip rounds of ${gossipMs} ms: median, whisker to p90`,
      xTicks,
      yTicks: Array.from({ length: yTop / 2 + 1 }, (_, at) => at * 2),
      yScale: 'linear',
      series: rounds,
    },
    {
      title: 'What a member sends',
      xLabel: 'members (log scale)',
      yLabel: 'kB a second (log scale)',
      xTicks,
      yTicks: [1, 10, 100, 1_000],
      yScale: 'log',
      series: [
        {
          name: 'while a change spreads',
          colour: COLOURS.statusLost,
          isTheory: false,
          points: bytePoints(sizes, spreadingOf),
        },
        { name: 'at rest', colour: COLOURS.status, isTheory: false, points: bytePoints(sizes, ({ rest }) => rest) },
      ],
    },
  ]
}

function spreadRow(size: SizeResult): readonly [string, string][] {
  const { members } = size
  const median = (kind: ChangeKind, loss: number) => quantile(roundsOf(size, kind, loss), 0.5)
  return [
    ['n', members.toLocaleString('en')],
    ['log₂ n', Math.log2(members).toFixed(2)],
    ['status', spreadOf(roundsOf(size, 'status', 0), 1)],
    ['÷ log₂ n', (median('status', 0) / Math.log2(members)).toFixed(2)],
    ['ms', Math.round(median('status', 0) * gossipMs).toLocaleString('en')],
    ['made', mean(spreadingOf(size).map(({ roundsPerMember }) => roundsPerMember)).toFixed(1)],
    ['status, 10 % lost', spreadOf(roundsOf(size, 'status', LOSS), 1)],
    ['epoch', spreadOf(roundsOf(size, 'epoch', 0), 1)],
    ['epoch, 10 % lost', spreadOf(roundsOf(size, 'epoch', LOSS), 1)],
    ['pushing alone', pushRounds(members, gossipFanout).toFixed(1)],
  ]
}

function fitRows(sizes: readonly SizeResult[]): readonly (readonly [string, string][])[] {
  const cases = [
    ['status', 0],
    ['status', LOSS],
    ['epoch', 0],
    ['epoch', LOSS],
  ] as const
  return cases.map(([kind, loss]) => {
    const { c, rSquared } = fitOf(sizes, kind, loss)
    return [
      ['change', kind],
      ['mail lost', `${loss * 100} %`],
      ['c', c.toFixed(2)],
      ['R²', rSquared.toFixed(2)],
    ]
  })
}

function loadRow(size: SizeResult): readonly [string, string][] {
  const { members, rest, spreads } = size
  const spreading = spreadingOf(size)
  const average = (loads: readonly Load[], figure: (load: Load) => number) => mean(loads.map(figure))
  const most = (figure: (load: Load) => number) =>
    Math.max(...[...rest, ...spreads.map(({ load }) => load)].map(figure))
  return [
    ['n', members.toLocaleString('en')],
    ['gossip/s at rest', average(rest, ({ gossipMessages }) => gossipMessages).toFixed(1)],
    ['beats/s', average(rest, ({ heartbeats }) => heartbeats).toFixed(1)],
    ['kB/s at rest', kilobytes(average(rest, ({ bytes }) => bytes))],
    ['all members, MB/s', ((average(rest, ({ bytes }) => bytes) * members) / 1e6).toFixed(members < 300 ? 2 : 0)],
    ['gossip/s spreading', average(spreading, ({ gossipMessages }) => gossipMessages).toFixed(1)],
    ['kB/s spreading', kilobytes(average(spreading, ({ bytes }) => bytes))],
    ['messages a round, rest', average(rest, ({ messagesPerRound }) => messagesPerRound).toFixed(2)],
    ['spreading', average(spreading, ({ messagesPerRound }) => messagesPerRound).toFixed(2)],
    ['most of a run', most(({ messagesPerRound }) => messagesPerRound).toFixed(2)],
    ['most syns of a round', String(most(({ synsPerRoundMax }) => synsPerRoundMax))],
  ]
}

function silenceRow({ members, silences, falseSuspicions }: SizeResult): readonly [string, string][] {
  const show = (ms: readonly number[]) =>
    [quantile(ms, 0.5), Math.max(...ms)].map((one) => Math.round(one).toLocaleString('en')).join(' / ')
  return [
    ['n', members.toLocaleString('en')],
    ['first, ms', show(silences.map(({ firstMs }) => firstMs))],
    ['all, ms', show(silences.map(({ allMs }) => allMs))],
    ['false', String(falseSuspicions)],
  ]
}

function quietRow({ members, ms, falseSuspicions, heapBytes }: Quiet): readonly [string, string][] {
  return [
    ['n', members.toLocaleString('en')],
    ['quiet minutes', String(ms / 60_000)],
    ['false suspicions', String(falseSuspicions)],
    ['kB a member', heapBytes === undefined ? 'not measured' : kilobytes(heapBytes)],
  ]
}

function spreadSeries(sizes: readonly SizeResult[], kind: ChangeKind, loss: number) {
  const points = sizes.map((size) => {
    const rounds = roundsOf(size, kind, loss)
    return { x: size.members, y: quantile(rounds, 0.5), yMax: quantile(rounds, 0.9) }
  })
  return { isTheory: false, points }
}

function bytePoints(sizes: readonly SizeResult[], loadsOf: (size: SizeResult) => readonly Load[]): Series['points'] {
  return sizes.map((size) => ({ x: size.members, y: mean(loadsOf(size).map(({ bytes }) => bytes)) / 1_000 }))
}

function spreadingOf({ spreads }: SizeResult): readonly Load[] {
  return spreads.filter(isOf('status', 0)).map(({ load }) => load)
}

function fitOf(sizes: readonly SizeResult[], kind: ChangeKind, loss: number): LogFit {
  return fitLog(sizes.map((size) => ({ members: size.members, rounds: quantile(roundsOf(size, kind, loss), 0.5) })))
}

function roundsOf({ spreads }: SizeResult, kind: ChangeKind, loss: number): readonly number[] {
  return spreads.filter(isOf(kind, loss)).map(({ ms }) => ms / gossipMs)
}

function isOf(kind: ChangeKind, loss: number): (spread: Spread) => boolean {
  return (spread) => spread.kind === kind && spread.loss === loss
}

function spreadOf(values: readonly number[], digits: number): string {
  return [quantile(values, 0.5), quantile(values, 0.9), Math.max(...values)]
    .map((one) => one.toFixed(digits))
    .join(' / ')
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(bytes < 100_000 ? 1 : 0)
}

/** A Markdown table, its columns padded. Shape: every row has the same names. */
function table(rows: readonly (readonly [string, string][])[]): string {
  const names = rows[0]?.map(([name]) => name) ?? []
  const cells = rows.map((row) => row.map(([, cell]) => cell))
  const widths = names.map((name, column) => Math.max(3, name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (texts: readonly string[]) => `| ${texts.map((one, at) => one.padEnd(widths[at] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(names), rule, ...cells.map(line)].join('\n')
}
