/**
 * Runs a scenario file: every block's commands on one simulated cluster, and what they showed beside what the file expects.
 *
 * Called by `scenarios.test.ts`. `README.md` has the commands.
 */

import { Commands } from './commands.js'
import { commandsOf, parseScenario, renderScenario } from './scenario-file.js'

export interface ScenarioResult {
  /** The file as it should be. */
  readonly rewritten: string
  /** Equal to what stands in the file. */
  readonly isAsExpected: boolean
}

/** Errors: what a command throws, with the line of its block. */
export function runScenario(text: string): ScenarioResult {
  const file = parseScenario(text)
  const commands = new Commands()
  const outputs = file.blocks.map(({ head, line }) => {
    try {
      return commands.run(commandsOf(head))
    } catch (error) {
      throw new Error(`in the block at line ${line}`, { cause: error })
    }
  })
  const rewritten = renderScenario(file, outputs)
  return { rewritten, isAsExpected: rewritten === text }
}
