// `npm test`: all tests, with files as arguments only those (`npm test -- dist/test/protocol/ring/claim.test.js`).
// `npm run coverage`: the same under c8, whose floors (.c8rc.json) then hold for a run of all tests. It is not what `npm test`
// does, because each of some 3,000 threads and processes writes its coverage: a sixth more time for the tests, and minutes
// to merge 2 GB of it.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const isCovered = process.argv.includes('--coverage')
const named = process.argv.slice(2).filter((arg) => arg !== '--coverage')

// tap builds its test class for the plugins of .taprc at first use, but that first run would still load all of them.
if (!existsSync('.tap/plugins')) node(bin('tap'), 'build')
const tests = ['.ci/run-files.mjs', ...(named.length > 0 ? named : all())]
process.exitCode = isCovered
  ? node(bin('c8'), '--reporter=text', ...excludes(), process.execPath, ...tests)
  : node(...tests)

function all() {
  return readdirSync('dist/test', { recursive: true })
    .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures'))
    .map((file) => join('dist/test', file))
    .sort()
}

function excludes() {
  return typesOnly().flatMap((file) => ['--exclude', file])
}

function node(...command) {
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1
}

/** Sources that hold types alone: they compile to nothing, no test can load them, and c8 would call them uncovered. */
function typesOnly() {
  return ['dist/src', 'dist/actors'].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith('.js') && isEmpty(readFileSync(join(folder, file), 'utf8')))
      .flatMap((file) => [`${folder}/${file}`, `${folder.slice('dist/'.length)}/${file.replace(/\.js$/, '.ts')}`]),
  )
}

function isEmpty(code) {
  return (
    code
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/\/\/.*$/gm, '')
      .trim() === 'export {};'
  )
}

function bin(name) {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[name])
}
