/** The help texts, made from the tables in `flags.ts`, so that they cannot forget an option. */

import { COMMAND_NAMES, COMMANDS, type CommandName, flagsOf, OPERANDS } from './flags.js'

export function overview(): string {
  const width = Math.max(...COMMAND_NAMES.map((name) => synopsis(name).length))
  const commands = COMMAND_NAMES.map((name) => `  ${synopsis(name).padEnd(width)}  ${COMMANDS[name]}`)
  return `Coterie: a Dynamo-style key-value cluster inside one process.

Usage: coterie COMMAND [options]

${commands.join('\n')}

  coterie COMMAND --help      the options of a command
  coterie --version

Every command but start and demo opens the folder (./data), does its work and closes it; while \`coterie start\` runs on a
folder, type at its prompt instead. Exit codes: 0 done, 1 failed (get: also not found), 2 wrong usage, 130 interrupted.
`
}

export function commandHelp(name: CommandName): string {
  const rows = flagsOf(name).map(([flagName, { short, operand, about }]) => {
    const shortForm = short === undefined ? '    ' : `-${short}, `
    return { usage: `${shortForm}--${flagName}${operand === undefined ? '' : ` ${operand}`}`, about }
  })
  const width = Math.max(...rows.map(({ usage }) => usage.length))
  const lines = rows.map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)
  return `Usage: coterie ${synopsis(name)} [options]\n\n${capital(COMMANDS[name])}.\n\n${lines.join('\n')}\n`
}

function synopsis(name: CommandName): string {
  return [name, ...OPERANDS[name]].join(' ')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
