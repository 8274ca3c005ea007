import type { Static, TSchema, Type as types } from 'typebox'
import type { Validator } from 'typebox/compile'

/** TypeBox's words for shapes. */
export type Types = typeof types

/**
 * The shape of a body, for example `(Type: Types) => Type.Object({ … })`. TypeBox is not imported for it but comes with
 * the first body that is checked: its 700 modules take 17 MB, which a node that rests should not hold.
 */
export type Shape = (Type: Types) => TSchema

/** What a body of a shape is. */
export type BodyOf<S extends Shape> = Static<ReturnType<S>>

type ValidatorOf<S extends Shape> = Validator<Record<never, never>, ReturnType<S>>

/** Compiles a shape when it is first asked for; all who ask meanwhile get the same, and a failure is not kept. */
export function compileOnce<S extends Shape>(shape: S): () => Promise<ValidatorOf<S>> {
  let compiled: Promise<ValidatorOf<S>> | undefined
  return () =>
    (compiled ??= compile(shape).catch((error: unknown) => {
      compiled = undefined
      throw error
    }))
}

async function compile<S extends Shape>(shape: S): Promise<ValidatorOf<S>> {
  const [{ Type }, { Compile }] = await Promise.all([import('typebox'), import('typebox/compile')])
  return Compile(shape(Type) as ReturnType<S>)
}
