/** What stands in the README and in the code too is the same in both. */

import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { ERROR_TABLE } from '../src/index.js'

test('README: the table of errors is ERROR_TABLE', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const section = readme.slice(readme.indexOf('\n## Errors\n'), readme.indexOf('\n## A Level database\n'))
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|$/gm)].map(([, code, text]) => [code, text])
  t.same(rows, Object.entries(ERROR_TABLE))
})
