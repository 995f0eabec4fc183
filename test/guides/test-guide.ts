/**
 * A guide does what it says: their blocks of JavaScript run as they stand, one after the other in one folder, and print what
 * the comments behind `console.log` say; so do its lines of `coterie` in blocks of sh. Called by the tests of the guides.
 */

import { spawn } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { folderForTest } from '../support/cluster.js'
import { finished, type Result, run } from '../support/run-command.js'

/** Of one block. */
const BLOCK_MS = 60_000
const repository = fileURLToPath(new URL('../../..', import.meta.url))
const guides = join(repository, 'src/guides')

/** `name`: of a file that another block uses; it is not run by itself. */
interface Block {
  readonly language: 'js' | 'sh'
  readonly text: string
  readonly name: string | undefined
}

/** A test of one guide, or of one section; each is a file of its own, since together they take long. */
export async function testGuide(guide: string, section?: string): Promise<void> {
  const page = await readFile(join(guides, guide), 'utf8')
  const blocks = blocksOf(section === undefined ? page : (page.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''))
  test(`${guide}: every block does what it says`, async (t) => {
    t.ok(blocks.length > 0)
    const folder = await folderForTest(t)
    await mkdir(join(folder, 'node_modules'))
    await symlink(repository, join(folder, 'node_modules/coterie'))
    let expected: string[] = []
    for (const [index, { language, text, name }] of blocks.entries()) {
      const file = name ?? `block-${index + 1}.mjs`
      if (language === 'js') {
        await writeFile(join(folder, file), text)
        expected.push(...printedBy(text))
        if (name !== undefined) continue
      }
      const { code, stdout, stderr } = language === 'js' ? await runProgram(folder, file) : await runLines(folder, text)
      const words = stdout.split(/\s+/).join(' ')
      t.equal(code, 0, `${guide}, ${file}: ${stderr}${words}`)
      for (const line of expected) t.ok(words.includes(line), `${guide}, ${file} prints "${line}": ${words}`)
      expected = []
    }
  })
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(js|sh)\n(.*?)^```$/gms)].map(([, language, text = '']) => ({
    language: language as 'js' | 'sh',
    text,
    name: /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1],
  }))
}

function runProgram(folder: string, file: string): Promise<Result> {
  return finished(spawn(process.execPath, [file], { cwd: folder, timeout: BLOCK_MS }))
}

/** Those of `coterie`; what a reader does else is not for a test. */
async function runLines(folder: string, text: string): Promise<Result> {
  let last: Result = { code: 0, stdout: '', stderr: '' }
  for (const [, words = ''] of text.matchAll(/^coterie ([^#\n]+)/gm)) {
    last = await run(folder, words.trim().split(/\s+/))
    if (last.code !== 0) return last
  }
  return last
}

/** The comments behind `console.log`. */
function printedBy(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, printed = '']) => printed)
}
