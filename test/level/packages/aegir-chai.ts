/** What `aegir/chai` is to the suites of js-stores, as far as they use it; aegir itself is a thousand packages. */

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const chai = require('chai') as { use(plugin: unknown): void; expect: unknown }

chai.use(require('chai-as-promised'))
chai.use(require('chai-parentheses'))

export const { expect } = chai
