/** The table of rules as it stands in `../RULES.md`. Made of `rules.ts` and the mutants; called by `rules.test.ts`. */

import { MUTANTS } from '../mutants/mutants.js'
import { TESTED } from '../mutants/tested.js'
import type { Rule } from './rule.js'
import { RULES, type RuleId } from './rules.js'

const HEADER = `# Rules: what holds each

Section 3 of the design, sentence by sentence, and what would tell if it were broken. This file is made from [\`rules/rules.ts\`](rules/rules.ts) and
the [mutants](mutants/mutants.ts) by \`COTERIE_REWRITE_RULES=1 node dist/test/rules/rules.test.js\`; a test sees to it that it is as they
say, and that every checker, mutant and test that it names exists.

- A **checker** watches each run of the simulator ([\`../src/sim/checkers\`](../src/sim/checkers)), with a state of its own.
- A **mutant** breaks the rule in one place of the source. \`npm run mutants\` has each caught by the checker that stands behind it, or by a test.
- A **test** holds what the simulator cannot see (real files, threads, the public door), or holds it in the small.
`

/** One star, as the design has it; the formatter of this project has underlines. */
const EMPHASIS = /(?<!\*)\*([^*]+)\*(?!\*)/g

export function idsOfRules(): readonly RuleId[] {
  return Object.keys(RULES) as RuleId[]
}

export function ruleOf(id: RuleId): Rule {
  return RULES[id]
}

export function renderRules(): string {
  const lines = [HEADER.trimEnd()]
  let section = ''
  for (const id of idsOfRules()) {
    const rule = ruleOf(id)
    if (rule.section !== section) {
      section = rule.section
      lines.push(
        '',
        `## ${section}`,
        '',
        '| rule | checkers | mutants (caught by) | tests, notes |',
        '| --- | --- | --- | --- |',
      )
    }
    lines.push(rowOf(id, rule))
  }
  return `${lines.join('\n')}\n`
}

function rowOf(id: RuleId, { text, checkers = [], tests = [], note }: Rule): string {
  const mutants = [
    ...MUTANTS.filter(({ rule }) => rule === id).map(({ name, checker }) => `\`${name}\` (${checker})`),
    ...TESTED.filter(({ rule }) => rule === id).map(({ name, test }) => `\`${name}\` ([a test](${test[0]}))`),
  ]
  const cells = [
    [text.replaceAll('|', '\\|').replaceAll(EMPHASIS, '_$1_')],
    checkers.map((name) => `\`${name}\``),
    mutants,
    [...tests.map(([file, title]) => `[\`${file}\`](${file}) “${title}”`), ...(note === undefined ? [] : [note])],
  ]
  return `| ${cells.map((lines) => lines.join('<br>')).join(' | ')} |`
}
