import { setFlagsFromString } from 'node:v8'

/**
 * V8 doubles its young generation whenever much of it survives, as all does while modules are loaded, and does not give
 * it back: some 20 MB that a server which has nothing to do would hold. So it stays small until the server listens.
 */
export const keepYoungGenerationSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1')

/** From now on it grows as V8 sees fit: under load that is what keeps garbage cheap. */
export const letYoungGenerationGrow = (): void => setFlagsFromString('--semi-space-growth-factor=2')
