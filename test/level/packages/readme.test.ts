/** The examples of the README that are about other packages, as they stand there: what they print is what their comments say. */

import { spawn } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { folderForTest } from '../../support/cluster.js'
import { finished } from '../../support/run-command.js'

const HEADING = '### Packages for Level, on a cluster'
const EXAMPLES = 7
const EXAMPLE_MS = 60_000
const repository = fileURLToPath(new URL('../../../..', import.meta.url))

const examples = examplesOf(await readFile(join(repository, 'README.md'), 'utf8'))

test('the README has an example of each package', async (t) => {
  t.equal(examples.length, EXAMPLES)
})

for (const { title, code } of examples) {
  test(`README: ${title}`, async (t) => {
    const folder = await folderForTest(t)
    for (const name of packagesOf(code)) await provide(name, folder)
    await writeFile(join(folder, 'example.mjs'), code)
    const child = spawn(process.execPath, ['example.mjs'], { cwd: folder, timeout: EXAMPLE_MS })
    const { code: exitCode, stdout, stderr } = await finished(child)
    t.equal(exitCode, 0, stderr)
    t.ok(printedBy(code).length > 0)
    t.same(stdout.trimEnd().split('\n'), printedBy(code))
  })
}

/** Each block of JavaScript below the heading, and the bold line above it. */
function examplesOf(readme: string): { readonly title: string; readonly code: string }[] {
  const section = readme.split(`${HEADING}\n`)[1]?.split(/^##+ /m)[0] ?? ''
  return [...section.matchAll(/^\*\*([^\n]+)\*\*\n\n```js\n(.+?)^```$/gms)].map(([, title = '', code = '']) => ({
    title,
    code,
  }))
}

function packagesOf(code: string): string[] {
  const names = [...code.matchAll(/(?: from |require(?:\.resolve)?\()'((?:@[^/']+\/)?[^/':]+)['/]/g)]
  return [...new Set(names.map(([, name = '']) => name))]
}

/** As if it were installed there. */
async function provide(name: string, folder: string): Promise<void> {
  const link = join(folder, 'node_modules', name)
  await mkdir(dirname(link), { recursive: true })
  await symlink(name === 'coterie' ? repository : join(repository, 'node_modules', name), link)
}

/** The comments behind `console.log`, one a line. */
function printedBy(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, printed = '']) => printed)
}
