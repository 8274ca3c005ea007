import { readFileSync } from 'node:fs'
import { assets } from './assets.ts'

/** A file of the dashboard, read. */
export type ServedAsset = { readonly path: string; readonly contentType: string; readonly body: Buffer }

/** All files of the dashboard, in memory: about 200 kB. */
export function readAssets(): readonly ServedAsset[] {
  return assets.map(({ path, file, contentType }) => ({ path, contentType, body: readFileSync(file) }))
}
