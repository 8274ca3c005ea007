import { bareRelationship, bareTable, emptyCatalogue } from '@pando/catalogue/testing/empty-catalogue'
import { nameKey, type Column, type Relation, type Relationship } from '@pando/catalogue/catalogue'
import { describe, expect, test } from 'vitest'
import type { BodyShape } from '../request/api-request.ts'
import { parseRequest } from '../request/parse-request.ts'
import { withShardKey } from '../shard-key.ts'
import { compile } from './compile.ts'
import { libraryConfig } from './testing/library-config.ts'

const api = (name: string) => ({ schema: 'api', name })
const column = (name: string): Column => ({
  name,
  nullable: false,
  type: 'integer',
  baseType: 'integer',
  generated: false,
  updatable: true,
  typeName: { schema: 'pg_catalog', name: 'int4' },
  isArray: false,
})
const table = (name: string): Relation => ({
  ...bareTable(api(name)),
  primaryKey: ['tenant', 'id'],
  columns: new Map(['tenant', 'id', 'name'].map((one) => [one, column(one)])),
})
const both = (one: string, many: string): [string, Relationship][] => [
  [nameKey(api(many)), bareRelationship(api(many), api(one))],
]
const toSailors: Relationship = {
  from: api('trips'),
  to: api('sailors'),
  isSelf: false,
  throughView: false,
  via: {
    kind: 'many-to-many',
    junction: api('crews'),
    fromConstraint: 'a',
    fromColumns: [['id', 'trip_id']],
    toConstraint: 'b',
    toColumns: [['id', 'sailor_id']],
  },
}
const relations = new Map(['trips', 'boats', 'sailors', 'crews', 'news'].map((one) => [nameKey(api(one)), table(one)]))
const relationships = new Map(
  both('boats', 'trips').map(([from, one]) => [from, [one, toSailors]] as [string, Relationship[]]),
)
const shardKeys = new Map(['trips', 'boats', 'sailors', 'crews'].map((one) => [nameKey(api(one)), 'tenant']))
const none: BodyShape = { kind: 'none' }
const object: BodyShape = { kind: 'json', isArray: false, isEmptyArray: false, keys: ['name'] }

function textOf(url: string, method = 'GET', isOnCitus = true): string {
  const catalogue = { ...emptyCatalogue, relations, relationships, ...(isOnCitus && { shardKeys }) }
  const [path = '', rawQuery = ''] = url.split('?')
  const header = (name: string) => (name === 'prefer' ? 'return=representation' : undefined)
  const request = withShardKey(parseRequest({ method, path, rawQuery, header }, libraryConfig), catalogue, '7')
  const body = method === 'GET' || method === 'DELETE' ? none : object
  return compile({ catalogue, config: libraryConfig }, request, body).statement.text
}

describe('a statement over tables that are spread by a key', () => {
  test('asks for the key of each, also of what is embedded and of junctions', () => {
    const text = textOf('/trips?select=id,boats(name),sailors(name)')
    expect(text).toMatch(/"trips"\."tenant" = \$/)
    expect(text).toMatch(/"boats_1"\."tenant" = \$/)
    expect(text).toMatch(/"sailors_1"\."tenant" = \$/)
    expect(text).toMatch(/"crews_1"\."tenant" = \$/)
  })

  test.each([['PATCH'], ['DELETE']])('changes the rows of the key alone: %s', (method) => {
    expect(textOf('/trips?id=eq.5', method)).toMatch(
      /where "trips"\."id" = \$\d and "trips"\."tenant" = \$\d returning/,
    )
  })

  test('does not look at rows that are to be inserted', () => {
    expect(textOf('/trips', 'POST')).not.toContain('"tenant" =')
  })

  test('asks for nothing of tables that are not', () => {
    expect(textOf('/news?id=eq.5')).not.toContain('tenant')
    expect(textOf('/trips?select=id,boats(name)', 'GET', false)).not.toContain('"tenant" =')
  })

  test('reads one object as a list of it, which alone Citus plans', () => {
    expect(textOf('/trips?id=eq.5', 'PATCH')).toContain('json_to_recordset(json_build_array($1::json))')
    expect(textOf('/trips?id=eq.5', 'PATCH', false)).toContain('json_to_record($1::json)')
  })
})
