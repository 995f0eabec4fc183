// Makes each worker entry one file. A thread loads its modules anew; read one by one they cost a node's thread four times
// what the thread itself does, and five threads start at once on few cores. Packages stay outside: native bindings find
// their files, and there is one copy of each. Part of `npm run build`, after tsc, whose output it replaces.

import { build } from 'esbuild'

await build({
  entryPoints: ['actors/node.actor.ts', 'actors/tasks/verify.task.ts'],
  outdir: 'dist/actors',
  outbase: 'actors',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
