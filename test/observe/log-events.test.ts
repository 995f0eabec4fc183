/** Events in a program's log: every one, at a level that says what it means, in pino's own lines. */

import { Writable } from 'node:stream'
import { pino } from 'pino'
import { test } from 'tap'
import { jsonLog } from '../../src/cli/json-log.js'
import type { ClusterEvents } from '../../src/index.js'
import { type LogLevel, logEvents } from '../../src/observe.js'
import { EVENT_NAMES } from '../../src/shared/cluster-events.js'
import { WatchedCluster } from './watched-cluster.js'

function lineStream(): { readonly stream: Writable; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trimEnd().split('\n')) lines.push(JSON.parse(line))
      done()
    },
  })
  return { stream, lines }
}

const KEY = new TextEncoder().encode('user:7')
const ERROR = new Error('no room')

test('logEvents: each event is one line at its level, with its facts; keys only of damaged records', async (t) => {
  const watched = new WatchedCluster()
  const { stream, lines } = lineStream()
  const labels = { level: (level: string) => ({ level }) }
  const stop = logEvents(watched.cluster, pino({ level: 'debug', formatters: labels }, stream))
  const told: [LogLevel, () => boolean][] = [
    [
      'warn',
      () => watched.emit('node:exit', { node: 'node1', incarnation: 1, code: 1, reason: 'crashed', error: ERROR }),
    ],
    ['info', () => watched.emit('node:exit', { node: 'node1', incarnation: 1, code: 0, reason: 'closing' })],
    ['info', () => watched.emit('node:up', { node: 'node1', incarnation: 2, readyMs: 60 })],
    ['error', () => watched.emit('node:down', { node: 'node1', reason: 'r' })],
    ['error', () => watched.emit('partition:lost', { partitions: [1, 2] })],
    ['debug', () => watched.emit('repair', { node: 'gateway1', key: KEY, nodes: ['node1'], blocking: true })],
    ['warn', () => watched.emit('record:damaged', { node: 'node1', key: KEY })],
    ['debug', () => watched.emit('scrub', { node: 'node1', tables: 1, bytes: 2, problems: [] })],
    ['warn', () => watched.emit('scrub', { node: 'node1', tables: 1, bytes: 2, problems: [], error: ERROR })],
    ['fatal', () => watched.emit('fatal', { error: ERROR })],
    ['info', () => watched.emit('close')],
  ]
  for (const [level, emit] of told) {
    emit()
    t.equal(lines.at(-1)?.['level'], level, `${lines.at(-1)?.['event']}`)
  }
  t.match(lines[0], {
    event: 'node:exit',
    msg: 'node:exit',
    node: 'node1',
    code: 1,
    err: { type: 'Error', message: 'no room' },
  })
  t.same(
    lines.map((line) => line['key']).filter((key) => key !== undefined),
    ['user:7'],
  )
  t.notMatch(JSON.stringify(lines[5]), /user:7|117,115/, 'a repaired key is nobody else’s business')
  stop()
  watched.emit('close')
  t.equal(lines.length, told.length, 'it listens no more')
  t.same(
    EVENT_NAMES.filter((name: keyof ClusterEvents) => watched.listenerCount(name) > 0),
    [],
  )
})

test('start --json: a line has level, time of the event, event, facts and a text', async (t) => {
  const { stream, lines } = lineStream()
  const say = await jsonLog(stream)
  say('open', 'ready')
  say('control', 'no socket')
  const at = new Date(1_700_000_000_000)
  say('node:down', 'node1 is down for good: r', { at, facts: { node: 'node1', reason: 'r' } })
  say('handoff', 'node1 → node2: 3 hints', { facts: { node: 'node1', target: 'node2', hints: 3 } })
  const pid = process.pid
  t.match(lines, [
    { level: 'info', event: 'open', msg: 'ready', time: /^20.*Z$/, pid },
    { level: 'warn', event: 'control' },
    { level: 'error', event: 'node:down', time: at.toISOString(), node: 'node1', reason: 'r', msg: /down for good/ },
    { level: 'debug', event: 'handoff', target: 'node2', hints: 3 },
  ])
})
