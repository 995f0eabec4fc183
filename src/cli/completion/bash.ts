/** The script for bash. */

import { COMMAND_NAMES, type CommandName } from '../flags.js'
import { type Completed, completedBy, operandOf, optionsOf, optionsWithOperand, SHELL_NAMES } from './words.js'

export function bashScript(): string {
  return `# bash (4 or later) completion for coterie: source <(coterie completion bash)
_coterie_nodes() {
  local location=./data at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in -d | --location) location=\${COMP_WORDS[at + 1]} ;; esac
  done
  "\${COMP_WORDS[0]}" completion nodes --location "$location" 2>/dev/null
}

_coterie() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    ${words([...COMMAND_NAMES, '--help', '--version'])}
    return
  fi
  case $prev in
${optionsWithOperand()
  .map(
    ({ names, flag }) =>
      `    ${names.join(' | ')}) ${flag.choices === undefined ? reply(completedBy(flag.operand ?? '')) : words(flag.choices)}; return ;;`,
  )
  .join('\n')}
  esac
  case $cur in
    -*)
      case $command in
${COMMAND_NAMES.map((command) => `        ${command}) ${words(optionsOf(command))} ;;`).join('\n')}
      esac
      return
      ;;
  esac
  case $command in
${COMMAND_NAMES.filter((command) => operandOf(command) !== 'nothing')
  .map((command: CommandName) => `    ${command}) ${reply(operandOf(command))} ;;`)
  .join('\n')}
  esac
}

complete -F _coterie coterie
`
}

function reply(completed: Completed): string {
  switch (completed) {
    case 'folder':
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")'
    case 'file':
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")'
    case 'nodes':
      return 'mapfile -t COMPREPLY < <(compgen -W "$(_coterie_nodes)" -- "$cur")'
    case 'shell':
      return words(SHELL_NAMES)
    case 'nothing':
      return ':'
    default:
      return completed satisfies never
  }
}

function words(choices: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W '${choices.join(' ')}' -- "$cur")`
}
