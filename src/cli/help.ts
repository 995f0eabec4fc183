/** The help texts, made from the tables in `flags.ts`, so that they cannot forget an option. */

import { EXAMPLES } from './examples.js'
import { EXIT_CODES } from './exit-codes.js'
import { COMMAND_NAMES, COMMANDS, type CommandName, flagsOf, OPERANDS } from './flags.js'

export function overview(): string {
  const width = Math.max(...COMMAND_NAMES.map((name) => synopsis(name).length))
  const commands = COMMAND_NAMES.map((name) => `  ${synopsis(name).padEnd(width)}  ${COMMANDS[name]}`)
  return `Coterie: a Dynamo-style key-value cluster inside one process.

Usage: coterie COMMAND [options]

${commands.join('\n')}

  coterie COMMAND --help      the options of a command
  coterie --version

Commands work on the folder ./data (--location names another). While \`coterie start\` has it open, they ask its process over
a socket in the folder; otherwise they open it, do their work and close it.

Exit codes:
${EXIT_CODES.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}
`
}

export function commandHelp(name: CommandName): string {
  const rows = flagsOf(name).map(([flagName, { short, operand, about }]) => {
    const shortForm = short === undefined ? '    ' : `-${short}, `
    return { usage: `${shortForm}--${flagName}${operand === undefined ? '' : ` ${operand}`}`, about }
  })
  const width = Math.max(...rows.map(({ usage }) => usage.length))
  const lines = rows.map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)
  return `Usage: coterie ${synopsis(name)} [options]

${capital(COMMANDS[name])}.

Options:
${lines.join('\n')}

Examples:
${EXAMPLES[name].map(([line, about]) => `  # ${about}\n  ${line}`).join('\n\n')}
`
}

function synopsis(name: CommandName): string {
  return [name, ...OPERANDS[name]].join(' ')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
