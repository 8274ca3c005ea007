import { readFileSync, statSync } from 'node:fs'

import { parse as parseCsv } from 'csv-parse/sync'

import { Failure } from '../failure.ts'

/** One user of a file, and where it stands: the number of its line or its place in the array, from 1. */
export type UserRecord = { readonly place: number; readonly fields: Readonly<Record<string, unknown>> }

const fileBytesMax = 512 * 1024 ** 2

/**
 * The users of a file: CSV with a heading, a JSON array, an object with an array `users`, or a JSON object a line.
 * Throws a `Failure` when the file is nothing of that.
 */
export function readRecords(file: string): UserRecord[] {
  const text = readText(file)
  try {
    return file.endsWith('.csv')
      ? toRecords(parseCsv(text, { columns: true, bom: true }) as unknown[], 2)
      : parseJson(text)
  } catch (cause) {
    throw new Failure('usage', `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'It must be CSV with a heading (and named .csv), a JSON array, or a JSON object a line.',
      cause,
    })
  }
}

function readText(file: string): string {
  try {
    const { size } = statSync(file)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, more than ${fileBytesMax}; split it`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure('usage', `${file} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}

function parseJson(text: string): UserRecord[] {
  const trimmed = text.trim()
  const whole = trimmed.startsWith('[') || /^\{\s*"users"\s*:/.test(trimmed)
  if (!whole) return parseLines(text)
  const value = JSON.parse(trimmed) as unknown[] | { users: unknown[] }
  return toRecords(Array.isArray(value) ? value : value.users, 1)
}

function parseLines(text: string): UserRecord[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return toRecords([JSON.parse(line)], index + 1)
    } catch (cause) {
      throw new Error(`line ${index + 1}: ${(cause as Error).message}`, { cause })
    }
  })
}

function toRecords(values: readonly unknown[], first: number): UserRecord[] {
  return values.map((value, index) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`user ${first + index} is not an object`)
    return { place: first + index, fields: value as Record<string, unknown> }
  })
}
