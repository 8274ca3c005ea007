import { describe, expect, it } from 'vitest'
import type { Catalogue, Column, Relation, Routine, RoutineParameter } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import type { RestConfig } from '../rest-config.ts'
import { parsePrivileges } from './privileges.ts'
import { renderOpenApi } from './render-openapi.ts'

function column(name: string, baseType: string, more: Partial<Column> = {}): Column {
  const typeName = { schema: 'pg_catalog', name: baseType }
  const fixed = { nullable: true, generated: false, updatable: true, isArray: false }
  return { name, type: baseType, baseType, typeName, ...fixed, ...more }
}

function relation(name: string, columns: readonly Column[], more: Partial<Relation> = {}): Relation {
  const writable = { insertable: true, updatable: true, deletable: true }
  const byName = new Map(columns.map((column) => [column.name, column]))
  return {
    schema: 'public',
    name,
    kind: 'table',
    ...writable,
    primaryKey: [],
    columns: byName,
    uniqueKeys: [],
    ...more,
  }
}

function parameter(name: string, baseType: string, more: Partial<RoutineParameter> = {}): RoutineParameter {
  const typeName = { schema: 'pg_catalog', name: baseType }
  return { name, type: baseType, baseType, typeName, isArray: false, required: true, isVariadic: false, ...more }
}

function routine(name: string, parameters: readonly RoutineParameter[], more: Partial<Routine> = {}): Routine {
  const returns = { isSet: false, type: { kind: 'void' } } as const
  const fixed = { volatility: 'volatile', isVariadic: false, settings: [] } as const
  return { schema: 'public', name, parameters, returns, ...fixed, ...more }
}

const authors = relation('authors', [column('id', 'integer', { nullable: false })], { primaryKey: ['id'] })
const posts = relation(
  'posts',
  [
    column('id', 'bigint', { nullable: false, identity: 'always', default: 'x' }),
    column('author_id', 'integer', { comment: 'Who wrote it' }),
    column('title', 'character varying', { maxLength: 40, default: "'untitled'::character varying" }),
    column('score', 'integer', { default: '7' }),
    column('made', 'timestamp with time zone', { default: 'now()' }),
    column('rank', 'integer', { default: "nextval('s')" }),
    column('mood', 'mood', { enumLabels: ['good', 'bad'] }),
    column('tags', 'text[]', { isArray: true }),
    column('data', 'jsonb'),
  ],
  { primaryKey: ['id'], comment: 'Posts\n\nWhat people write.' },
)
const recent = relation('recent', [column('id', 'bigint')], { insertable: false, updatable: false, deletable: false })
const hidden = relation('hidden', [column('id', 'bigint')], { schema: 'private' })
const add = routine('add', [parameter('a', 'integer'), parameter('b', 'integer', { required: false })], {
  volatility: 'stable',
})
const join = routine('join', [parameter('v', 'text[]', { isVariadic: true })], {
  volatility: 'immutable',
  comment: 'Joins',
})
const write = routine('write', [parameter('doc', 'json'), parameter('', 'text')])

const catalogue: Catalogue = {
  generation: 1,
  serverVersion: 180_000,
  relations: new Map([posts, authors, recent, hidden].map((one) => [nameKey(one), one])),
  relationships: new Map([
    [
      nameKey(posts),
      [
        {
          from: posts,
          to: authors,
          isSelf: false,
          throughView: false,
          via: { kind: 'many-to-one', constraint: 'fk', columns: [['author_id', 'id']], keyInFrom: true },
        },
      ],
    ],
  ]),
  routines: new Map([add, join, write].map((one) => [nameKey(one), [one]])),
  representations: [],
  mediaHandlers: [],
  enums: [],
  compositeTypes: [],
  schemaComments: new Map([['public', 'My API\n\nIt does things.']]),
  timezones: new Set(),
  roleSettings: new Map(),
  inDatabaseConfig: new Map(),
}

const config: RestConfig = {
  schemas: ['public'],
  extraSearchPath: [],
  aggregatesEnabled: false,
  planEnabled: false,
  txEnd: 'commit',
  openapiMode: 'follow-privileges',
  openapiSecurityActive: false,
  hoistedTxSettings: [],
  appSettings: [],
  preparedStatements: true,
  serverCorsAllowedOrigins: [],
}
const place = {
  schema: 'public',
  scheme: 'http',
  host: '127.0.0.1:54321',
  basePath: '/rest/v1',
  version: '1.2.3',
} as const

type Document = Record<string, Record<string, Record<string, Record<string, unknown>>>>
function render(settings: Partial<RestConfig> = {}, more: Parameters<typeof renderOpenApi>[2] = place): Document {
  return JSON.parse(renderOpenApi(catalogue, { ...config, ...settings }, more)) as Document
}

