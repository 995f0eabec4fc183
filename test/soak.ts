/**
 * `npm run soak`: a minute of faults for each way of calling, printed and judged. Not part of `npm test`: it judges times.
 *
 * COTERIE_SOAK_SECONDS  length of each variant, default 60
 * COTERIE_SOAK_SEED     which nodes are hit and what the callers do, default 1
 * COTERIE_SOAK_RATE     requests a second at most, default 0: as fast as 16 callers can
 * Arguments: names of variants (client, threads, server), and of parts that measure what one fault costs (slow, storm, rolling,
 * flood, huge: rows 17, 25, 26, 30 and 31 of FAULTS.md); default all variants, and `all` is everything.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeViolation } from '../src/sim/checkers/linearizability.js'
import { describeSoak, type SoakReport, soak } from './support/soak.js'
import type { PartOptions, PartReport } from './support/soak-parts/part.js'
import { soakRolling, soakStorm } from './support/soak-parts/restarts.js'
import { soakFlood, soakHuge } from './support/soak-parts/sizes.js'
import { soakSlow } from './support/soak-parts/slow.js'

const CRASH_STALL_MS_MAX = 50
const HANG_STALL_MS_MAX = 300

const VARIANTS = {
  client: { coordination: 'client', callerThreads: 0 },
  threads: { coordination: 'client', callerThreads: 2, nearCacheBytes: 33_554_432 },
  server: { coordination: 'server', callerThreads: 0 },
} as const

const PARTS: Readonly<Record<string, (options: PartOptions) => Promise<PartReport>>> = {
  slow: soakSlow,
  storm: soakStorm,
  rolling: soakRolling,
  flood: soakFlood,
  huge: soakHuge,
}

const seconds = numberFrom('COTERIE_SOAK_SECONDS', 60)
const seed = numberFrom('COTERIE_SOAK_SEED', 1)
const requestsPerSecondMax = numberFrom('COTERIE_SOAK_RATE', 0)
const asked = process.argv.slice(2)
const known = [...Object.keys(VARIANTS), ...Object.keys(PARTS), 'all']
for (const name of asked)
  if (!known.includes(name)) throw new RangeError(`there is no ${name}; there are ${known.join(', ')}`)
const isAsked = (name: string) => asked.includes(name) || asked.includes('all')

say(`Node.js ${process.version}, ${availableParallelism()} cores, ${seconds} s a variant, seed ${seed}`)
for (const [name, variant] of Object.entries(VARIANTS)) {
  if (asked.length > 0 && !isAsked(name)) continue
  const location = await mkdtemp(join(tmpdir(), 'coterie-soak-'))
  say(`\n${name}: 16 callers, ${JSON.stringify(variant)}`)
  const report = await soak({ location, seconds, seed, requestsPerSecondMax, ...variant })
  for (const line of describeSoak(report)) say(`  ${line}`)
  tell(judge(report))
  await rm(location, { recursive: true })
}

for (const [name, part] of Object.entries(PARTS)) {
  if (!isAsked(name)) continue
  const location = await mkdtemp(join(tmpdir(), 'coterie-soak-'))
  say(`\n${name}`)
  const { figures, broken } = await part({ location, seconds, seed })
  for (const line of figures) say(`  ${line}`)
  tell(broken)
  await rm(location, { recursive: true })
}

function tell(broken: readonly string[]): void {
  for (const line of broken) say(`  BROKEN ${line}`)
  if (broken.length === 0) say('  everything held')
  else process.exitCode = 1
}

function judge(report: SoakReport): string[] {
  const stall = (kind: string) => report.stalls.find(({ faultKind }) => faultKind === kind)?.longestMsMax ?? 0
  const rules: [boolean, string][] = [
    [report.failures.length === 0, `${report.failures.length} requests failed, first: ${report.failures[0]?.message}`],
    [report.violations.length === 0, report.violations.slice(0, 3).map(describeViolation).join('\n')],
    [report.nodesNotBack.length === 0, `not back: ${report.nodesNotBack.join(', ')}`],
    [report.copies === 3 * report.liveKeys, `${report.copies} copies of ${report.liveKeys} keys`],
    [stall('crash') < CRASH_STALL_MS_MAX, `longest stall after a crash is not below ${CRASH_STALL_MS_MAX} ms`],
    [stall('hang') < HANG_STALL_MS_MAX, `longest stall after a hang is not below ${HANG_STALL_MS_MAX} ms`],
  ]
  return rules.filter(([held]) => !held).map(([, text]) => text)
}

function numberFrom(name: string, byDefault: number): number {
  const value = Number(process.env[name] ?? byDefault)
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be a number of at least 0`)
  return value
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
