// Reads what tap wrote. With one argument it prints only the counts; with a second, the runner's own output, it first
// prints every failure and how the run closed. The counts are assertions, and no test at all is a failure.

import { existsSync, readFileSync } from 'node:fs'

const [resultsFile, outputFile] = process.argv.slice(2)
const results = existsSync(resultsFile) ? readFileSync(resultsFile, 'utf8') : ''

if (outputFile === undefined) {
  console.log(counts())
} else {
  for (const failure of failures()) console.log(failure)
  const output = readFileSync(outputFile, 'utf8').split('\n')
  const closing = output.findLastIndex((line) => /^# \{ total: /.test(line))
  console.log(output.slice(closing < 0 ? -100 : closing).join('\n'))
}

/** tap closes with one comment for the whole run: `# { total: 9, pass: 6, fail: 1, todo: 1, skip: 1 }`, zeros left out. */
function counts() {
  const closing = /^# \{ (total: .*) \}$/m.exec(results)?.[1]
  if (closing === undefined) throw new Error(`${resultsFile} does not say how the tests ended`)
  const count = Object.fromEntries(closing.split(', ').map((pair) => pair.split(': ')))
  const { pass = 0, fail = 0, skip = 0, todo = 0 } = count
  if (Number(count.total) !== Number(pass) + Number(fail) + Number(skip) + Number(todo)) {
    throw new Error(`the counts do not add up: ${closing}`)
  }
  if (Number(pass) + Number(fail) === 0) throw new Error('no test ran')
  return `${pass} passed, ${fail} failed, ${Number(skip) + Number(todo)} skipped`
}

/** Each line of TAP that says `not ok`, with the diagnostics below it, but not those that are only todo or skipped. */
function* failures() {
  const lines = results.split('\n')
  for (const [index, line] of lines.entries()) {
    if (!/^\s*not ok /.test(line) || /# (TODO|SKIP)/.test(line)) continue
    const indent = line.search(/\S/)
    const end = lines.findIndex((other, at) => at > index && other.trimEnd() === `${' '.repeat(indent + 2)}...`)
    const next = lines[index + 1]?.trim()
    yield next === '---' && end > 0 ? lines.slice(index, end + 1).join('\n') : line
  }
}
