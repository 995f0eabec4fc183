import { once } from 'node:events'
import { test } from 'tap'
import { WriteGate } from '../../../actors/runtime/write-gate.js'

test('gate: what is given while it is closed passes in order once it is open, and only its own token opens it', async (t) => {
  const gate = new WriteGate()
  const passed: number[] = []
  const give = (number: number) => gate.pass(() => passed.push(number))
  give(1)
  gate.close('a', 60_000)
  give(2)
  give(3)
  gate.open('b')
  t.same(passed, [1])
  t.ok(gate.isClosedBy('a'))
  gate.open('a')
  give(4)
  t.same(passed, [1, 2, 3, 4])
})

test('gate: opens by itself if it is forgotten', async (t) => {
  const gate = new WriteGate()
  const target = new EventTarget()
  const passed = once(target, 'passed')
  gate.close('a', 1)
  gate.pass(() => target.dispatchEvent(new Event('passed')))
  await passed
  t.notOk(gate.isClosedBy('a'))
})
