import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

export type SqlFolderFile = {
  /** File name, with `.sql`. */
  readonly name: string
  readonly path: string
  readonly text: string
  /** SHA-256 of the text, in hex; the same on every system, whatever line ends its checkout has. */
  readonly checksum: string
}

/** The `.sql` files directly in a folder, sorted by name; an empty list when there is no such folder. */
export async function readSqlFolder(folder: string): Promise<SqlFolderFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return await Promise.all(
    names
      .filter((name) => name.endsWith('.sql'))
      .toSorted()
      .map((name) => readSqlFile(path.join(folder, name))),
  )
}

/** One SQL file; a byte order mark, which PostgreSQL would not accept, is left out. */
export async function readSqlFile(file: string): Promise<SqlFolderFile> {
  const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  return { name: path.basename(file), path: file, text, checksum: checksumOf(text) }
}

export function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}
