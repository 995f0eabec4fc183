/** Two runs of one seed give byte-equal effects, of every core, faults included, looked at or not. */

import { test } from 'tap'
import type { RequestObserver } from '../../src/protocol/coordinator/request-observer.js'
import { FaultyRun } from './faulty-run.js'

type Options = ConstructorParameters<typeof FaultyRun>[1]

function traceOf(seed: number, options: Options, observer?: RequestObserver): string {
  const run = new FaultyRun(seed, options)
  run.world.gateway.observe(observer)
  run.world.isTracing = true
  run.run(150)
  return run.world.trace.join('\n')
}

test('determinism: two runs of one seed give byte-equal effects, another seed gives others', async (t) => {
  for (const options of [{}, { coordination: 'server' }, { conflict: 'siblings' }] as const) {
    const first = traceOf(7, options)
    t.ok(first.length > 100_000, `${first.length} bytes of effects`)
    t.ok(first === traceOf(7, options), 'equal')
    t.not(first, traceOf(8, options))
  }
})

test('determinism: whoever looks on is told of every message and answer, and changes no byte', async (t) => {
  for (const options of [{}, { coordination: 'server' }, { conflict: 'siblings' }] as const) {
    const told = { onPart: 0, onSent: 0, onAnswered: 0, onOutcome: 0, onNodeLost: 0, onClosed: 0 }
    const count = (name: keyof typeof told) => () => {
      told[name] += 1
    }
    const sent = new Map<number, number>()
    const observer: RequestObserver = {
      onPart: count('onPart'),
      onSent: ({ id, operations }) => {
        told.onSent += 1
        t.notOk(sent.has(id))
        sent.set(id, operations.length)
      },
      onAnswered: (id, statuses) => {
        told.onAnswered += 1
        if (sent.get(id) !== statuses.length) t.fail(`${id}: ${sent.get(id)} operations, ${statuses.length} answers`)
      },
      onOutcome: count('onOutcome'),
      onNodeLost: count('onNodeLost'),
      onClosed: count('onClosed'),
    }
    t.ok(traceOf(7, options) === traceOf(7, options, observer), 'equal')
    t.ok(told.onSent > 100 && told.onNodeLost > 0 && told.onAnswered + told.onOutcome > 100, JSON.stringify(told))
  }
})
