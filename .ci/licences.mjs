// The licences of what a bundle contains, which travel with it. Called by the scripts that bundle.

import { existsSync, readFileSync } from 'node:fs'

/** `metafile`: esbuild's. */
export function licencesOf(metafile, heading) {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  )
  const notices = [...packages].sort().map((name) => {
    const file = ['LICENSE', 'LICENSE.md', 'license', 'LICENCE']
      .map((it) => `node_modules/${name}/${it}`)
      .find(existsSync)
    const text =
      file === undefined
        ? JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).license
        : readFileSync(file, 'utf8')
    return `== ${name} ==\n\n${text.trim()}\n`
  })
  return `${heading}\n\n${notices.join('\n')}`
}
