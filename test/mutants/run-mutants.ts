/**
 * `npm run mutants`: each mutant of the protocol must be caught by some checker within so many seeds. The simulator is bundled
 * once for each, with one place of the source replaced.
 *
 * --seeds N   at most so many for each (default 500)
 * Arguments: names of mutants; default all.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { MUTANTS, type Mutant } from './mutants.js'

type Sim = Pick<typeof import('../../src/sim/index.js'), 'planOf' | 'runPlan' | 'shrink'>

/** How a mutant ended: by which checker it was caught, and at which seed. */
export interface Caught {
  readonly mutant: Mutant
  readonly seed: number | undefined
  readonly checker: string | undefined
  readonly detail: string | undefined
}

/** Errors: throws if the place is not in the source exactly once. */
export async function tryMutant(mutant: Mutant, seedsMax: number, root: string): Promise<Caught> {
  return loadMutant(mutant, root, async ({ planOf, runPlan }) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const [violation] = runPlan(planOf(seed)).violations
      if (violation !== undefined) return { mutant, seed, checker: violation.checker, detail: violation.detail }
    }
    return { mutant, seed: undefined, checker: undefined, detail: undefined }
  })
}

/** Bundles the simulator with the mutant in it. Errors: as `tryMutant`. */
export async function loadMutant<Result>(
  mutant: Mutant,
  root: string,
  use: (sim: Sim) => Promise<Result>,
): Promise<Result> {
  // Within the project, so that its packages are found.
  const folder = await mkdtemp(join(root, 'dist', 'mutant-'))
  try {
    const outfile = join(folder, 'sim.mjs')
    await build({
      entryPoints: [join(root, 'src/sim/index.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      external: ['@node-rs/crc32'],
      logLevel: 'silent',
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
      plugins: [mutating(mutant, root)],
    })
    return await use((await import(pathToFileURL(outfile).href)) as Sim)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function mutating({ name, also, ...first }: Mutant, root: string): Plugin {
  return {
    name: 'mutant',
    setup(plugin) {
      for (const { file, find, replace } of also === undefined ? [first] : [first, also]) {
        const path = join(root, file)
        plugin.onLoad({ filter: /\.ts$/ }, async (args) => {
          if (args.path !== path) return undefined
          const source = await readFile(path, 'utf8')
          const places = source.split(find).length - 1
          if (places !== 1) throw new Error(`mutant ${name}: its place stands ${places} times in ${file}`)
          return { contents: source.replace(find, () => replace), loader: 'ts' }
        })
      }
    },
  }
}

/** All, or those named. */
export function mutantsNamed(names: readonly string[]): readonly Mutant[] {
  return names.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => names.includes(name))
}
