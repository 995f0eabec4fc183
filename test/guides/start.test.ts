/** What the README begins with does what it says. */

import { testGuide } from './test-guide.js'

await testGuide('../../README.md', 'Start')
