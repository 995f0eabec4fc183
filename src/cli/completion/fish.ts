/** The script for fish. */

import { COMMAND_NAMES, COMMANDS, type CommandName, type Flag, flagsOf } from '../flags.js'
import { type Completed, completedBy, operandOf, SHELL_NAMES } from './words.js'

export function fishScript(): string {
  return `# fish completion for coterie: coterie completion fish | source
function __coterie_nodes
  set -l location ./data
  set -l words (commandline -opc)
  for at in (seq (count $words))
    if contains -- $words[$at] -d --location; and test $at -lt (count $words)
      set location $words[(math $at + 1)]
    end
  end
  coterie completion nodes --location $location 2>/dev/null
end

complete -c coterie -f
complete -c coterie -n __fish_use_subcommand -s h -l help -d 'print this'
complete -c coterie -n __fish_use_subcommand -s v -l version -d 'print the version'
${COMMAND_NAMES.map((name) => `complete -c coterie -n __fish_use_subcommand -a ${name} -d ${quoted(COMMANDS[name])}`).join('\n')}
${COMMAND_NAMES.flatMap(linesOf).join('\n')}
`
}

function linesOf(command: CommandName): string[] {
  const within = `complete -c coterie -n '__fish_seen_subcommand_from ${command}'`
  const operand = arguments_(operandOf(command))
  return [
    ...(operand === '' ? [] : [`${within} ${operand}`]),
    ...flagsOf(command).map(([name, flag]) => `${within} ${option(name, flag)} -d ${quoted(flag.about)}`),
  ]
}

function option(name: string, { short, operand, choices }: Flag): string {
  const names = `${short === undefined ? '' : `-s ${short} `}-l ${name}`
  if (operand === undefined) return names
  if (choices !== undefined) return `${names} -x -a ${quoted(choices.join(' '))}`
  const offered = arguments_(completedBy(operand))
  return offered === '' ? `${names} -x` : `${names} -r ${offered}`
}

function arguments_(completed: Completed): string {
  switch (completed) {
    case 'folder':
      return "-x -a '(__fish_complete_directories)'"
    case 'file':
      return '-F'
    case 'nodes':
      return "-x -a '(__coterie_nodes)'"
    case 'shell':
      return `-x -a ${quoted(SHELL_NAMES.join(' '))}`
    case 'nothing':
      return ''
    default:
      return completed satisfies never
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
