/** The scripts of `coterie completion`: they know every command and option, and the shells that are here can run them. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { bashScript } from '../../src/cli/completion/bash.js'
import { fishScript } from '../../src/cli/completion/fish.js'
import { zshScript } from '../../src/cli/completion/zsh.js'
import { COMMAND_NAMES, flagsOf } from '../../src/cli/flags.js'
import { folderForTest, type TestContext } from '../support/cluster.js'
import { BIN, run, running } from '../support/run-command.js'

const SCRIPTS = { bash: bashScript(), zsh: zshScript(), fish: fishScript() }

function isHere(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0
}

/** What bash offers for the last word. */
async function offered(t: TestContext, cwd: string, words: readonly string[]): Promise<string[]> {
  const folder = await folderForTest(t)
  const script = join(folder, 'script')
  writeFileSync(script, SCRIPTS.bash)
  const command = join(folder, 'coterie')
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 })
  const body = `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _coterie; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = spawnSync('bash', ['-c', body, 'bash', command, ...words], { cwd, encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line !== '')
}

test('completion: every script has every command and option', async (t) => {
  for (const [shell, script] of Object.entries(SCRIPTS)) {
    for (const command of COMMAND_NAMES) {
      t.ok(script.includes(command), `${shell} ${command}`)
      for (const [flag] of flagsOf(command)) t.ok(script.includes(shell === 'fish' ? `-l ${flag}` : `--${flag}`), flag)
    }
  }
})

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`completion: ${shell} reads its script`, { skip: !isHere(shell) }, async (t) => {
    const script = join(await folderForTest(t), 'script')
    writeFileSync(script, SCRIPTS[shell])
    const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' })
    t.same({ status, stderr }, { status: 0, stderr: '' })
    t.equal((await run('.', ['completion', shell])).stdout, SCRIPTS[shell])
  })
}

test('completion: bash offers what can stand there', { skip: !isHere('bash') }, async (t) => {
  const folder = await folderForTest(t)
  t.same(await offered(t, folder, ['st']), ['start', 'status'])
  t.same(await offered(t, folder, ['start', '--dura']), ['--durability'])
  t.same(await offered(t, folder, ['start', '--durability', '']), ['process', 'disk'])
  t.same(await offered(t, folder, ['completion', '']), ['bash', 'zsh', 'fish'])
  t.same(await offered(t, folder, ['leave', 'n']), [], 'nobody runs')
  await running(t, folder)
  t.same(await offered(t, folder, ['leave', 'n']), ['node1', 'node2', 'node3'])
  t.same(await offered(t, folder, ['leave', '-d', join(folder, 'data'), 'node2']), ['node2'])
  t.same(await offered(t, folder, ['leave', '-d', join(folder, 'other'), 'n']), [])
})
