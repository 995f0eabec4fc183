/** Loaded before a package's own tests: what they require as `level` makes small clusters. */

import { createRequire, Module } from 'node:module'
import { SmallLevel } from '../../support/small-level.js'

const [, file = ''] = process.argv
const require = createRequire(file)
const path = require.resolve('level')
require.cache[path] = Object.assign(new Module(path), { exports: { Level: SmallLevel }, loaded: true })
