/** The user that all signed-in load runs as. */
export const userId = '11111111-1111-4111-8111-111111111111'

/**
 * One kind of request. `{key}` stands for a random even number up to 100,000, the key of a row that the user may read; `{small}`
 * for one up to 200, a score that 20 such rows have.
 */
export type Workload = {
  readonly name: string
  readonly text: string
  /** The same work as one hand-written statement, for pgbench; `:key` and `:small` are set. */
  readonly sql: string
  readonly rest: HttpRequest
  /** What every contender's answer must contain, and how often: proof that all do the same work. */
  readonly proves: readonly { readonly pattern: RegExp; readonly times: number }[]
  /** Ratios to reach, by peer; a peer that is missing here is only reported. */
  readonly toReach: Readonly<Record<string, number>>
  /** Whether latency at half of the capacity is measured too. */
  readonly openLoop?: boolean
  /** Only measured when it is named: Pando then runs with a cache for requests that ask for it, and each write costs a little. */
  readonly isCached?: boolean
}

export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const itemColumns = 'id,owner,author_id,title,body,score,is_public,created_at'

const upsertRows = Array.from({ length: 100 }, (_, n) => `{"id":{small}${String(n).padStart(2, '0')},"value":${n}}`)

export const workloads: readonly Workload[] = [
  {
    name: 'one row',
    text: 'one row by key as a signed-in user under row policies',
    sql: 'select row_to_json(i) from items i where id = :key;',
    rest: { method: 'GET', path: '/items?select=*&id=eq.{key}' },
    proves: [
      { pattern: /"title":/, times: 1 },
      { pattern: /words of item/, times: 8 },
    ],
    toReach: { postgres: 0.5, 'parse-server': 7, plain: 3 },
    openLoop: true,
  },
  {
    name: 'feed',
    text: '20 newest rows with their author embedded',
    sql: `select json_agg(f) from (select i.id, i.title, i.created_at, row_to_json(a) as authors from items i
      left join lateral (select a.id, a.name, a.avatar from authors a where a.id = i.author_id) a on true
      where i.score = :small order by i.created_at desc limit 20) f;`,
    rest: {
      method: 'GET',
      path: '/items?select=id,title,created_at,authors(id,name,avatar)&score=eq.{small}&order=created_at.desc&limit=20',
    },
    proves: [
      { pattern: /"title":/, times: 20 },
      { pattern: /cdn\.example\/avatars/, times: 20 },
    ],
    toReach: { postgres: 0.75 },
  },
  {
    name: 'cached feed',
    text: 'the same, as a request that may be answered from the cache',
    sql: `select json_agg(f) from (select i.id, i.title, i.created_at, row_to_json(a) as authors from items i
      left join lateral (select a.id, a.name, a.avatar from authors a where a.id = i.author_id) a on true
      where i.score = :small order by i.created_at desc limit 20) f;`,
    rest: {
      method: 'GET',
      path: '/items?select=id,title,created_at,authors(id,name,avatar)&score=eq.{small}&order=created_at.desc&limit=20',
      headers: { 'Cache-Control': 'max-age=60' },
    },
    proves: [
      { pattern: /"title":/, times: 20 },
      { pattern: /cdn\.example\/avatars/, times: 20 },
    ],
    toReach: {},
    isCached: true,
  },
  {
    name: 'insert',
    text: 'insert one row and return it',
    sql: 'insert into readings (device, value) values (:small, 0.5) returning row_to_json(readings);',
    rest: {
      method: 'POST',
      path: '/readings?select=*',
      headers: { Prefer: 'return=representation' },
      body: '{"device":{small},"value":0.5}',
    },
    proves: [{ pattern: /"(?:id|objectId)":/, times: 1 }],
    toReach: { postgres: 0.5 },
  },
  {
    name: 'upsert 100',
    text: 'upsert of 100 rows in one request',
    sql: `insert into counters (id, value) select :small * 100 + n, n from generate_series(0, 99) n
      on conflict (id) do update set value = excluded.value;`,
    rest: {
      method: 'POST',
      path: '/counters',
      headers: { Prefer: 'resolution=merge-duplicates,return=minimal' },
      body: `[${upsertRows.join(',')}]`,
    },
    proves: [],
    toReach: {},
  },
  {
    name: 'rpc',
    text: 'call of a function',
    sql: 'select to_json(add(:small, 1));',
    rest: { method: 'POST', path: '/rpc/add', body: '{"a":{small},"b":1}' },
    proves: [{ pattern: /\d+/, times: 1 }],
    toReach: {},
  },
  {
    name: 'count',
    text: 'a page of 20 with count=exact over 20 matching rows',
    sql: `select (select count(*) from items where score = :small),
      (select json_agg(p) from (select * from items where score = :small order by id limit 20) p);`,
    rest: {
      method: 'GET',
      path: '/items?select=*&score=eq.{small}&order=id&limit=20',
      headers: { Prefer: 'count=exact' },
    },
    proves: [{ pattern: /"title":/, times: 20 }],
    toReach: {},
  },
  {
    name: '1000 rows',
    text: 'a page of 1,000 rows',
    sql: `select json_agg(p) from (select ${itemColumns} from items where id > :small order by id limit 1000) p;`,
    rest: { method: 'GET', path: `/items?select=${itemColumns}&id=gt.{small}&order=id&limit=1000` },
    proves: [{ pattern: /"title":/, times: 1000 }],
    toReach: {},
  },
]
