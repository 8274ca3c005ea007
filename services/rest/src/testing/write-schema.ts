import type { Condition, Data, Operand, Policy, Row, Schema, Table, Value, View } from './policy-model.ts'
import { apiRoles, tableOf } from './policy-model.ts'

/** The statements that make a schema with its rows. `owner` owns it and passes its policies. */
export function writeSchema(schema: Schema, data: Data, owner: string): string {
  return [
    `create schema ${schema.name} authorization ${owner}`,
    `grant usage on schema ${schema.name} to ${apiRoles.join(', ')}`,
    `set role ${owner}`,
    ...schema.tables.map((table) => writeTable(schema, table)),
    ...schema.tables.flatMap((table) => writeRows(schema, table, data[table.name] ?? [])),
    ...schema.tables.flatMap((table) => writeProtection(schema, table)),
    ...schema.views.flatMap((view) => writeView(schema, view)),
    ...writeFunctions(schema),
    'reset role',
    ...schema.views
      .filter((view) => view.as === 'authenticated')
      .map((view) => `alter view ${schema.name}.${view.name} owner to authenticated`),
  ]
    .map((statement) => `${statement};\n`)
    .join('')
}

function writeTable(schema: Schema, { name, columns, primaryKey, keys }: Table): string {
  const parts = [
    ...columns.map((column) => `${column.name} ${column.type}`),
    `primary key (${primaryKey.join(', ')})`,
    ...keys.map(
      (key) => `constraint ${key.constraint} foreign key (${key.column}) references ${schema.name}.${key.table} (id)`,
    ),
    ...keys.filter(({ unique }) => unique).map(({ column }) => `unique (${column})`),
  ]
  return `create table ${schema.name}.${name} (${parts.join(', ')})`
}

/** Without statements for a table that has no rows. */
export function writeRows(schema: Schema, { name, columns }: Table, rows: readonly Row[]): string[] {
  if (rows.length === 0) return []
  const lines = rows.map((row) => `(${columns.map((column) => writeLiteral(row[column.name] ?? null)).join(', ')})`)
  return [`insert into ${schema.name}.${name} values ${lines.join(', ')}`]
}

function writeProtection(schema: Schema, table: Table): string[] {
  const name = `${schema.name}.${table.name}`
  return [
    `alter table ${name} enable row level security`,
    `revoke all on ${name} from public, ${apiRoles.join(', ')}`,
    ...apiRoles.flatMap((role) => writeGrants(name, role, table)),
    ...table.policies.map((policy) => writePolicy(schema, table, policy)),
  ]
}

function writeGrants(name: string, role: (typeof apiRoles)[number], { grants, columns }: Table): string[] {
  const { select, commands } = grants[role]
  const list = select.length === columns.length ? '' : ` (${select.join(', ')})`
  return [
    ...(select.length === 0 ? [] : [`grant select${list} on ${name} to ${role}`]),
    ...(commands.length === 0 ? [] : [`grant ${commands.join(', ')} on ${name} to ${role}`]),
  ]
}

export function writePolicy(schema: Schema, table: Table, policy: Policy): string {
  const { name, command, permissive, to, using, check } = policy
  const parts = [
    `create policy ${name} on ${schema.name}.${table.name} as ${permissive ? 'permissive' : 'restrictive'} for ${command} to ${to}`,
    ...(using === undefined ? [] : [`using (${writeCondition(schema, using, table.name)})`]),
    ...(check === undefined ? [] : [`with check (${writeCondition(schema, check, table.name)})`]),
  ]
  return parts.join(' ')
}

function writeView(schema: Schema, { name, table, columns, as, where }: View): string[] {
  const options = as === 'caller' ? ' with (security_invoker)' : ''
  const condition = where === undefined ? '' : ` where ${writeCondition(schema, where, table)}`
  return [
    `create view ${schema.name}.${name}${options} as select ${columns.join(', ')} from ${schema.name}.${table}${condition}`,
    `grant select on ${schema.name}.${name} to ${apiRoles.join(', ')}`,
  ]
}

function writeFunctions(schema: Schema): string[] {
  const at = schema.name
  return [
    ...schema.links.map(
      ({ name, table, target, outer, inner }) =>
        `create function ${at}.${name}(${at}.${table}) returns setof ${at}.${target} language sql stable as ` +
        `$$select t.* from ${at}.${target} as t where t.${inner} = $1.${outer}$$`,
    ),
    ...schema.functions.map(
      ({ name, table, as }) =>
        `create function ${at}.${name}() returns setof ${at}.${table} language sql stable` +
        `${as === 'owner' ? ' security definer' : ''} as $$select * from ${at}.${table}$$`,
    ),
  ]
}

/** Columns are those of `row`. */
export function writeCondition(schema: Schema, condition: Condition, row: string): string {
  switch (condition.kind) {
    case 'constant':
      return String(condition.value)
    case 'compare':
      return `${writeOperand(condition.left, row)} ${condition.operator} ${writeOperand(condition.right, row)}`
    case 'null':
      return `${row}.${condition.column} is null`
    case 'not':
      return `not (${writeCondition(schema, condition.part, row)})`
    case 'exists': {
      const other = `${tableOf(schema, condition.table).name}_o`
      const where = condition.where === undefined ? '' : ` and (${writeCondition(schema, condition.where, other)})`
      return `exists (select 1 from ${schema.name}.${condition.table} as ${other} where ${other}.${condition.inner} = ${row}.${condition.outer}${where})`
    }
    default:
      return `(${condition.parts.map((part) => writeCondition(schema, part, row)).join(` ${condition.kind} `)})`
  }
}

function writeOperand(operand: Operand, row: string): string {
  switch (operand.kind) {
    case 'column':
      return `${row}.${operand.name}`
    case 'literal':
      return writeLiteral(operand.value)
    case 'uid':
      return operand.once ? '(select auth.uid())' : 'auth.uid()'
    case 'claim':
      return `(auth.jwt() ->> '${operand.name}')`
    case 'role':
      return 'auth.role()'
  }
}

export function writeLiteral(value: Value): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `'${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll("'", "''")}'`
}
