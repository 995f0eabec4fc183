/**
 * `npm run torture`: the real thing, killed, damaged, cut off from power and starved, and what is left of it judged. Minutes;
 * `--quick` is a small form of well under one, which `npm test` runs too.
 *
 * Arguments: names of parts (kill, damage, power, descriptors, clock, refill, disk); default all.
 * --quick      a few cycles and cases of each
 * --count N    cycles and cases of each part, in place of 200 kills, 200 places in every kind of file, 100 cuts, 16 limits,
 *              40 jumps of the clock, 60 kills of refills, 100 on a small disk
 * --seed N     of every choice by chance, default 1
 * --strict     also power cuts after which a name is there only by an fsync of its folder
 * --holes      also power cuts after which what was appended is there in any order
 * --keep       the folders stay, also of what held
 *
 * Exit code: 0 if everything held, 1 if something did not, 2 if the rest held and something could not be run here.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeOutcome } from './support/torture/outcome.js'
import { isPart, PARTS, type PartName, plannedEffort } from './support/torture/parts.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    strict: { type: 'boolean', default: false },
    holes: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})

const asked = positionals.map(partOf)
for (const part of Object.keys(PARTS) as PartName[]) {
  if (asked.length > 0 && !asked.includes(part)) continue
  const folder = await mkdtemp(join(tmpdir(), `coterie-torture-${part}-`))
  const planned = plannedEffort(part, values.quick)
  const count = values.count === undefined ? planned.count : numberOf('count', values.count)
  const { strict, holes } = values
  const effort = { ...planned, folder, count, seed: numberOf('seed', values.seed), strict, holes }
  const outcome = await PARTS[part](effort)
  say(describeOutcome(outcome))
  for (const line of outcome.broken) say(`  ${line}`)
  if (outcome.broken.length > 0) process.exitCode = 1
  else if (outcome.notRun !== undefined) process.exitCode ??= 2
  if (outcome.broken.length > 0 || values.keep) say(`  see ${folder}`)
  else await rm(folder, { recursive: true })
}

function partOf(name: string): PartName {
  if (isPart(name)) return name
  throw new RangeError(`there is no part ${name}; there are ${Object.keys(PARTS).join(', ')}`)
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`--${name} must be a whole number above 0`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
