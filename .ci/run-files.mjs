// Runs test files in plain processes, some at a time. `.tap/results.tap` gets what they say, a subtest a file, and what they
// count in all; the terminal a line for each, and of those that fail everything. Called by `.ci/test.mjs`.
//
// tap would run them itself, and put a loader before every one that records what it loads, for coverage and watching. Neither is
// used here, and the loader goes by NODE_OPTIONS into every process that a test starts: 0.4 s of a core for each of them, two
// fifths of what the tests of the command cost.
//
// Arguments: the files. Exits 1 if one fails, ends with another code than 0, takes too long, or has no test in it.

import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'

/** At a time, on two cores: each is up to five threads. A third one took as long, all in all, and left less room before deadlines. */
const JOBS = 2
/** For one that hangs. Some take a minute on a quiet machine, and a busy one is no reason to fail. */
const TIMEOUT_MS = 300_000
/** From the signal at which a test of tap says what it was at, to the one that nobody survives. */
const DUMP_MS = 5_000
/** Those that take longest, first: none of them is to run alone at the end. */
const LONGEST = [
  'level/abstract-suite-database',
  'sim/corpus',
  'level/abstract-suite-sublevel',
  'sim/mutants',
  'cli/parent',
  'cli/control-command',
  'level/packages/y-leveldb',
  'level/packages/aedes-persistence-level',
  'cli/level-command',
  'guides/test-with-faults',
  'torture',
  'cluster/logged-batches',
  'cluster/network-faults',
  'cluster/shape',
  'cluster/owners-down',
].map((name) => `dist/test/${name}.test.js`)

const RESULTS = '.tap/results.tap'

const gone = LONGEST.filter((file) => !existsSync(file))
if (gone.length > 0) throw new Error(`.ci/run-files.mjs names tests that are not there: ${gone.join(', ')}`)

const files = inOrder(process.argv.slice(2))
const startedMs = performance.now()
const totals = { total: 0, pass: 0, fail: 0, todo: 0, skip: 0 }
/** Why tests were skipped, and in which files. */
const notRun = new Map()
let next = 0
mkdirSync('.tap', { recursive: true })
writeFileSync(RESULTS, `TAP version 14\n1..${files.length}\n`)
await Promise.all(Array.from({ length: JOBS }, worker))
const counts = Object.entries(totals).filter(([name, count]) => name === 'total' || count > 0)
const closing = `# { ${counts.map(([name, count]) => `${name}: ${count}`).join(', ')} }`
const time = `# time=${(performance.now() - startedMs).toFixed(3)}ms`
appendFileSync(RESULTS, `${closing}\n${time}\n`)
console.log(`${closing}\n${time}`)
for (const [reason, files] of notRun) console.log(`NOT RUN, ${reason}: ${[...files].join(', ')}`)
process.exitCode = totals.fail === 0 && totals.total > 0 ? 0 : 1

async function worker() {
  while (next < files.length) {
    next += 1
    report(next, await run(files[next - 1]))
  }
}

function inOrder(given) {
  const rank = (file) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length)
  return [...given].sort((one, other) => rank(one) - rank(other))
}

/** Its lines, and what its process came to. */
function run(file) {
  const fromMs = performance.now()
  const env = { ...process.env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT_MS / 1_000) }
  const child = spawn(process.execPath, ['--enable-source-maps', file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  let isLate = false
  const timers = [
    setTimeout(() => {
      isLate = true
      child.kill('SIGALRM')
    }, TIMEOUT_MS),
    setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS + DUMP_MS),
  ]
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      for (const timer of timers) clearTimeout(timer)
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
      resolve({ file, lines, code, signal, isLate, ms: performance.now() - fromMs })
    })
  })
}

/** As one subtest among the results, and as one line to whoever waits; a failure with all that it says. */
function report(number, { file, lines, code, signal, isLate, ms }) {
  const { total, fail } = count(lines)
  const isOk = code === 0 && !isLate && total > 0
  if (!isOk && fail === 0) add({ total: 1, fail: 1 })
  const ended = isOk
    ? ''
    : `  ---\n  exitCode: ${code}\n  signal: ${signal}\n  timeout: ${isLate}\n  tests: ${total}\n  ...\n`
  const body = lines.map((line) => `    ${line}`.trimEnd()).join('\n')
  const end = `${isOk ? 'ok' : 'not ok'} ${number} - ${file} # time=${ms.toFixed(3)}ms\n${ended}`
  appendFileSync(RESULTS, `# Subtest: ${file}\n${body}\n${end}\n`)
  for (const [, reason] of body.matchAll(/^ +ok .*# SKIP (.*)$/gm)) {
    const files = notRun.get(reason) ?? new Set()
    notRun.set(reason, files.add(file))
  }
  console.log(isOk ? end.trimEnd() : `# Subtest: ${file}\n${body}\n${end}`)
}

/** tap and tape close with what there was, each in its own way. */
function count(lines) {
  const ofTap = lines.findLast((line) => /^# \{ total: .* \}$/.test(line))
  const pairs =
    ofTap?.slice(4, -2).split(', ') ??
    lines.flatMap((line) =>
      /^# (?:tests|pass|fail) +\d+$/.test(line) ? [line.slice(2).replace('tests', 'total').replace(/ +/, ': ')] : [],
    )
  const found = {
    total: 0,
    fail: 0,
    ...Object.fromEntries(pairs.map((pair) => pair.split(': ')).map(([name, value]) => [name, Number(value)])),
  }
  add(found)
  return found
}

function add(found) {
  for (const [name, value] of Object.entries(found)) totals[name] += value
}
