// Makes the dashboard's page of `src/dashboard/page`: one script, one style sheet, and the files beside them, each also as gzip. So a
// user's installation serves it as it is. Part of `npm run build`, after tsc, which has checked its types.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { licencesOf } from './licences.mjs'

const FROM = 'src/dashboard/page'
const TO = 'dist/src/dashboard/served'

rmSync(TO, { recursive: true, force: true })
mkdirSync(TO, { recursive: true })
const { metafile } = await build({
  entryPoints: { page: join(FROM, 'main.tsx') },
  outdir: TO,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome120', 'firefox121', 'safari17'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})
for (const name of ['index.html', 'icon.svg']) writeFileSync(join(TO, name), readFileSync(join(FROM, name)))
for (const name of ['index.html', 'icon.svg', 'page.js', 'page.css'])
  writeFileSync(join(TO, `${name}.gz`), gzipSync(readFileSync(join(TO, name)), { level: 9 }))
writeFileSync(join(TO, 'THIRD-PARTY-LICENSES.txt'), licencesOf(metafile, 'The page contains code of these packages.'))
