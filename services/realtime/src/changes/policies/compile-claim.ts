import type { Compiled, Scope } from './compiled.ts'
import { isClaims, toClaimFunction } from '@pando/catalogue/policies/dependencies'
import type { PolicyClaims } from '@pando/catalogue/policies/policy-claims'
import { type Expression, toName, toTextLiteral, unwrapSelect } from '@pando/catalogue/policies/syntax'
import { getMember, giveUp, hasMember, type Json, toJsonText, toUuid } from './values.ts'

/** `auth.uid()`, `auth.role()`, `auth.email()`, and what is taken out of the claims: `->`, `->>` and `?`. */
export function compileClaim(node: Expression, scope: Scope): Compiled | undefined {
  const known = toClaimFunction(node, scope.facts)
  if (known === 'uid') {
    return { type: 'uuid', evaluate: (_row, claims) => toUuidOrNull(toJsonText(getMember(membersOf(claims), 'sub'))) }
  }
  if (known === 'role' || known === 'email') {
    return { type: 'text', evaluate: (_row, claims) => toJsonText(getMember(membersOf(claims), known)) }
  }
  const json = compileJson(node, scope)
  if (json !== undefined) return { type: 'json', evaluate: (_row, claims) => toValue(json(claims)) }
  return compileOfJson(node, scope)
}

const membersOf = ({ members }: PolicyClaims): Json => members ?? giveUp()
const toUuidOrNull = (text: string | null): string | null => (text === null ? null : toUuid(text))
const toValue = (json: Json): { readonly json: Json } | null => (json === undefined ? null : { json })

type OfClaims = (claims: PolicyClaims) => Json

function compileJson(expression: Expression, scope: Scope): OfClaims | undefined {
  const node = unwrapSelect(expression)
  if (isClaims(node, scope.facts)) return membersOf
  const member = toMember(node, '->', scope)
  return member === undefined ? undefined : (claims) => getMember(member.json(claims), member.name)
}

type Member = { readonly json: OfClaims; readonly name: string }

function toMember(node: Expression, operator: string, scope: Scope): Member | undefined {
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP' || toName(node.A_Expr.name) !== operator) return undefined
  const name = toTextLiteral(node.A_Expr.rexpr)
  const json = node.A_Expr.lexpr === undefined ? undefined : compileJson(node.A_Expr.lexpr, scope)
  return name === undefined || json === undefined ? undefined : { json, name }
}

function compileOfJson(node: Expression, scope: Scope): Compiled | undefined {
  const text = toMember(node, '->>', scope)
  if (text !== undefined) {
    return { type: 'text', evaluate: (_row, claims) => toJsonText(getMember(text.json(claims), text.name)) }
  }
  const has = toMember(node, '?', scope)
  if (has === undefined) return undefined
  return {
    type: 'bool',
    evaluate(_row, claims) {
      const json = has.json(claims)
      return json === undefined ? null : hasMember(json, has.name)
    },
  }
}
