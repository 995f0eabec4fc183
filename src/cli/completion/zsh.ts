/** The script for zsh. */

import { COMMAND_NAMES, COMMANDS, type CommandName, type Flag, flagsOf, OPERANDS } from '../flags.js'
import { type Completed, completedBy, SHELL_NAMES, spellings } from './words.js'

export function zshScript(): string {
  return `#compdef coterie
# zsh completion for coterie: source <(coterie completion zsh), after compinit
_coterie_nodes() {
  local location=./data at
  for ((at = 1; at < CURRENT; at++)); do
    case $words[at] in (-d | --location) location=$words[at+1] ;; esac
  done
  local -a nodes=(\${(f)"$(coterie completion nodes --location $location 2>/dev/null)"})
  compadd -a nodes
}

_coterie() {
  local -a commands=(
${COMMAND_NAMES.map((name) => `    ${quoted(`${name}:${COMMANDS[name]}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${COMMAND_NAMES.map((command) => `    ${command}) _arguments ${argumentsOf(command).join(' ')} ;;`).join('\n')}
  esac
}

if [ "$funcstack[1]" = _coterie ]; then _coterie "$@"; else compdef _coterie coterie; fi
`
}

function argumentsOf(command: CommandName): string[] {
  const operands = OPERANDS[command].map((operand) => {
    const name = operand.replace(/[[\]]/g, '')
    return quoted(`${operand.startsWith('[') ? '::' : ':'}${name}:${action(completedBy(operand))}`)
  })
  return [...operands, ...flagsOf(command).flatMap(([name, flag]) => option(name, flag))]
}

function option(name: string, flag: Flag): string[] {
  const { operand, choices, about, multiple } = flag
  const taken =
    operand === undefined
      ? ''
      : `:${operand}:${choices === undefined ? action(completedBy(operand)) : `(${choices.join(' ')})`}`
  return spellings(name, flag).map((spelling) =>
    quoted(`${multiple === true ? '*' : ''}${spelling}[${about.replace(/[[\]:]/g, '\\$&')}]${taken}`),
  )
}

function action(completed: Completed): string {
  switch (completed) {
    case 'folder':
      return '_files -/'
    case 'file':
      return '_files'
    case 'nodes':
      return '_coterie_nodes'
    case 'shell':
      return `(${SHELL_NAMES.join(' ')})`
    case 'nothing':
      return ' '
    default:
      return completed satisfies never
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
