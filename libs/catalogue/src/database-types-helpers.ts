import { quote } from './typescript-type.ts'

/**
 * `Tables<'name'>` or `Tables<{ schema: 'other' }, 'name'>`, and the like: how applications name the types inside
 * `Database`.
 */
export function helperTypes(defaultSchema: string): string {
  const schema = quote(defaultSchema)
  return [
    `type Schemas = Omit<Database, "__InternalSupabase">`,
    `type SchemaOption = { schema: keyof Schemas }`,
    `type RelationsOf<Schema extends keyof Schemas> = Schemas[Schema]["Tables"] & Schemas[Schema]["Views"]`,
    `type Member<Type, Key extends string> = Type extends { [_ in Key]: infer Found } ? Found : never`,
    helper('Tables', `RelationsOf<${schema}>`, (name) => `RelationsOf<${name}>`, 'Row'),
    helper('TablesInsert', `Schemas[${schema}]["Tables"]`, (name) => `Schemas[${name}]["Tables"]`, 'Insert'),
    helper('TablesUpdate', `Schemas[${schema}]["Tables"]`, (name) => `Schemas[${name}]["Tables"]`, 'Update'),
    helper('Enums', `Schemas[${schema}]["Enums"]`, (name) => `Schemas[${name}]["Enums"]`),
    helper('CompositeTypes', `Schemas[${schema}]["CompositeTypes"]`, (name) => `Schemas[${name}]["CompositeTypes"]`),
  ].join('\n\n')
}

function helper(name: string, own: string, of: (schema: string) => string, member?: string): string {
  const pick = (type: string) => (member === undefined ? type : `Member<${type}, ${quote(member)}>`)
  return `export type ${name}<
  NameOrSchema extends keyof ${own} | SchemaOption,
  Name extends NameOrSchema extends SchemaOption ? keyof ${of('NameOrSchema["schema"]')} : never = never,
> = NameOrSchema extends SchemaOption
  ? ${pick(`${of('NameOrSchema["schema"]')}[Name]`)}
  : NameOrSchema extends keyof ${own}
    ? ${pick(`${own}[NameOrSchema]`)}
    : never`
}
