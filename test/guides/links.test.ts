/** What the guides link to is there. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { uniqueAnchors } from './markdown.js'

const guides = fileURLToPath(new URL('../../../src/guides', import.meta.url))

test('the guides: every link to a file finds one', async (t) => {
  for (const page of await readdir(guides)) {
    const text = await readFile(join(guides, page), 'utf8')
    for (const [, path = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      await t.resolves(readFileOrFolder(join(guides, path)), `${page}: ${path}`)
  }
})

async function readFileOrFolder(path: string): Promise<unknown> {
  return readFile(path).catch(() => readdir(path))
}

test('README: every link finds a heading or a file', async (t) => {
  const readme = await readFile(join(guides, '../../README.md'), 'utf8')
  const anchors = uniqueAnchors([...readme.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading))
  for (const [, path = '', anchor = ''] of readme.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
    if (path === '') t.ok(anchors.includes(anchor), `#${anchor}`)
    else await t.resolves(readFileOrFolder(join(guides, '../..', path)), path)
  }
})
