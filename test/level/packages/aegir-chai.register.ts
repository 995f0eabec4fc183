/** Loaded before mocha: `aegir/chai` is the file beside this one, and traces have an end. */

import { register } from 'node:module'

const hooks = `export const resolve = (specifier, context, next) => specifier === 'aegir/chai'
  ? { url: ${JSON.stringify(new URL('aegir-chai.js', import.meta.url).href)}, shortCircuit: true }
  : next(specifier, context)`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)

// mocha wants traces without one. Node.js 26 then ends the process over the first error of the file system, if there is a loader of
// modules, as tap has one (V8: "Check failed: new_capacity > 0"). mocha goes on where it may not set it.
Object.defineProperty(Error, 'stackTraceLimit', { value: 50, writable: false })
