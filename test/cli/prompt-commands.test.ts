/** Commands of the prompt that destroy a copy of the data. */

import { test } from 'tap'
import { PROMPT_COMMANDS, type PromptContext } from '../../src/cli/terminal/prompt-commands.js'

test('wipe, corrupt and crash --permanent are done only if --faults was said', async (t) => {
  const done: string[] = []
  const fault = (name: string) => async () => void done.push(name)
  const faults = { wipe: fault('wipe'), corrupt: fault('corrupt'), crash: fault('crash') }
  const contextOf = (mayDestroy: boolean) => ({ cluster: { faults }, mayDestroy }) as unknown as PromptContext
  const run = async (name: string, words: readonly string[], mayDestroy: boolean) =>
    PROMPT_COMMANDS[name]?.run(words, contextOf(mayDestroy))
  const destroying = [
    ['wipe', ['node1']],
    ['corrupt', ['node1']],
    ['crash', ['node1', '--permanent']],
  ] as const
  for (const [name, words] of destroying) await t.rejects(run(name, words, false), /start --faults/)
  t.same(done, [])
  await run('crash', ['node1'], false)
  for (const [name, words] of destroying) await run(name, words, true)
  t.same(done, ['crash', 'wipe', 'corrupt', 'crash'])
})
