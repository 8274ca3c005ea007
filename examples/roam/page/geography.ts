export type Point = { readonly latitude: number; readonly longitude: number }

const earthRadiusKm = 6371

const toRadians = (degrees: number): number => (degrees * Math.PI) / 180
const toDegrees = (radians: number): number => (radians * 180) / Math.PI

type Vector = readonly [number, number, number]

function toVector({ latitude, longitude }: Point): Vector {
  const [lat, lon] = [toRadians(latitude), toRadians(longitude)]
  return [Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)]
}

const angleBetween = (a: Vector, b: Vector): number =>
  Math.acos(Math.min(1, Math.max(-1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])))

/** Kilometres over ground. */
export const distanceKm = (from: Point, to: Point): number => earthRadiusKm * angleBetween(toVector(from), toVector(to))

/** Where somebody is who has gone this part (0 to 1) of the shortest way. */
export function pointAlong(from: Point, to: Point, part: number): Point {
  const [a, b] = [toVector(from), toVector(to)]
  const angle = angleBetween(a, b)
  if (angle === 0) return from
  const [before, after] = [Math.sin((1 - part) * angle) / Math.sin(angle), Math.sin(part * angle) / Math.sin(angle)]
  const [x, y, z] = [0, 1, 2].map((axis) => before * a[axis]! + after * b[axis]!) as [number, number, number]
  return { latitude: toDegrees(Math.atan2(z, Math.hypot(x, y))), longitude: toDegrees(Math.atan2(y, x)) }
}

export type Frame = {
  readonly width: number
  readonly height: number
  /** What of the world it shows. */
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
  /** Pixels from the left and from the top. */
  place(point: Point): { readonly x: number; readonly y: number }
}

/** A frame in which the way from one place to another fills the middle. */
export function frameAround(points: readonly Point[], { width, height }: { width: number; height: number }): Frame {
  const latitudes = points.map(({ latitude }) => latitude)
  const longitudes = points.map(({ longitude }) => longitude)
  const middle = { latitude: middleOf(latitudes), longitude: middleOf(longitudes) }
  // A degree of longitude is shorter than one of latitude, by this much.
  const narrowing = Math.cos(toRadians(middle.latitude))
  const filled = 0.76
  const pixelsPerDegree = Math.min(
    (width * filled) / Math.max(1, spanOf(longitudes) * narrowing),
    (height * filled) / Math.max(1, spanOf(latitudes)),
  )
  const [halfHeight, halfWidth] = [height / 2 / pixelsPerDegree, width / 2 / pixelsPerDegree / narrowing]
  return {
    width,
    height,
    south: middle.latitude - halfHeight,
    north: middle.latitude + halfHeight,
    west: middle.longitude - halfWidth,
    east: middle.longitude + halfWidth,
    place: ({ latitude, longitude }) => ({
      x: width / 2 + (longitude - middle.longitude) * narrowing * pixelsPerDegree,
      y: height / 2 - (latitude - middle.latitude) * pixelsPerDegree,
    }),
  }
}

const middleOf = (values: readonly number[]): number => (Math.min(...values) + Math.max(...values)) / 2
const spanOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values)
