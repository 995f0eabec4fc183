/**
 * Runs the command that the arguments name and sets the exit code (`exit-codes.ts`). `coterie.cts` is the bin; `node main.js`
 * works too, with libuv's default pool.
 */

import { parseCommand } from './args.js'
import type { Command } from './commands.js'
import { jsonOfError } from './control/error-json.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { UsageError } from './given.js'
import { commandHelp, overview } from './help.js'
import { errorLines } from './report-error.js'
import { stylerFor } from './terminal/style.js'
import { version } from './version.js'

// The reader of our output may leave (`coterie scan | head`). What writes in a loop notices by itself and stops.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
})

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(parseCommand(args))
  } catch (error) {
    if (args.includes('--json')) process.stderr.write(`${JSON.stringify({ error: jsonOfError(error) })}\n`)
    else sayError(error)
    return error instanceof UsageError ? EXIT.usage : exitCodeOf(error)
  }
}

function sayError(error: unknown): void {
  const style = stylerFor(process.stderr)
  for (const line of error instanceof UsageError ? [error.message] : errorLines(error))
    process.stderr.write(`${style('red', 'coterie:')} ${line}\n`)
  if (error instanceof UsageError)
    process.stderr.write(`See: coterie ${error.command === undefined ? '' : `${error.command} `}--help\n`)
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
    case 'top':
      return (await import('./top/top.js')).topCommand(command)
    case 'plan':
      return (await import('./shape/plan.js')).planCommand(command)
    case 'join':
      return (await import('./shape/join.js')).joinCommand(command)
    case 'leave':
      return (await import('./shape/leave.js')).leaveCommand(command)
    case 'backup':
      return (await import('./bulk/backup.js')).backupCommand(command)
    case 'migrate':
      return (await import('./bulk/migrate.js')).migrateCommand(command)
    case 'restore':
      return (await import('./bulk/restore.js')).restoreCommand(command)
    case 'verify':
      return (await import('./bulk/verify.js')).verifyCommand(command)
    case 'bench':
      return (await import('./bench/bench.js')).benchCommand(command)
    case 'completion':
      return (await import('./completion/completion.js')).completionCommand(command)
    case 'sim':
      return (await import('./sim.js')).simCommand(command)
    case 'demo':
      return (await import('./demo/demo.js')).demoCommand(command)
    default:
      return (await import('./one-shot.js')).oneShotCommand(command)
  }
}
