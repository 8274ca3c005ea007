import type { Database } from '@pando/postgres/database'

/** Which document: a private and a public channel of one name have two. */
export type DocumentKey = { readonly topic: string; readonly isPrivate: boolean }

export type StoredDocument = {
  readonly id: string
  /** Those after the asked number, in order. */
  readonly updates: readonly { readonly seq: number; readonly bytes: Uint8Array }[]
}

/** Documents in Postgres. Everything rejects as the database does. */
export type DocumentStore = {
  /** Undefined when there is none. */
  read(key: DocumentKey, afterSeq: number): Promise<StoredDocument | undefined>
  /** Makes a document of its first update, number 1; undefined when somebody was faster. */
  create(key: DocumentKey, bytes: Uint8Array): Promise<string | undefined>
  /** The update's number; undefined when the document would be larger than `bytesMax`, or is gone. */
  append(id: string, bytes: Uint8Array, bytesMax: number): Promise<number | undefined>
  /** Puts one update in the place of all up to a number. Does nothing when somebody came as far. */
  fold(id: string, seq: number, bytes: Uint8Array): Promise<void>
}

/** Told at each commit of an update: its number, and the name of its document. */
export const documentsNotice = 'pando_documents'

/** One text for a document; a notice of Postgres writes it, too. */
export const nameOf = ({ topic, isPrivate }: DocumentKey): string => `${isPrivate} ${topic}`

/** Undefined for what is no notice of ours. */
export function parseNotice(payload: string): { readonly seq: number; readonly name: string } | undefined {
  const [, seq, name] = /^(\d+) (.*)$/s.exec(payload) ?? []
  return name === undefined ? undefined : { seq: Number(seq), name }
}

const readUpdates = `
  select documents.id, updates.seq, updates.bytes
  from realtime.documents
  left join realtime.document_updates as updates on updates.document_id = documents.id and updates.seq > $3
  where documents.topic = $1 and documents.private = $2
  order by updates.seq`

const createDocument = `
  with document as (
    insert into realtime.documents (topic, private, last_seq, bytes) values ($1::text, $2::boolean, 1, length($3::bytea))
    on conflict do nothing
    returning id
  ), appended as (
    insert into realtime.document_updates (document_id, seq, bytes) select id, 1, $3::bytea from document
    returning document_id
  )
  select document_id as id, pg_notify('${documentsNotice}', '1 ' || $2::boolean || ' ' || $1::text) from appended`

const appendUpdate = `
  with document as (
    update realtime.documents
    set last_seq = last_seq + 1, bytes = bytes + length($2::bytea), updated_at = now()
    where id = $1 and bytes + length($2::bytea) <= $3
    returning id, last_seq, topic, private
  ), appended as (
    insert into realtime.document_updates (document_id, seq, bytes) select id, last_seq, $2::bytea from document
  )
  select last_seq as seq, pg_notify('${documentsNotice}', last_seq || ' ' || private || ' ' || topic) from document`

const lockForFold = `select from realtime.documents where id = $1 and folded_seq < $2 for update`
const putFold = `update realtime.document_updates set bytes = $3 where document_id = $1 and seq = $2`
const dropFolded = `delete from realtime.document_updates where document_id = $1 and seq < $2`
const countFolded = `
  update realtime.documents
  set folded_seq = $2,
    bytes = (select sum(length(updates.bytes)) from realtime.document_updates as updates where document_id = $1)
  where id = $1`

export function createDocumentStore(database: Pick<Database, 'query' | 'transaction'>): DocumentStore {
  return {
    async read({ topic, isPrivate }, afterSeq) {
      type Row = { id: string; seq: string | null; bytes: Uint8Array }
      const rows = await database.query<Row>(readUpdates, [topic, isPrivate, afterSeq])
      if (rows[0] === undefined) return undefined
      const updates = rows.filter(({ seq }) => seq !== null).map(({ seq, bytes }) => ({ seq: Number(seq), bytes }))
      return { id: rows[0].id, updates }
    },
    async create({ topic, isPrivate }, bytes) {
      const [row] = await database.query<{ id: string }>(createDocument, [topic, isPrivate, bytes])
      return row?.id
    },
    async append(id, bytes, bytesMax) {
      const [row] = await database.query<{ seq: string }>(appendUpdate, [id, bytes, bytesMax])
      return row && Number(row.seq)
    },
    fold: (id, seq, bytes) =>
      database.transaction(async (transaction) => {
        const locked = await transaction.query(lockForFold, [id, seq])
        if (locked.length === 0) return
        await transaction.query(putFold, [id, seq, bytes])
        await transaction.query(dropFolded, [id, seq])
        await transaction.query(countFolded, [id, seq])
      }),
  }
}
