/** `src/guides/test-with-faults.md` does what it says. */

import { testGuide } from './test-guide.js'

await testGuide('test-with-faults.md')
