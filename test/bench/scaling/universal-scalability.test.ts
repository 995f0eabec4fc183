/** The fit of the universal scalability law finds the laws that points were made by. */

import { test } from 'tap'
import { fitScalingLaw, throughputAt } from '../../../bench/scaling/universal-scalability.js'

const SIZES = [1, 2, 4, 8, 16]

test('scaling law: points of a law give the law', (t) => {
  const laws = [
    { lambda: 1_000, sigma: 0.05, kappa: 0.002 },
    { lambda: 50, sigma: 0.3, kappa: 0 },
    { lambda: 7, sigma: 0, kappa: 0 },
    { lambda: 20_000, sigma: 1.4, kappa: 0.02 },
  ]
  for (const law of laws) {
    const found = fitScalingLaw(SIZES.map((size) => ({ size, throughput: throughputAt(law, size) })))
    for (const term of ['sigma', 'kappa'] as const)
      t.ok(Math.abs(found[term] - law[term]) < 1e-3, `${term} of ${JSON.stringify(law)}: ${found[term]}`)
    t.ok(Math.abs(found.lambda / law.lambda - 1) < 1e-3)
    t.ok(found.determination > 0.999)
  }
  t.end()
})

test('scaling law: the peak is where more is less', (t) => {
  const law = { lambda: 1, sigma: 0.04, kappa: 0.005 }
  const { peakSize } = fitScalingLaw(SIZES.map((size) => ({ size, throughput: throughputAt(law, size) })))
  t.ok(throughputAt(law, peakSize) > throughputAt(law, peakSize * 1.1))
  t.ok(throughputAt(law, peakSize) > throughputAt(law, peakSize / 1.1))
  t.equal(
    fitScalingLaw([
      { size: 1, throughput: 5 },
      { size: 2, throughput: 10 },
    ]).peakSize,
    Number.POSITIVE_INFINITY,
  )
  t.end()
})

test('scaling law: what scales better than its size is no negative contention', (t) => {
  const { sigma, kappa } = fitScalingLaw(SIZES.map((size) => ({ size, throughput: size ** 1.5 })))
  t.equal(sigma, 0)
  t.equal(kappa, 0)
  t.end()
})
