import { PostgresError } from '@pando/postgres/errors'

const uniqueViolation = '23505'

/** Refuses where somebody else was faster to take an address: between the look and the change there is a moment. */
export async function orTaken<T>(change: Promise<T>, refusal: () => Error): Promise<T> {
  try {
    return await change
  } catch (error) {
    if (error instanceof PostgresError && error.fields.code === uniqueViolation) throw refusal()
    throw error
  }
}
