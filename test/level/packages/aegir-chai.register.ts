/** Loaded before mocha: `aegir/chai` is the file beside this one. */

import { register } from 'node:module'

const hooks = `export const resolve = (specifier, context, next) => specifier === 'aegir/chai'
  ? { url: ${JSON.stringify(new URL('aegir-chai.js', import.meta.url).href)}, shortCircuit: true }
  : next(specifier, context)`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
