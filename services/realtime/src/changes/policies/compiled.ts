import type { Relation, Values } from '@pando/changes/change'
import type { TableFacts } from '../facts.ts'
import type { PolicyClaims } from '@pando/catalogue/policies/policy-claims'
import type { Value } from './values.ts'

/** Types that expressions may have; `literal` is a text in quotes whose type a cast says. */
export type ScalarType = 'bool' | 'int' | 'text' | 'uuid'
export type Type = ScalarType | `${ScalarType}[]` | 'json' | 'literal' | 'null'

export type Compiled = { readonly type: Type; readonly evaluate: (row: Values, claims: PolicyClaims) => Value }
export type Scope = { readonly facts: TableFacts; readonly relation: Relation }

export const toConstant = (type: Type, value: Value): Compiled => ({ type, evaluate: () => value })
