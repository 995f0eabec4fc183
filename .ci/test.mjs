// `npm test`: tap under c8. With test files as arguments (`npm test -- dist/test/protocol/ring/claim.test.js`) only
// those run and the coverage floors are off, because a part of the tests cannot reach them.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const args = process.argv.slice(2)
const partial = args.some((arg) => !arg.startsWith('-'))
const coverage = partial ? ['--reporter=none', '--check-coverage=false', '--all=false'] : ['--reporter=text']
const excludes = typesOnly().flatMap((file) => ['--exclude', file])

// tap builds its test class for the plugins of .taprc at first use, but that first run would still load all of them.
if (!existsSync('.tap/plugins')) node(bin('tap'), 'build')
process.exitCode = node(bin('c8'), ...coverage, ...excludes, process.execPath, bin('tap'), ...args)

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