describe('the OpenAPI document', () => {
  it('says where it is and what it is about', () => {
    expect(render()).toMatchObject({
      swagger: '2.0',
      host: '127.0.0.1:54321',
      basePath: '/rest/v1',
      schemes: ['http'],
      info: { title: 'My API', description: 'It does things.', version: '1.2.3' },
    })
    expect(render({ openapiServerProxyUri: 'https://api.example.com/v1' })).toMatchObject({
      host: 'api.example.com:443',
      basePath: '/v1',
      schemes: ['https'],
    })
  })

  it.each([
    ['id', { format: 'int64', type: 'integer', description: 'Note:\nThis is a Primary Key.<pk/>' }],
    [
      'author_id',
      {
        format: 'int32',
        type: 'integer',
        description: "Who wrote it\n\nNote:\nThis is a Foreign Key to `authors.id`.<fk table='authors' column='id'/>",
      },
    ],
    ['title', { format: 'character varying', type: 'string', maxLength: 40, default: 'untitled' }],
    ['score', { format: 'int32', type: 'integer', default: 7 }],
    ['made', { format: 'timestamp with time zone', type: 'string', default: 'now()' }],
    ['rank', { format: 'int32', type: 'integer' }],
    ['mood', { format: 'mood', type: 'string', enum: ['good', 'bad'] }],
    ['tags', { format: 'text[]', type: 'array', items: { type: 'string' } }],
    ['data', { format: 'jsonb' }],
  ])('describes the column %s', (name, property) => {
    expect(render().definitions?.posts?.properties?.[name]).toEqual(property)
  })

  it('describes relations by what can be done with them', () => {
    const { paths, definitions, parameters } = render()
    expect(definitions?.posts).toMatchObject({ required: ['id'], description: 'Posts\n\nWhat people write.' })
    expect(Object.keys(paths ?? {})).toEqual([
      '/',
      '/authors',
      '/posts',
      '/recent',
      '/rpc/add',
      '/rpc/join',
      '/rpc/write',
    ])
    expect(Object.keys(paths?.['/posts'] ?? {})).toEqual(['get', 'post', 'delete', 'patch'])
    expect(Object.keys(paths?.['/recent'] ?? {})).toEqual(['get'])
    expect(paths?.['/posts']?.get).toMatchObject({
      summary: 'Posts',
      description: 'What people write.',
      tags: ['posts'],
    })
    expect(paths?.['/posts']?.post?.parameters).toEqual([
      { $ref: '#/parameters/body.posts' },
      { $ref: '#/parameters/select' },
      { $ref: '#/parameters/preferPost' },
    ])
    expect(parameters?.['rowFilter.posts.author_id']).toMatchObject({ name: 'author_id', description: 'Who wrote it' })
  })

  it('describes functions, by GET only those that cannot write', () => {
    const { paths } = render()
    expect(Object.keys(paths?.['/rpc/write'] ?? {})).toEqual(['post'])
    expect(paths?.['/rpc/add']?.get?.parameters).toEqual([
      { name: 'a', required: true, in: 'query', format: 'int32', type: 'integer' },
      { name: 'b', required: false, in: 'query', format: 'int32', type: 'integer' },
    ])
    expect(paths?.['/rpc/join']?.get).toMatchObject({
      summary: 'Joins',
      parameters: [{ name: 'v', type: 'array', collectionFormat: 'multi', items: { type: 'string', format: 'text' } }],
    })
    expect(paths?.['/rpc/write']?.post?.parameters).toMatchObject([
      { name: 'args', schema: { required: ['doc'], properties: { doc: { format: 'json' } } } },
      { $ref: '#/parameters/preferParams' },
    ])
  })

  it('leaves out what the caller may not use, columns too', () => {
    const cell = JSON.stringify({
      relations: { posts: ['id', 'title'] },
      routines: ['add(integer,integer)', 'join(integer)'],
    })
    const { paths, definitions } = render({}, { ...place, privileges: parsePrivileges(cell) })
    expect(Object.keys(paths ?? {})).toEqual(['/', '/posts', '/rpc/add'])
    expect(Object.keys(definitions?.posts?.properties ?? {})).toEqual(['id', 'title'])
    expect(Object.keys(render({}, { ...place, privileges: parsePrivileges(undefined) }).paths ?? {})).toEqual(['/'])
  })

  it('asks for a token only when that is set', () => {
    expect(render()).not.toHaveProperty('security')
    expect(render({ openapiSecurityActive: true })).toMatchObject({
      security: [{ JWT: [] }],
      securityDefinitions: { JWT: { type: 'apiKey', in: 'header', name: 'Authorization' } },
    })
  })
})
