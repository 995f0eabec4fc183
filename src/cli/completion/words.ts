/** What can stand in each place, for the scripts of all shells. */

import { COMMAND_NAMES, type CommandName, type Flag, flagsOf, OPERANDS } from '../flags.js'

/** What completes an operand. */
export type Completed = 'folder' | 'file' | 'nodes' | 'shell' | 'nothing'

const OF_OPERAND: Readonly<Record<string, Completed>> = {
  FOLDER: 'folder',
  LOCATION: 'folder',
  DIR: 'folder',
  FILE: 'file',
  NODE: 'nodes',
  NODES: 'nodes',
  SHELL: 'shell',
}

export const SHELL_NAMES = ['bash', 'zsh', 'fish'] as const

/** By the name that the usage gives it, in brackets or not. */
export function completedBy(operand: string): Completed {
  return OF_OPERAND[operand.replace(/[[\]]/g, '')] ?? 'nothing'
}

/** Its first operand is all of it that a shell can know of. */
export function operandOf(command: CommandName): Completed {
  const [operand] = OPERANDS[command]
  return operand === undefined ? 'nothing' : completedBy(operand)
}

/** Options with an operand, by what completes them, each once. */
export function optionsWithOperand(): readonly { readonly names: readonly string[]; readonly flag: Flag }[] {
  const found = new Map<string, Flag>()
  for (const command of COMMAND_NAMES)
    for (const [name, flag] of flagsOf(command)) if (flag.operand !== undefined) found.set(name, flag)
  return [...found].map(([name, flag]) => ({ names: spellings(name, flag), flag }))
}

/** `-d`, `--location` */
export function spellings(name: string, { short }: Flag): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`]
}

export function optionsOf(command: CommandName): string[] {
  return flagsOf(command).flatMap(([name, flag]) => spellings(name, flag))
}
