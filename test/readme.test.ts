/**
 * What stands in the README and in the code too is the same in both.
 *
 * With COTERIE_REWRITE_README=1 the tables of numeric options, metrics and levels are rewritten to what the code says.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'tap'
import { ROUTES } from '../src/cli/control/routes.js'
import { EXIT_CODES } from '../src/cli/exit-codes.js'
import { COMMAND_NAMES } from '../src/cli/flags.js'
import { ERROR_TABLE } from '../src/index.js'
import { CHANNEL_NAMES } from '../src/observe/channels.js'
import { unaligned } from './guides/markdown.js'
import { renderLevels, renderMetrics } from './guides/render-observe.js'
import { renderNumberOptions } from './guides/render-options.js'

/** A table by its head, and what it is made of. */
const TABLES: readonly (readonly [what: string, head: RegExp, rendered: () => string[]])[] = [
  [
    'numeric options, with what each costs, is NUMBER_OPTIONS',
    /^\| option +\| unit .*\n(?:\|.*\n)+/m,
    renderNumberOptions,
  ],
  ['metrics is METRICS', /^\| metric +\| type .*\n(?:\|.*\n)+/m, renderMetrics],
  ['levels is that of logEvents', /^\| level +\| events .*\n(?:\|.*\n)+/m, renderLevels],
]

for (const [what, head, render] of TABLES)
  test(`README: the table of ${what}`, async (t) => {
    const readme = await readFile('README.md', 'utf8')
    const rendered = `${render().join('\n')}\n`
    if (process.env['COTERIE_REWRITE_README'] === '1')
      await writeFile(
        'README.md',
        readme.replace(head, () => rendered),
      )
    const [table = ''] = head.exec(await readFile('README.md', 'utf8')) ?? []
    t.equal(unaligned(table), unaligned(rendered))
  })

test('README: the channels are those that are published on', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const channels = [...readme.matchAll(/^\| `((?:tracing:)?coterie:[a-z]+)(?::\*)?` +\|/gm)].map(([, name]) => name)
  t.same(
    channels,
    Object.values(CHANNEL_NAMES).map((name) => (name === CHANNEL_NAMES.request ? `tracing:${name}` : name)),
  )
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
