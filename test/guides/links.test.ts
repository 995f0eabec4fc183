/** What the guides link to is there. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

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
