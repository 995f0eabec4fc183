/** Runs the tests that packages ship, as they are and in a process of their own, on databases that are clusters. */

import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { folderForTest } from '../../support/cluster.js'
import { finished } from '../../support/run-command.js'

const require = createRequire(import.meta.url)
/** For one test: its databases are clusters, on a machine that has others to run. */
const TEST_MS = 60_000
const FILE_MS = 240_000
const TEXT_CHARS = 2_000
const LEVEL_IS_COTERIE = ['--import', url('level-is-coterie.js')]

/** A file beside this one that calls a suite made for mocha. Its makers run it under aegir. */
export function runMocha(t: Test, file: string, tests: number): Promise<void> {
  const mocha = ['--import', url('aegir-chai.register.js'), require.resolve('mocha/bin/mocha.js')]
  const options = ['--reporter', 'tap', '--reporter-option', 'tapVersion=13', '--timeout', String(TEST_MS), '--exit']
  return runTap(t, tests, [...mocha, ...options, fileURLToPath(url(file))])
}

/** A file of a package, made for node:test, that opens databases of the package `level`. */
export function runNodeTests(t: Test, name: string, file: string, tests: number): Promise<void> {
  const options = ['--test-reporter=tap', '--test-force-exit']
  return runTap(t, tests, [...options, ...LEVEL_IS_COTERIE, fileOf(name, file)])
}

/** Such a file that says on a line of its own which of its tests succeeded, and ends with 0 if all did. */
export async function runScript(t: Test, name: string, file: string, success: RegExp, tests: number): Promise<void> {
  const cwd = await folderForTest(t)
  const args = [...LEVEL_IS_COTERIE, fileOf(name, file)]
  const { code, stdout, stderr } = await finished(
    spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: FILE_MS }),
  )
  t.equal(code, 0, `exit code: ${stderr.slice(0, TEXT_CHARS)}`)
  t.equal(stdout.match(success)?.length, tests, `each succeeds: ${stdout.slice(-TEXT_CHARS)}`)
  await wereClusters(t, cwd)
}

async function runTap(t: Test, tests: number, args: readonly string[]): Promise<void> {
  const cwd = await folderForTest(t)
  const env = { ...process.env, TMPDIR: cwd }
  const child = t.spawn(process.execPath, [...args], { cwd, env, timeout: FILE_MS }, 'their own tests')
  await child
  const { pass = 0, skip = 0, todo = 0 } = child.subtest?.counts ?? {}
  t.equal(skip + todo, 0, 'none is left out')
  t.equal(pass, tests, 'each passes')
  await wereClusters(t, cwd)
}

async function wereClusters(t: Test, folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true })
  const databases = files.filter((file) => basename(file) === 'CURRENT').map((file) => dirname(file))
  t.same(
    databases.filter((database) => !/\b(cluster\/[^/]+|node\d\/store)$/.test(database)),
    [],
    'no LevelDB but those of clusters',
  )
  t.ok(databases.length > 0)
}

function fileOf(name: string, file: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), file)
}

function url(file: string): string {
  return new URL(file, import.meta.url).href
}
