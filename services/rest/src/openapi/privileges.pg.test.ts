import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Catalogue } from '@pando/catalogue/catalogue'
import { openMuseum } from '@pando/catalogue/testing/museum'
import type { Museum } from '@pando/catalogue/testing/museum'
import type { Privileges } from './privileges.ts'
import { listPrivileges, parsePrivileges, signatureOf, usableRelations, usableRoutines } from './privileges.ts'

let museum: Museum
let client: Client
let catalogue: Catalogue

beforeAll(async () => {
  museum = await openMuseum()
  client = new Client({ connectionString: museum.url('postgres') })
  await client.connect()
  await client.query(`
    create role guest;
    create schema lobby;
    create table lobby.plain (id int, secret text);
    create table lobby.partly (id int, secret text);
    create table lobby.closed (id int);
    create type lobby.mood as enum ('good');
    create function lobby.twice(a int) returns int language sql return a * 2;
    create function lobby.twice(a lobby.mood[], b character) returns int language sql return 2;
    revoke execute on all functions in schema lobby from public;
    grant execute on function lobby.twice(lobby.mood[], character) to guest;
    grant select on lobby.plain to guest;
    grant insert (id) on lobby.partly to guest;
  `)
  catalogue = await museum.load({ schemas: ['lobby'] })
})

afterAll(async () => {
  await client.end()
  await museum.close()
})

async function privilegesOf(role: string): Promise<Privileges> {
  await client.query(`set role ${role}`)
  try {
    const { rows } = await client.query<[string]>({ text: listPrivileges, values: ['lobby'], rowMode: 'array' })
    return parsePrivileges(rows[0]?.[0])
  } finally {
    await client.query('reset role')
  }
}

it('a role that may not use the schema may use nothing', async () => {
  expect(await privilegesOf('guest')).toEqual({ relations: new Map(), routines: new Set() })
})

it('a role may use the relations, columns and overloads that were granted', async () => {
  await client.query('grant usage on schema lobby to guest')
  const privileges = await privilegesOf('guest')
  const relations = usableRelations(catalogue, 'lobby', privileges)
  expect(relations.map(({ name, columns }) => [name, [...columns.keys()]])).toEqual([
    ['partly', ['id']],
    ['plain', ['id', 'secret']],
  ])
  expect(usableRoutines(catalogue, 'lobby', privileges).map(signatureOf)).toEqual(['twice(lobby.mood[],character)'])
})

it('the owner may use everything, and the catalogue names every function alike', async () => {
  const privileges = await privilegesOf('supabase_admin')
  const signatures = [...catalogue.routines.values()].flat().map(signatureOf)
  expect(new Set(signatures)).toEqual(privileges.routines)
  expect([...privileges.relations.keys()].sort()).toEqual(['closed', 'partly', 'plain'])
})

it('of several overloads the one with the most parameters is described, as far as it may be called', async () => {
  const shown = (privileges?: Privileges) => usableRoutines(catalogue, 'lobby', privileges).map(signatureOf)
  expect(shown()).toEqual(['twice(lobby.mood[],character)'])
  expect(shown({ relations: new Map(), routines: new Set(['twice(integer)']) })).toEqual(['twice(integer)'])
})
