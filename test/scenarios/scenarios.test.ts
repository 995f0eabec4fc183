/**
 * Golden transcripts: every scenario shows, line by line, what stands in its file.
 *
 * With COTERIE_REWRITE_SCENARIOS=1 the files are rewritten to what happens now; read the difference before you commit it.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { runScenario } from './language.js'

/** Compiled to dist/test/scenarios; the files lie beside the source. */
const FOLDER = fileURLToPath(new URL('../../../test/scenarios', import.meta.url))
const PROTOCOL = fileURLToPath(new URL('../../../src/protocol', import.meta.url))
/** Fewer would mean that they were not found. */
const SCENARIOS_MIN = 30
const MESSAGES_MIN = 40
const LINES_MAX = 120
const REWRITES = process.env['COTERIE_REWRITE_SCENARIOS'] === '1'

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))

test('the scenarios are all there', async (t) => {
  t.ok(names.length >= SCENARIOS_MIN, `${names.length} scenarios`)
})

test('every message has a row in the table of the protocol, and is shown in a scenario at least once', async (t) => {
  const declared = new Set(
    [...readdirSync(PROTOCOL).filter((file) => file.endsWith('messages.ts')), 'membership/gossip.ts']
      .map((file) => readFileSync(join(PROTOCOL, file), 'utf8'))
      .flatMap((source) => [...source.matchAll(/readonly type: '([a-z]+\/[a-z0-9-]+)'/g)].map(([, type]) => type)),
  )
  const table = readFileSync(join(PROTOCOL, 'README.md'), 'utf8')
  const tabled = new Set([...table.matchAll(/^\| `([a-z]+\/[a-z0-9-]+)`/gm)].map(([, type]) => type))
  // After an arrow: sent by somebody to somebody.
  const texts = names.map((name) => readFileSync(join(FOLDER, name), 'utf8'))
  const shown = new Set(
    texts.flatMap((text) => [...text.matchAll(/^ +[\d.]+ .* [→✗] .*? ([a-z]+\/[a-z0-9-]+)/gm)].map(([, type]) => type)),
  )
  t.ok(declared.size >= MESSAGES_MIN, `${declared.size} messages`)
  t.same([...tabled].sort(), [...declared].sort(), 'the table has them all, and no other')
  t.same([...shown].sort(), [...declared].sort(), 'the scenarios show them all')
})

for (const name of names.sort()) {
  test(`scenario: ${name.replace('.txt', '')} goes as written`, async (t) => {
    const path = join(FOLDER, name)
    const text = readFileSync(path, 'utf8')
    const { rewritten, isAsExpected } = runScenario(text)
    t.equal(runScenario(rewritten).rewritten, rewritten, 'a second run shows the same')
    t.ok(rewritten.split('\n').length <= LINES_MAX + 1, `at most ${LINES_MAX} lines, to be read like a page`)
    if (REWRITES) {
      writeFileSync(path, rewritten)
      t.comment(isAsExpected ? `${name} is as it was` : `${name} was rewritten`)
      return
    }
    // Of texts with several lines tap shows the lines that differ.
    t.equal(rewritten, text, 'what happens is what is written; COTERIE_REWRITE_SCENARIOS=1 rewrites the file')
  })
}
