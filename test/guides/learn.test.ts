/** `src/guides/learn.md` does what it says. */

import { testGuide } from './test-guide.js'

await testGuide('learn.md')
