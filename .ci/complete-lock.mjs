// Only after package-lock.json was made anew: `node .ci/complete-lock.mjs`. A registry mirror may lack the builds of a
// tool for other platforms; npm then leaves these optional packages out of the lock, and `npm ci` rejects the lock
// because of it. This enters them by name, exact version and platform, as the full registry would have done.

import { readFileSync, writeFileSync } from 'node:fs'

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'arm']

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const added = {}

for (const [at, owner] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    if (key in lock.packages || `${at}/${key}` in lock.packages) continue
    added[key] = entryFor(name, version, owner)
  }
}

const { '': root, ...packages } = { ...lock.packages, ...added }
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = { '': root, ...Object.fromEntries(sorted) }
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${Object.keys(added).length} platform packages entered`)

function entryFor(name, version, owner) {
  const words = name.split(/[/-]/)
  const os = SYSTEMS.find((system) => words.includes(system))
  const cpu = PROCESSORS.find((processor) => words.includes(processor))
  if (os === undefined || cpu === undefined || !/^\d/.test(version))
    throw new Error(`what platform is ${name}@${version}?`)
  const libc = /musl/.test(name) ? ['musl'] : /gnu/.test(name) ? ['glibc'] : undefined
  const { dev, license, engines } = owner
  return { version, cpu: [cpu], dev, ...(os === 'linux' ? { libc } : {}), license, optional: true, os: [os], engines }
}
