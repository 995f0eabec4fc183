/** What was said after a command: its options and operands, checked one by one as they are asked for. Called by `args.ts`. */

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { NUMBER_OPTIONS } from '../shared/number-options.js'
import { type CommandName, type FlagName, flagsOf, OPERANDS } from './flags.js'

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  constructor(
    message: string,
    readonly command?: CommandName,
  ) {
    super(message)
  }
}

/** The options and operands of one command, checked one by one as they are asked for. */
export class Given {
  readonly #values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>
  readonly #operands: readonly string[]

  constructor(
    readonly command: CommandName,
    args: readonly string[],
  ) {
    const options = Object.fromEntries(
      flagsOf(command).map(([name, { type, short, multiple }]) => [name, defined({ type, short, multiple })]),
    )
    const { values, positionals } = parse(command, args, options)
    const operands = OPERANDS[command]
    if (positionals.length > operands.length) {
      const takes = operands.length === 0 ? 'nothing but options' : operands.join(' ')
      throw new UsageError(`unexpected "${positionals[operands.length]}"; ${command} takes ${takes}`, command)
    }
    this.#values = values
    this.#operands = positionals
  }

  operand(name: string): string {
    const value = this.optionalOperand(name)
    if (value === undefined) throw new UsageError(`${name} is missing`, this.command)
    return value
  }

  optionalOperand(name: string): string | undefined {
    return this.#operands[OPERANDS[this.command].findIndex((operand) => operand.replace(/[[\]]/g, '') === name)]
  }

  flag(name: FlagName): boolean | undefined {
    const value = this.#values[name]
    return typeof value === 'boolean' ? value : undefined
  }

  text(name: FlagName): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  choice<Choice extends string>(name: FlagName, choices: readonly Choice[]): Choice | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const choice = choices.find((allowed) => allowed === value)
    if (choice === undefined) throw this.wrong(name, value, choices.join(' or '))
    return choice
  }

  whole(name: FlagName, min: number, max: number): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const number = wholeNumber(value)
    if (number === undefined || number < min || number > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
      throw this.wrong(name, value, `a whole number ${range}`)
    }
    return number
  }

  /** `--set NAME=NUMBER`, any numeric option of `openCluster`; its range is checked with the others. */
  settings(): Record<string, number> {
    const settings: Record<string, number> = {}
    const given = this.#values['set']
    for (const setting of Array.isArray(given) ? given.map(String) : []) {
      const [, name = '', text = ''] = /^(\w+)=(.*)$/.exec(setting) ?? []
      const value = wholeNumber(text)
      if (!Object.hasOwn(NUMBER_OPTIONS, name) || value === undefined) {
        throw this.wrong('set', setting, `NAME=NUMBER, where NAME is one of ${Object.keys(NUMBER_OPTIONS).join(', ')}`)
      }
      settings[name] = value
    }
    return settings
  }

  wrong(name: FlagName, value: string, allowed: string): UsageError {
    return new UsageError(`--${name} is ${JSON.stringify(value)}; allowed: ${allowed}`, this.command)
  }
}

function parse(command: CommandName, args: readonly string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true, strict: true })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (!(error instanceof Error) || code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const known = Object.keys(options).map((name) => `--${name}`)
      const unknown = /'(.+?)'/.exec(error.message)?.[1] ?? 'option'
      throw new UsageError(`unknown option ${unknown}; ${command} knows ${known.join(', ')}`, command)
    }
    throw new UsageError(error.message.replaceAll('\n', ' '), command)
  }
}

function wholeNumber(text: string): number | undefined {
  const number = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> } & {
  [Name in keyof T as undefined extends T[Name] ? never : Name]: T[Name]
}

/** Without the members that are undefined: "not said" must stay apart from "said undefined". */
export function defined<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>
}
