/**
 * `src/guides/API.md` says what the docstrings say, of everything that `src/index.ts` and `src/observe.ts` export.
 *
 * With COTERIE_REWRITE_API=1 it is rewritten to what they say; read the difference before you commit it.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { GROUPS } from './api-groups.js'
import { unaligned, uniqueAnchors } from './markdown.js'
import { namesOfDoor, namesWithoutDocstring, renderApi } from './render-api.js'

const PAGE = fileURLToPath(new URL('../../../src/guides/API.md', import.meta.url))
const REWRITES = process.env['COTERIE_REWRITE_API'] === '1'

test('every export, and every call of a cluster, is told in one place of the reference', async (t) => {
  const told = GROUPS.flatMap(({ names }) => names)
  t.same([...told].sort(), namesOfDoor().sort())
})

test('everything that the reference tells of has a docstring', async (t) => {
  t.same(namesWithoutDocstring(), [])
})

test('API.md says what the docstrings say; COTERIE_REWRITE_API=1 rewrites it', async (t) => {
  if (REWRITES) await writeFile(PAGE, renderApi())
  t.equal(unaligned(await readFile(PAGE, 'utf8')), unaligned(renderApi()))
})

test('API.md: every link to a heading finds one', async (t) => {
  const page = await readFile(PAGE, 'utf8')
  const headings = uniqueAnchors([...page.matchAll(/^##+ (.+)$/gm)].map(([, heading = '']) => heading))
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor)
  t.same(
    links.filter((anchor) => !headings.includes(anchor)),
    [],
  )
})
