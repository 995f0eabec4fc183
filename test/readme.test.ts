/**
 * What stands in the README and in the code too is the same in both.
 *
 * With COTERIE_REWRITE_README=1 the table of numeric options is rewritten to what `NUMBER_OPTIONS` says.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'tap'
import { ROUTES } from '../src/cli/control/routes.js'
import { EXIT_CODES } from '../src/cli/exit-codes.js'
import { COMMAND_NAMES } from '../src/cli/flags.js'
import { ERROR_TABLE } from '../src/index.js'
import { unaligned } from './guides/markdown.js'
import { renderNumberOptions } from './guides/render-options.js'

const NUMBERS = /^\| option +\| unit .*\n(?:\|.*\n)+/m

test('README: the table of numeric options, with what each costs, is NUMBER_OPTIONS', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const rendered = `${renderNumberOptions().join('\n')}\n`
  if (process.env['COTERIE_REWRITE_README'] === '1')
    await writeFile(
      'README.md',
      readme.replace(NUMBERS, () => rendered),
    )
  const [table = ''] = NUMBERS.exec(await readFile('README.md', 'utf8')) ?? []
  t.equal(unaligned(table), unaligned(rendered))
})

test('README: the table of errors is ERROR_TABLE', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('\n## Errors\n'), readme.indexOf('\n## A Level database\n'))
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|$/gm)].map(([, code, text]) => [code, text])
  t.same(rows, Object.entries(ERROR_TABLE))
})

test('README: the tables of exit codes and of the control socket are those of the command', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('\n## The command\n'), readme.indexOf('\n## Tests and benches\n'))
  const codes = [...section.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, text]) => [Number(code), text])
  t.same(codes, EXIT_CODES)
  const endpoints = [...section.matchAll(/^\| `((?:GET|POST) \S+)`/gm)].map(([, endpoint]) => endpoint)
  t.same(endpoints, Object.keys(ROUTES))
  for (const command of COMMAND_NAMES) t.match(section, new RegExp(`\`${command}\\b`), command)
})
