import type { Catalogue, MediaHandler, QualifiedName } from '@pando/catalogue/catalogue'
import { errors } from '../errors.ts'
import type { MediaType } from '../request/api-request.ts'
import type { RestConfig } from '../rest-config.ts'

/** How rows become the body. */
export type BodyFormat =
  | { readonly kind: 'json'; readonly singular: boolean; readonly stripNulls: boolean }
  | { readonly kind: 'csv' }
  | { readonly kind: 'geojson'; readonly routine: QualifiedName }
  /** An aggregate of the database over the rows; `row` is the type it takes, undefined for any. */
  | { readonly kind: 'aggregate'; readonly routine: QualifiedName; readonly row?: QualifiedName }
  /** The called function itself makes the body. */
  | { readonly kind: 'raw' }

export type Explain = { readonly format: 'text' | 'json'; readonly options: readonly string[] }

export type Media = {
  readonly format: BodyFormat
  readonly contentType: string
  /** The body is bytea. */
  readonly isBinary?: boolean
  readonly explain?: Explain
}

/** What media types depend on: the resource, the function that is called, and whether its whole rows are selected. */
export type Produced = {
  readonly catalogue: Catalogue
  readonly config: RestConfig
  readonly relation?: QualifiedName
  readonly routine?: QualifiedName
  readonly wholeRows: boolean
}

/**
 * The first acceptable media type that can be made ("Media type handlers", "Resource representation"). Handlers of the
 * database may override all but the vendor types.
 *
 * @throws PGRST107 when there is none
 */
export function chooseMedia(accept: readonly MediaType[], produced: Produced): Media {
  const wanted = accept.length === 0 ? [{ essence: '*/*', parameters: {} }] : accept
  for (const media of wanted) {
    const chosen =
      chooseVendor(media, produced) ?? chooseHandler(media.essence, produced) ?? chooseBuiltin(media, produced)
    if (chosen !== undefined) return chosen
  }
  throw errors.mediaType(accept.map(writeMediaType))
}

function writeMediaType({ essence, parameters }: MediaType): string {
  return [essence, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(';')
}

const objectType = 'application/vnd.pgrst.object'
const arrayType = 'application/vnd.pgrst.array'
const planType = 'application/vnd.pgrst.plan'

function chooseVendor({ essence, parameters }: MediaType, produced: Produced): Media | undefined {
  const strips = parameters['nulls'] === 'stripped'
  const suffix = `${strips ? '; nulls=stripped' : ''}; charset=utf-8`
  if (essence === objectType || essence === `${objectType}+json`) {
    return { format: json({ singular: true, stripNulls: strips }), contentType: `${objectType}+json${suffix}` }
  }
  if (essence === arrayType || essence === `${arrayType}+json`) {
    if (strips) return { format: json({ stripNulls: true }), contentType: `${arrayType}+json${suffix}` }
    return (
      chooseHandler('application/json', produced) ??
      chooseBuiltin({ essence: 'application/json', parameters }, produced)
    )
  }
  return essence.startsWith(planType) ? choosePlan({ essence, parameters }, produced) : undefined
}

function json(options: { singular?: boolean; stripNulls?: boolean }): BodyFormat {
  return { kind: 'json', singular: options.singular ?? false, stripNulls: options.stripNulls ?? false }
}

const planFormats: Readonly<Record<string, Explain['format']>> = {
  [planType]: 'text',
  [`${planType}+text`]: 'text',
  [`${planType}+json`]: 'json',
}
const planOptions = new Set(['analyze', 'verbose', 'settings', 'buffers', 'wal'])

/** The plan of the statement that another media type would run, when the settings allow it. */
function choosePlan({ essence, parameters }: MediaType, produced: Produced): Media | undefined {
  const format = planFormats[essence]
  if (format === undefined || !produced.config.planEnabled) return undefined
  const [described = '', ...rest] = (parameters['for'] ?? 'application/json').split(';')
  const inner = Object.fromEntries(rest.map((each) => each.trim().split('=') as [string, string]))
  const target = chooseMedia([{ essence: described.trim(), parameters: inner }], produced)
  if (target.explain !== undefined) return undefined
  const options = (parameters['options'] ?? '').split('|').filter((option) => planOptions.has(option))
  const about = target.contentType.replace('; charset=utf-8', '')
  const suffix = options.length === 0 ? '' : `; options=${options.join('|')}`
  return {
    format: target.format,
    contentType: `${planType}+${format}; for="${about}"${suffix}; charset=utf-8`,
    explain: { format, options },
  }
}

/** A handler of the database: for the resource whatever is asked, for the resource, or for any rows. */
function chooseHandler(essence: string, produced: Produced): Media | undefined {
  const { mediaHandlers } = produced.catalogue
  const find = (mediaType: string, fits: (each: MediaHandler) => boolean): MediaHandler | undefined =>
    mediaHandlers.find((each) => each.mediaType === mediaType && fits(each))
  const handler =
    find('*/*', (each) => isOwn(each, produced)) ??
    find(essence, (each) => isOwn(each, produced)) ??
    find(essence, (each) => each.kind === 'aggregate' && each.relation === undefined)
  if (handler === undefined) return undefined
  const { mediaType, routine, relation, isBinary } = handler
  const contentType = mediaType === '*/*' ? 'application/octet-stream' : withCharset(mediaType)
  if (handler.kind === 'function') return { format: { kind: 'raw' }, contentType, isBinary }
  return { format: { kind: 'aggregate', routine, row: relation }, contentType, isBinary }
}

/** An aggregate over a relation's rows needs them whole; a function is the one that is called. */
function isOwn({ kind, routine, relation }: MediaHandler, produced: Produced): boolean {
  if (kind === 'function') return produced.routine !== undefined && isSame(routine, produced.routine)
  return (
    produced.wholeRows &&
    relation !== undefined &&
    produced.relation !== undefined &&
    isSame(relation, produced.relation)
  )
}

function isSame(left: QualifiedName, right: QualifiedName): boolean {
  return left.schema === right.schema && left.name === right.name
}

const textTypes = new Set(['application/json', 'application/geo+json', 'text/csv', 'text/plain', 'text/xml'])

function withCharset(mediaType: string): string {
  return textTypes.has(mediaType) ? `${mediaType}; charset=utf-8` : mediaType
}

function chooseBuiltin({ essence }: MediaType, { catalogue }: Produced): Media | undefined {
  if (essence === '*/*' || essence === 'application/*' || essence === 'application/json') {
    return { format: json({}), contentType: 'application/json; charset=utf-8' }
  }
  if (essence === 'text/csv') return { format: { kind: 'csv' }, contentType: 'text/csv; charset=utf-8' }
  const { geoJson } = catalogue
  if (essence !== 'application/geo+json' || geoJson === undefined) return undefined
  return { format: { kind: 'geojson', routine: geoJson }, contentType: 'application/geo+json; charset=utf-8' }
}
