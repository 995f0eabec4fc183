/**
 * `npm run mutants`: each mutant of the protocol must be caught within so many seeds, by the checker that it names, or by the test that
 * it names. The simulator, or the test's file, is bundled once for each, with one place of the source replaced.
 *
 * A run goes on after its first violation, and keeps some of each checker: so a checker that is second is seen in the same run. Only
 * where the named one was silent, more seeds are tried.
 *
 * --seeds N   at most so many for each (default 500)
 * Arguments: names of mutants; default all.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Finder } from '../../src/sim/index.js'
import type { Change, Mutant, TestedMutant } from './mutant.js'
import { MUTANTS } from './mutants.js'
import { TESTED } from './tested.js'

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

type Sim = Pick<typeof import('../../src/sim/index.js'), 'planOf' | 'runPlan' | 'shrink'>

/** How a mutant ended. */
export interface Caught {
  readonly mutant: Mutant
  /** Where the checker that it names caught it, and what that said; undefined: nowhere. */
  readonly seed: number | undefined
  readonly detail: string | undefined
  /** The other checkers that saw something in these runs → the first seed. */
  readonly others: ReadonlyMap<Finder, number>
}

/** Errors: throws if the place is not in the source exactly once. */
export async function tryMutant(mutant: Mutant, seedsMax: number, root: string): Promise<Caught> {
  return loadMutant(mutant, root, async ({ planOf, runPlan }) => {
    const others = new Map<Finder, number>()
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { violations } = runPlan(planOf(seed))
      for (const { checker } of violations)
        if (checker !== mutant.checker && !others.has(checker)) others.set(checker, seed)
      const found = violations.find(({ checker }) => checker === mutant.checker)
      if (found !== undefined) return { mutant, seed, detail: found.detail, others }
    }
    return { mutant, seed: undefined, detail: undefined, others }
  })
}

/** Bundles the simulator with the mutant in it. Errors: as `tryMutant`. */
export async function loadMutant<Result>(
  mutant: Mutant,
  root: string,
  use: (sim: Sim) => Promise<Result>,
): Promise<Result> {
  return withBundle(mutant, 'src/sim/index.ts', root, async (path) =>
    use((await import(pathToFileURL(path).href)) as Sim),
  )
}

/** True: the test that it names fails, where it passes without it (which `npm test` shows). Errors: as `tryMutant`. */
export async function tryTested(mutant: TestedMutant, root: string): Promise<boolean> {
  const [file, title] = mutant.test
  return withBundle(mutant, `test/${file}`, root, async (path) => {
    const output = await outputOf(path)
    return output.split('\n').some((line) => line.startsWith('not ok ') && line.includes(title))
  })
}

/** Its changes of the source, one or two. */
export function changesOf({ also, file, find, replace }: Mutant | TestedMutant): readonly Change[] {
  const first = { file, find, replace }
  return also === undefined ? [first] : [first, also]
}

/** Of a test that may fail. */
function outputOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path], { maxBuffer: OUTPUT_BYTES_MAX }, (_error, stdout) => resolve(stdout))
  })
}

async function withBundle<Result>(
  mutant: Mutant | TestedMutant,
  entry: string,
  root: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  // Within the project, so that its packages are found.
  const folder = await mkdtemp(join(root, 'dist', 'mutant-'))
  try {
    const outfile = join(folder, 'bundle.mjs')
    await build({
      entryPoints: [join(root, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
      plugins: [mutating(mutant, root)],
    })
    return await use(outfile)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function mutating(mutant: Mutant | TestedMutant, root: string): Plugin {
  return {
    name: 'mutant',
    setup(plugin) {
      plugin.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const changes = changesOf(mutant).filter(({ file }) => join(root, file) === path)
        if (changes.length === 0) return undefined
        let contents = await readFile(path, 'utf8')
        for (const { file, find, replace } of changes) {
          const places = contents.split(find).length - 1
          if (places !== 1) throw new Error(`mutant ${mutant.name}: its place stands ${places} times in ${file}`)
          contents = contents.replace(find, () => replace)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** All, or those named. */
export function mutantsNamed(names: readonly string[]): readonly Mutant[] {
  return named(MUTANTS, names)
}

/** As `mutantsNamed`. */
export function testedNamed(names: readonly string[]): readonly TestedMutant[] {
  return named(TESTED, names)
}

function named<Named extends { readonly name: string }>(
  all: readonly Named[],
  names: readonly string[],
): readonly Named[] {
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}
