// The import rules of .dependency-cruiser.cjs over the TypeScript sources. dependency-cruiser cruises nothing and is
// content where it cannot load a compiler it knows, so this also asks that it read every source file there is.

import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const FLOOR = 120

const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
const folders = ['src', 'actors', 'bench', 'test'].filter((folder) => existsSync(folder))
const sources = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => /[.](?:c?ts|tsx)$/.test(file))
    .map((file) => join(folder, file)),
)

const { output } = await cruise(folders, { ...options, ruleSet: { forbidden }, validate: true }, undefined, {
  tsConfig: extractTsConfig('tsconfig.json'),
})

const cruised = new Set(output.modules.map((module) => module.source))
const unread = sources.filter((source) => !cruised.has(source))
const problems = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
if (unread.length > 0) problems.push(`not cruised: ${unread.join(', ')}`)
if (cruised.size < FLOOR) problems.push(`only ${cruised.size} modules cruised, the floor is ${FLOOR}`)

for (const problem of problems) console.error(problem)
console.log(`${sources.length} sources, ${cruised.size} modules cruised, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
