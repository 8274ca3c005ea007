import type { Database } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'
import { toClaimFunctions } from '@pando/catalogue/policies/claim-functions'
import { readAccess } from '@pando/catalogue/policies/read-access'
import type { ChangesPort, FilterQuestion, Question, RowQuestion, Verdict } from './deps.ts'
import type { TableFacts } from './facts.ts'
import { TooEarly } from './patient-port.ts'
import { SubscriptionRefused } from './request.ts'
import * as statements from './statements.ts'

export type ChangeStoreDeps = {
  /** Logs in as `authenticator`, which may become every role of the API. */
  readonly database: Pick<Database, 'query' | 'transaction'>
  readonly publication: string
}

/** Answers the fan-out's questions from Postgres; what a policy finds by name is searched as the session is set. */
export function createChangeStore({ database, publication }: ChangeStoreDeps): ChangesPort {
  return {
    findTable: (schema, table, role) =>
      database.transaction(async (transaction) => {
        await transaction.query(statements.emptySearchPath)
        const rows = await transaction.query<{ facts: string }>(statements.findTable, [
          schema,
          table,
          role,
          publication,
        ])
        return rows[0] === undefined ? undefined : toFacts(rows[0].facts)
      }),
    listPublished: () => database.query(statements.listPublished, [publication]),
    async readOperand({ operator, typeOid, operand }) {
      try {
        const rows = await database.query<{ operand: string }>(statements.readOperand, [operator, typeOid, operand])
        return rows[0]!.operand
      } catch (error) {
        if (error instanceof PostgresError) throw new SubscriptionRefused(toWords(error))
        throw error
      }
    },
    async checkRows(questions) {
      const asked = JSON.stringify(questions.map((each) => (each.kind === 'row' ? toRow(each) : toFilter(each))))
      const rows = await database.query<{ answers: string | null }>(statements.checkChanges, [toXids(questions), asked])
      const { answers } = rows[0]!
      if (answers === null) throw new TooEarly()
      return (JSON.parse(answers) as (string | null)[][]).map((verdicts) => verdicts.map(toVerdict))
    },
    async mustSee(xids) {
      const rows = await database.query<{ seen: boolean }>(statements.areSeen, [[...xids]])
      if (!rows[0]!.seen) throw new TooEarly()
    },
    async readAccess() {
      const rows = await database.query<{ access: string }>(readAccess, [[publication]])
      return rows[0]!.access
    },
  }
}

/** The transactions that must be visible for the questions to be answered. */
const toXids = (questions: readonly Question[]): readonly number[] => [
  ...new Set(questions.flatMap((question) => (question.kind === 'row' ? (question.xid ?? []) : []))),
]

type Loaded = Omit<TableFacts, 'claimFunctions'> & { readonly claimSources: Readonly<Record<string, string>> }

function toFacts(json: string): TableFacts {
  const { claimSources, ...facts } = JSON.parse(json) as Loaded
  return { ...facts, claimFunctions: toClaimFunctions(claimSources) }
}

function toRow({ table, key, same, callers }: RowQuestion): object {
  const columns = [...key, ...same]
  return {
    table,
    keys: key.length,
    columns: columns.map(([column]) => column),
    values: columns.map(([, value]) => value),
    callers,
  }
}

function toFilter({ operator, typeOid, collationOid, value, operand }: FilterQuestion): object {
  return { operator, type: typeOid, collation: collationOid, value, operand }
}

function toVerdict(text: string | null): Verdict {
  return text === null || text === 'true' || text === 'false'
    ? (JSON.parse(String(text)) as boolean | null)
    : { error: text }
}

/** SQLSTATEs that an operand can cause, by their name in the manual's appendix A. */
const conditions: Readonly<Record<string, string>> = {
  '22P02': 'invalid_text_representation',
  '22003': 'numeric_value_out_of_range',
  '22007': 'invalid_datetime_format',
  '22008': 'datetime_field_overflow',
  '42883': 'undefined_function',
  P0001: 'raise_exception',
}

function toWords({ message, fields: { code } }: PostgresError): string {
  const name = conditions[code]
  return `ERROR ${code}${name === undefined ? '' : ` (${name})`} ${message}`
}
