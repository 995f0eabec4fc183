/** The context's text: what goes out comes back, and nothing else comes in. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  CONTEXT_COUNTER_MAX,
  CONTEXT_LENGTH_MAX,
  contextFor,
  contextTextFor,
  decodeContext,
  encodeContext,
} from '../../../src/protocol/versions/context.js'
import { DVV_EMPTY, dvvContextOf, dvvUpdate } from '../../../src/protocol/versions/dvv.js'

const actors = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('__proto__', '7', '~', '%', 'node1.x'),
)
const contexts = fc
  .array(fc.tuple(actors, fc.integer({ min: 1, max: CONTEXT_COUNTER_MAX })), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries))

const entriesOf = (context: object | undefined): unknown => context && Object.entries(context).sort()

test('a context survives its text, whatever its actors are called', async (t) => {
  const property = fc.property(contexts, (context) => {
    t.same(entriesOf(decodeContext(encodeContext(context))), entriesOf(context))
  })
  fc.assert(property, { numRuns: 300 })
})

test('the text may stand in a URL unescaped, and starts with its version', async (t) => {
  fc.assert(
    fc.property(contexts, (context) => /^v1(~[\w.%-]*~[0-9a-z]+)*$/.test(encodeContext(context))),
    { numRuns: 300 },
  )
  t.equal(encodeContext({ node2: 36, 'node 1': 1 }), 'v1~node%00201~1~node2~10')
  t.equal(encodeContext({}), 'v1')
})

test('a context has one text: the order in which actors were met does not matter', async (t) => {
  t.equal(encodeContext({ b: 1, a: 2 }), encodeContext({ a: 2, b: 1 }))
})

test('garbage: undefined, never a throw', async (t) => {
  const wrong = [
    ...[
      '',
      'v',
      'v2',
      'v2~a~1',
      'v1~',
      'v1~a',
      'v1~a~',
      'v1~a~0',
      'v1~a~-1',
      'v1~a~01',
      'v1~a~1.5',
      'v1~a~A',
      'v1~a~1~',
    ],
    ...[
      'v1~b~1~a~1',
      'v1~a~1~a~2',
      'v1~%~1',
      'v1~%0041~1',
      'v1~%00zz~1',
      'v1~a b~1',
      'v1~a~ 1',
      ' v1',
      'v1\n',
      'v1~é~1',
    ],
    `v1~a~${(CONTEXT_COUNTER_MAX + 1).toString(36)}`,
    `v1~a~${'z'.repeat(400)}`,
    `v1~${'a'.repeat(CONTEXT_LENGTH_MAX)}~1`,
  ]
  for (const text of wrong) t.equal(decodeContext(text), undefined, JSON.stringify(text.slice(0, 40)))
  const pieces = fc.constantFrom('v1', '~', '%', '0041', 'a', 'b', '1', '0', 'z', '__proto__', ' ')
  const mangled = fc.array(pieces, { maxLength: 12 }).map((parts) => `v1${parts.join('')}`)
  const property = fc.property(fc.oneof(fc.string(), mangled), (text) => {
    const context = decodeContext(text)
    if (context !== undefined) t.equal(encodeContext(context), text)
  })
  fc.assert(property, { numRuns: 1000 })
})

test('a forged counter at the limit does no harm to the next write and the next read', async (t) => {
  const forged = decodeContext(`v1~a~${CONTEXT_COUNTER_MAX.toString(36)}`)
  const set = dvvUpdate(DVV_EMPTY, forged, { stamp: '1', value: null }, 'a')
  t.equal(dvvContextOf(set).a, CONTEXT_COUNTER_MAX + 1)
  t.doesNotThrow(() => encodeContext(dvvContextOf(set)))
})

test('what a caller holds is for one key', async (t) => {
  const property = fc.property(contexts, fc.string(), fc.string(), (context, key, other) => {
    const text = contextTextFor(key, context)
    t.same(entriesOf(contextFor(key, text)), entriesOf(context))
    t.match(text, /^k[0-9a-z]+~v1(~[\w.%-]*~[0-9a-z]+)*$/)
    if (other !== key) t.equal(contextFor(other, text), undefined)
    t.equal(contextFor(key, encodeContext(context)), undefined)
  })
  fc.assert(property, { numRuns: 300 })
})
