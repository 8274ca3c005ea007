/** A request that is HTTP, whatever stands in its parts. */
export type WellFormed = {
  readonly method: string
  /** Path and query as they go over the wire, bytes as Latin-1. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const nothing = Buffer.alloc(0)
const get = (target: string, headers: WellFormed['headers'] = {}): WellFormed => ({
  method: 'GET',
  target: `/rest/v1/${target}`,
  headers,
  body: nothing,
})
const json = { 'content-type': 'application/json' }
const withBody = (
  method: string,
  target: string,
  sent: { body: string; headers?: WellFormed['headers'] },
): WellFormed => ({
  method,
  target: `/rest/v1/${target}`,
  headers: { ...json, ...sent.headers },
  body: Buffer.from(sent.body),
})
const whole = { prefer: 'return=representation' }

/** Where mutations start from: each is answered well as it stands. */
export const validRequests: readonly WellFormed[] = [
  get(''),
  get('members'),
  get('members?select=id,name,club:clubs!inner(name,members(id))&order=name.desc.nullslast&limit=3&offset=1', {
    prefer: 'count=exact',
  }),
  get('members?select=id,about->a->b->>0,tags,...clubs(club_name:name)&id=in.(1,2,"3")', { accept: 'text/csv' }),
  get('members?or=(id.eq.1,and(name.like.*a*,score.not.is.null))&not.and=(id.gte.0,id.lt.100)'),
  get('members?id=eq.1', { accept: 'application/vnd.pgrst.object+json;nulls=stripped' }),
  get('members?tags=cs.{a}&stay=ov.[1,3]&words=plfts(english).cat&name=match(any).{^m,x}'),
  get('members?clubs.name=eq.x&select=*,clubs(*)&clubs=not.is.null&order=clubs(name).asc', {
    prefer: 'handling=strict, count=planned',
  }),
  get('members?select=club_id,n:count(),score.sum()::text&mood=eq.glad', { range: '0-4', 'range-unit': 'items' }),
  get('members?select=full_name,since::date,code,picture,place&code=is.null&big=isdistinct.5'),
  get('glad_members?select=id,clubs(id)', { 'accept-profile': 'public', accept: 'application/json, text/csv;q=0.5' }),
  get('games?select=name,events(member_id),members!events(name)&members.limit=1&members.order=id', {
    cookie: 'a=b; c=d',
  }),
  get('rpc/add?a=1&b=2'),
  get('rpc/list_members?lowest=3&select=id,clubs(name)&order=id&id=gt.1', { prefer: 'timezone=Europe/Paris' }),
  get('rpc/count_words?words=a&words=b'),
  get('rpc/shape?m=glad&r=[1,2)&t={a}&j={}&u=00000000-0000-4000-8000-000000000000&d=2020-01-01'),
  { ...get('members?select=id&limit=2', { prefer: 'count=estimated' }), method: 'HEAD' },
  { ...get('members'), method: 'OPTIONS' },
  withBody('POST', 'members?select=id,clubs(name)', {
    body: '[{"id":100,"club_id":1,"name":"x","about":{"a":[1]}},{"id":101,"club_id":2,"name":null,"about":null}]',
    headers: { prefer: 'return=representation,tx=rollback' },
  }),
  withBody('POST', 'members?columns=id,name&on_conflict=id', {
    body: '[{"id":1,"name":"y"},{"id":200,"name":"z"}]',
    headers: { prefer: 'resolution=merge-duplicates,missing=default,return=headers-only' },
  }),
  withBody('POST', 'clubs', {
    body: 'id,name\n300,"a, b"\n301,NULL\n',
    headers: { 'content-type': 'text/csv', ...whole },
  }),
  withBody('POST', 'clubs', {
    body: 'id=302&name=a%20b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  withBody('PATCH', 'members?id=eq.2&select=id,name', {
    body: '{"name":"new","tags":["x"],"stay":"[2,3)"}',
    headers: whole,
  }),
  withBody('PUT', 'clubs?id=eq.400', { body: '{"id":400,"name":"put"}' }),
  withBody('DELETE', 'events?member_id=eq.1&game_id=eq.99', {
    body: '',
    headers: { prefer: 'return=representation, handling=strict, max-affected=2' },
  }),
  withBody('POST', 'rpc/add', { body: '{"a":1,"b":2}' }),
  withBody('POST', 'rpc/echo', { body: '{"any":[1,2,{"x":null}]}' }),
  withBody('POST', 'rpc/echo_text', { body: 'plain words', headers: { 'content-type': 'text/plain' } }),
  withBody('POST', 'rpc/echo_bytes', { body: '\u0001\u0002', headers: { 'content-type': 'application/octet-stream' } }),
  withBody('POST', 'rpc/nothing', { body: '' }),
]
