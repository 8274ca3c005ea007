import { readConfiguration } from '@pando/config/read-configuration'
import { expect, test } from 'vitest'
import { databaseOptions, toPostgresAddresses } from './database-options.ts'

const owner = 'postgres://postgres:of-the-owner@db.internal:5432/app'
const api = 'postgres://authenticator:of-requests@pool.internal:6432/app'

function addresses(environment: Record<string, string>) {
  const { database } = readConfiguration({ database: databaseOptions }, { environment })
  return toPostgresAddresses(database)
}

test('requests log in as authenticator, with the password of the owner unless another is given', () => {
  const direct = 'postgres://authenticator:of-the-owner@db.internal:5432/app'
  expect(addresses({ DATABASE_URL: owner })).toEqual({
    apiUrl: direct,
    listenUrl: direct,
    authUrl: 'postgres://supabase_auth_admin:of-the-owner@db.internal:5432/app',
    realtimeUrl: 'postgres://supabase_realtime_admin:of-the-owner@db.internal:5432/app',
    changesUrl: 'postgres://supabase_replication_admin:of-the-owner@db.internal:5432/app',
    mode: 'pipelined',
  })
})

test('notifications come the way of requests', () => {
  expect(addresses({ DATABASE_URL: owner, PANDO_DATABASE_API_URL: api })).toMatchObject({ apiUrl: api, listenUrl: api })
})

test('notifications go around a pooler, with the password of requests', () => {
  const pooled = { DATABASE_URL: owner, PANDO_DATABASE_API_URL: api, PANDO_DATABASE_POOLED: 'true' }
  expect(addresses(pooled)).toEqual({
    apiUrl: api,
    listenUrl: 'postgres://authenticator:of-requests@db.internal:5432/app',
    authUrl: 'postgres://supabase_auth_admin:of-requests@db.internal:5432/app',
    realtimeUrl: 'postgres://supabase_realtime_admin:of-requests@db.internal:5432/app',
    changesUrl: 'postgres://supabase_replication_admin:of-requests@db.internal:5432/app',
    mode: 'transactional',
  })
})

test('a node without a database says which variable to set', () => {
  expect(() => addresses({})).toThrow(/set DATABASE_URL/)
})

test('several servers are named besides the one of the URL', () => {
  const environment = {
    DATABASE_URL: owner,
    PANDO_DATABASE_HOSTS: 'db-1.internal,db-2.internal:5433',
    PANDO_DATABASE_REPLICA_HOSTS: 'db-2.internal:5433',
    PANDO_DATABASE_REPLICA_LAG_MAX: '5s',
  }
  expect(addresses(environment).servers).toEqual({
    hosts: ['db-1.internal', 'db-2.internal:5433'],
    replicaHosts: ['db-2.internal:5433'],
    lagMsMax: 5_000,
    intervalMs: 250,
  })
})

test('what is no server is refused', () => {
  const environment = { DATABASE_URL: owner, PANDO_DATABASE_REPLICA_HOSTS: 'db-2.internal,postgres://db-3.internal' }
  expect(() => addresses(environment)).toThrow(/PANDO_DATABASE_REPLICA_HOSTS.*"postgres:\/\/db-3.internal" is none/)
})
