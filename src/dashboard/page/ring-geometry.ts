/** Where things are on the ring, in units of the canvas. Pure: what is drawn and what is pointed at agree. */

/** Of the radius that all bands have together: of few places, and of as many as there can be (`n: 'all'`). */
const DEPTH_MIN = 0.36
const DEPTH_MAX = 0.54
const DEPTH_OF_PLACE = 0.012
/** Between two bands, and of a narrow one its share. */
const BAND_GAP = 2.5
const BAND_GAP_SHARE = 0.3

export interface RingShape {
  readonly centre: number
  /** Outer and inner radius of each band, the primary's first. */
  readonly bands: readonly (readonly [outer: number, inner: number])[]
  /** Between it and the bands lies the rim that tells of missing copies. */
  readonly rim: number
  readonly nodesRadius: number
  readonly nodeSize: number
}

/** `size`: of the square canvas. */
export function ringShape(size: number, places: number, nodes: number): RingShape {
  const centre = size / 2
  const rim = centre - 6
  const outer = rim - 9
  const count = Math.max(1, places)
  const depth = outer * Math.min(DEPTH_MAX, DEPTH_MIN + DEPTH_OF_PLACE * Math.max(0, count - 4))
  // The primary's band is the widest.
  const share = depth / (count + 0.7)
  const bands: [number, number][] = []
  let radius = outer
  for (let band = 0; band < count; band++) {
    const width = band === 0 ? share * 1.7 : share
    bands.push([radius, radius - width + Math.min(BAND_GAP, BAND_GAP_SHARE * share)])
    radius -= width
  }
  const nodesRadius = radius - Math.max(22, size * 0.055)
  const nodeSize = Math.max(4, Math.min(size * 0.03, (Math.PI * nodesRadius) / Math.max(1, nodes) / 1.35))
  return { centre, bands, rim, nodesRadius, nodeSize }
}

/** Radians, from the top, clockwise. */
export function angleOf(part: number, of: number): number {
  return (part / of) * 2 * Math.PI - Math.PI / 2
}

export function nodePoint({ centre, nodesRadius }: RingShape, index: number, nodes: number): [x: number, y: number] {
  const angle = angleOf(index + 0.5, Math.max(1, nodes))
  return [centre + nodesRadius * Math.cos(angle), centre + nodesRadius * Math.sin(angle)]
}

export type Pointed =
  | { readonly kind: 'partition'; readonly partition: number }
  | { readonly kind: 'node'; readonly index: number }
  | undefined

export function pointedAt(
  shape: RingShape,
  [x, y]: readonly [number, number],
  { partitions, nodes }: { readonly partitions: number; readonly nodes: number },
): Pointed {
  const [dx, dy] = [x - shape.centre, y - shape.centre]
  const radius = Math.hypot(dx, dy)
  const innermost = shape.bands.at(-1)?.[1] ?? 0
  if (radius <= shape.rim + 4 && radius >= innermost) {
    const turn = (Math.atan2(dy, dx) + Math.PI / 2 + 2 * Math.PI) % (2 * Math.PI)
    return { kind: 'partition', partition: Math.min(partitions - 1, Math.floor((turn / (2 * Math.PI)) * partitions)) }
  }
  for (let index = 0; index < nodes; index++) {
    const [nodeX, nodeY] = nodePoint(shape, index, nodes)
    if (Math.hypot(x - nodeX, y - nodeY) <= shape.nodeSize + 4) return { kind: 'node', index }
  }
  return undefined
}
