/**
 * Every rule of the design is watched by a checker or broken by a mutant, and everything that is said to hold it exists.
 *
 * With COTERIE_REWRITE_RULES=1 `test/RULES.md` is rewritten to what the sources say; format it, and read the difference before you commit it.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { CHECKER_NAMES } from '../../src/sim/index.js'
import { MUTANTS } from '../mutants/mutants.js'
import { TESTED } from '../mutants/tested.js'
import { idsOfRules, renderRules, ruleOf } from './render-rules.js'

/** Compiled to dist/test/rules; what is named lies beside the source. */
const TESTS = fileURLToPath(new URL('../../../test', import.meta.url))
const REWRITES = process.env['COTERIE_REWRITE_RULES'] === '1'

test('every rule is watched by a checker or broken by a mutant', async (t) => {
  const broken = new Set([...MUTANTS, ...TESTED].map(({ rule }) => rule))
  t.same(
    idsOfRules().filter((id) => !broken.has(id) && (ruleOf(id).checkers ?? []).length === 0),
    [],
  )
})

test('a checker that is said to watch a rule is one, and so is the catcher of each of its mutants', async (t) => {
  const names: readonly string[] = [...CHECKER_NAMES, 'liveness', 'invariants']
  for (const id of idsOfRules())
    for (const name of ruleOf(id).checkers ?? []) t.ok(names.includes(name), `${id}: ${name}`)
  for (const { name, rule, checker } of MUTANTS)
    t.ok(
      ruleOf(rule).checkers?.some((watching) => watching === checker),
      `${name} breaks ${rule}, caught by ${checker}`,
    )
})

test('every checker watches a rule', async (t) => {
  const watching = new Set(idsOfRules().flatMap((id) => ruleOf(id).checkers ?? []))
  t.same(
    CHECKER_NAMES.filter((name) => !watching.has(name)),
    [],
  )
})

test('every test that is named stands in its file', async (t) => {
  const named = [
    ...idsOfRules().flatMap((id) => (ruleOf(id).tests ?? []).map((test) => [id, test] as const)),
    ...TESTED.map(({ name, test }) => [name, test] as const),
  ]
  for (const [by, [file, title]] of named) {
    const source = await readFile(`${TESTS}/${file}`, 'utf8')
    t.ok(title.length > 10 && source.includes(title), `${by}: ${file} "${title}"`)
  }
})

test('RULES.md says what the sources say; COTERIE_REWRITE_RULES=1 rewrites it', async (t) => {
  const path = `${TESTS}/RULES.md`
  if (REWRITES) await writeFile(path, renderRules())
  t.equal(unaligned(await readFile(path, 'utf8')), unaligned(renderRules()))
})

/** The formatter makes the columns of a table as wide as their widest cell. */
function unaligned(text: string): string {
  return text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---')
}
