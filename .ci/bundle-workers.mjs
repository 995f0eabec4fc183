// Makes each worker entry one file, the JavaScript of its packages included. A thread loads its modules anew; read one by
// one they cost a node's thread several times what the thread itself does, and five threads start at once on few cores.
// What is native stays outside and is found in node_modules. Part of `npm run build`, after tsc, whose output it replaces.

import { writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { licencesOf } from './licences.mjs'

// classic-level looks for its binding relative to its own file.
const nativeBinding = {
  name: 'native-binding',
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      importer.includes('classic-level') ? { path: 'classic-level/binding.js', external: true } : undefined,
    )
  },
}

const { metafile } = await build({
  entryPoints: ['actors/node.actor.ts', 'actors/tasks/verify.task.ts'],
  outdir: 'dist/actors',
  outbase: 'actors',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['@node-rs/crc32', 'piscina', 'classic-level/binding.js'],
  // The packages are CommonJS and require node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [nativeBinding],
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
})

writeFileSync(
  'dist/actors/THIRD-PARTY-LICENSES.txt',
  licencesOf(metafile, 'The worker files contain code of these packages.'),
)
