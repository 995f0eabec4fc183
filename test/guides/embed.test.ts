/** `src/guides/embed.md` does what it says. */

import { testGuide } from './test-guide.js'

await testGuide('embed.md')
