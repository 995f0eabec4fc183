/**
 * Where the control socket of a location is. A place that only its owner reaches, because the mode of a socket alone does not
 * count everywhere, and because it would be open to all between `bind` and `chmod`. (Setting the umask around `bind` was
 * rejected: it is the whole process's, and the nodes' threads make folders meanwhile.)
 *
 * ```
 * <location>/cluster/control/socket       as a rule: a folder of mode 0700
 * <temporary>/coterie-XXXXXX/socket       where that path is too long for a socket (108 bytes), or its disk has no sockets;
 *                                         then cluster/control/path names it
 * \\.\pipe\coterie-<hash of the location>  on Windows
 * ```
 *
 * Who listens holds the location's lock: a socket that lies there is a dead process's, and is removed. Who looks for one does not
 * hold it, and removes nothing.
 */

import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, mkdtemp, readFile, realpath, rm, rmdir, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { CoterieError } from '../../shared/errors.js'

/** The least of the systems (macOS), without the final zero. */
const PATH_BYTES_MAX = 103
const OWNER_ONLY = 0o700
const OTHERS = 0o077

const isWindows = process.platform === 'win32'

/** Where to listen: the usual place, or the other one. `location` is a real path. Its folders are made, a dead process's socket removed. */
export async function placeSocket(location: string, where: 'usual' | 'elsewhere'): Promise<string> {
  if (isWindows) return pipeOf(location)
  const folder = folderOf(location)
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY })
  await removeElsewhere(location)
  const usual = join(folder, 'socket')
  if (where === 'usual' && fits(usual) && (await isOwnersOnly(folder))) {
    await rm(usual, { force: true })
    return usual
  }
  // Made anew each time: a name that can be told before could have been taken by somebody else.
  const socket = join(await mkdtemp(join(temporaryFolder(), 'coterie-')), 'socket')
  if (!fits(socket)) {
    await rmdir(dirname(socket))
    throw new Error(`a socket's path has at most ${PATH_BYTES_MAX} bytes, and ${socket} is longer; set TMPDIR`)
  }
  await writeFile(join(folder, 'path'), socket, { mode: 0o600 })
  return socket
}

/** Nobody listens any more, and the lock is still held. */
export async function removeSocket(location: string): Promise<void> {
  if (isWindows) return
  await removeElsewhere(location)
  await rm(join(folderOf(location), 'socket'), { force: true })
}

/** Where somebody may be listening; undefined if nobody can be. Errors: OPEN_FAILED if it is another user's. */
export async function findSocket(location: string): Promise<string | undefined> {
  const real = await ifThere(realpath(resolve(location)))
  if (real === undefined) return undefined
  if (isWindows) return pipeOf(real)
  const usual = join(folderOf(real), 'socket')
  const socket = (await ifThere(readFile(join(folderOf(real), 'path'), 'utf8'))) ?? usual
  const found = await ifThere(lstat(socket))
  if (found?.isSocket() !== true) return undefined
  const own = process.getuid?.()
  if (own !== 0 && found.uid !== own)
    throw new CoterieError('OPEN_FAILED', `the control socket ${socket} is another user's`, { socket })
  return socket
}

/** Only what was made here: a socket in a folder of our name, which must be empty then. */
async function removeElsewhere(location: string): Promise<void> {
  const note = join(folderOf(location), 'path')
  const socket = await ifThere(readFile(note, 'utf8'))
  if (socket === undefined) return
  const folder = dirname(socket)
  if (/^coterie-\w{6}$/.test(basename(folder)) && basename(socket) === 'socket') {
    if ((await ifThere(lstat(socket)))?.isSocket() === true) await ifThere(unlink(socket))
    await ifThere(rmdir(folder))
  }
  await rm(note, { force: true })
}

async function isOwnersOnly(folder: string): Promise<boolean> {
  const found = await lstat(folder)
  if (found.uid !== process.getuid?.() || !found.isDirectory()) return false
  if ((found.mode & OTHERS) !== 0) await chmod(folder, OWNER_ONLY)
  return true
}

function folderOf(location: string): string {
  return join(location, 'cluster', 'control')
}

function temporaryFolder(): string {
  const own = process.env['XDG_RUNTIME_DIR']
  return own === undefined || own === '' ? tmpdir() : own
}

function pipeOf(location: string): string {
  return `\\\\.\\pipe\\coterie-${createHash('sha256').update(location.toLowerCase()).digest('hex').slice(0, 32)}`
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= PATH_BYTES_MAX
}

/** Undefined where there is no such file, or none that can be removed any more. */
async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ENOTEMPTY' || code === 'EPERM')
      return undefined
    throw error
  }
}
