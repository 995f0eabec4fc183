/**
 * Runs the command that the arguments name and sets the exit code: 0 done, 1 it failed, 2 it was called wrongly,
 * 130 it was interrupted. `coterie.cts` is the bin; `node main.js` works too, with libuv's default pool.
 */

import { CoterieError } from '../shared/errors.js'
import { type Command, parseCommand } from './args.js'
import { UsageError } from './given.js'
import { commandHelp, overview } from './help.js'
import { errorLines } from './report-error.js'
import { stylerFor } from './terminal/style.js'
import { version } from './version.js'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

// The reader of our output may leave (`coterie scan | head`). What writes in a loop notices by itself and stops.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
})

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(parseCommand(args))
  } catch (error) {
    const style = stylerFor(process.stderr)
    if (error instanceof UsageError) {
      process.stderr.write(`${style('red', 'coterie:')} ${error.message}\n`)
      process.stderr.write(`See: coterie ${error.command === undefined ? '' : `${error.command} `}--help\n`)
      return EXIT_USAGE
    }
    for (const line of errorLines(error)) process.stderr.write(`${style('red', 'coterie:')} ${line}\n`)
    return error instanceof CoterieError && error.code === 'INVALID_OPTION' ? EXIT_USAGE : EXIT_FAILED
  }
}

/** Each command is loaded when it is called, so that `--help` does not pay for LevelDB. */
async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(command.topic === undefined ? overview() : commandHelp(command.topic))
      return 0
    case 'version':
      process.stdout.write(`${version()}\n`)
      return 0
    case 'start':
      return (await import('./start.js')).startCommand(command)
    case 'load':
      return (await import('./load/load.js')).loadCommand(command)
    case 'import':
      return (await import('./level/import.js')).importCommand(command)
    case 'export':
      return (await import('./level/export.js')).exportCommand(command)
    case 'backup':
      return (await import('./bulk/backup.js')).backupCommand(command)
    case 'restore':
      return (await import('./bulk/restore.js')).restoreCommand(command)
    case 'verify':
      return (await import('./bulk/verify.js')).verifyCommand(command)
    case 'sim':
      return (await import('./sim.js')).simCommand(command)
    case 'demo':
      return (await import('./demo/demo.js')).demoCommand(command)
    default:
      return (await import('./one-shot.js')).oneShotCommand(command)
  }
}
