/** A cache that learns of changes at once, so that tests need not wait. */
export const quickCache = {
  PANDO_CACHE_MODE: 'tables',
  PANDO_CACHE_PULSE: '20ms',
  // The machine of a test may be slow.
  PANDO_CACHE_LAG_MAX: '60s',
  PANDO_CHANGES_STATUS_INTERVAL: '20ms',
  PANDO_CHANGES_STANDBY_PAUSE: '20ms',
}

/** For polls: until the cache has learnt of a change. */
export const patiently = { timeout: 20_000, interval: 20 }
