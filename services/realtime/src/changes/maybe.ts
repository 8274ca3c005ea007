/** Something that is known at once, or later. */
export type Maybe<T> = T | Promise<T>

/** Goes on at once when there is nothing to wait for: most changes are decided without a turn of the event loop. */
export function after<T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> {
  const later = async (promise: Promise<T>): Promise<R> => next(await promise)
  return value instanceof Promise ? later(value) : next(value)
}

export function allOf<T>(values: readonly Maybe<T>[]): Maybe<readonly T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[])
}

/** What the map has, or else what `make` makes, once. */
export function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined || map.has(key)) return found as V
  const made = make()
  map.set(key, made)
  return made
}
