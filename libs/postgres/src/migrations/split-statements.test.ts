import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasStatement, leadingWords, splitStatements } from './split-statements.ts'

const textsOf = (file: string): string[] => splitStatements(file).map(({ text }) => text)

test('statements end at semicolons, and blanks and comments before them are left out', () => {
  const file = '-- first\nselect 1;\n\n/* second; */ select 2 -- still 2;\n;;\nselect 3'
  expect(splitStatements(file)).toEqual([
    { text: 'select 1', offset: 9 },
    { text: 'select 2', offset: 34 },
    { text: 'select 3', offset: file.indexOf('select 3') },
  ])
})

test.each([
  [`a string`, `select 'a;b''c;'`],
  [`a string with a backslash, which hides nothing`, `select 'c:\\'`],
  [`an escape string`, `select E'it\\'s; \\\\'`],
  [`a quoted name`, `select 1 as "a;""b"`],
  [`a dollar quote`, `do $$ begin perform 1; end $$`],
  [`a tagged dollar quote that holds another`, `do $été_1$ select $$;$$; $x$ ; $été_1$`],
  [`a name with dollars, which opens no quote`, `select a$b$ from t`],
  [`parameters`, `prepare p as select $1, $2`],
  [`nested comments`, `select /* a; /* b; */ c; */ 1`],
  [`a rule with several actions`, `create rule r as on insert to t do also (select 1; select 2)`],
  [
    `an SQL body`,
    `create or replace function f(a int) returns int begin atomic; select case when a > 0 then 1 end; select 2; end`,
  ],
  [`an SQL body of a procedure`, `CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END`],
  [`an SQL body of a schema's function`, `create function "begin".atomic() returns int begin atomic select 1; end`],
])('%s is not cut', (_, statement) => {
  expect(textsOf(`${statement};\nselect 'next';`)).toEqual([statement, `select 'next'`])
})

test('begin and end of a transaction are statements', () => {
  expect(textsOf('begin; select case when true then 1 end; end;')).toEqual([
    'begin',
    'select case when true then 1 end',
    'end',
  ])
})

test('what is not closed runs to the end of the file', () => {
  for (const rest of [`select 'a; b`, `select "a; b`, `select $x$ a; b $y$`, `select (1; 2`, `select E'a; \\' b`]) {
    expect(textsOf(`select 1; ${rest}`)).toEqual(['select 1', rest])
  }
  expect(textsOf('select 1; /* a; b')).toEqual(['select 1'])
})

test('a closing parenthesis too many does not swallow the rest', () => {
  expect(textsOf('select 1); select 2')).toEqual(['select 1)', 'select 2'])
})

test('restrictions of dumps are comments', () => {
  expect(textsOf('\\restrict abc\nselect 1;\n\\unrestrict abc\n')).toEqual(['select 1'])
})

test('a file of many megabytes does not exhaust the stack', () => {
  const rows = `E'${`\\\\ it\\'s;`.repeat(300_000)}', '${"''".repeat(300_000)}', $$${';'.repeat(300_000)}$$`
  expect(textsOf(`insert into t values (${rows}); select 1`)).toHaveLength(2)
})

test('joining whatever pieces and splitting them gives the pieces', () => {
  const piece = fc.constantFrom(
    `select 1`,
    `select ';'`,
    `select E'\\';'`,
    `select ";" from t`,
    `do $$;$$`,
    `do $a$;$b$;$a$`,
    `select (1)`,
    `create function f() returns int begin atomic select 1; end`,
    `insert into é values ('𝄞;')`,
  )
  const gap = fc.constantFrom(';', ' ; ', ';\n', ';-- a;b\n', ';/* ; */', ';;\r\n')
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, gap)), (pairs) => {
      const file = pairs.flat().join('')
      const statements = splitStatements(file)
      expect(statements.map(({ text }) => text)).toEqual(pairs.map(([text]) => text))
      for (const { text, offset } of statements) expect(file.startsWith(text, offset)).toBe(true)
    }),
  )
})

test('any text is split without an error, and nothing but blanks, comments and semicolons is lost', () => {
  const alphabet = fc.constantFrom(...`'"$;()-/*\\e\nab 1é`)
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 40 }), (file) => {
      let at = 0
      for (const { text, offset } of splitStatements(file)) {
        expect(offset).toBeGreaterThanOrEqual(at)
        expect(file.slice(offset, offset + text.length)).toBe(text)
        at = offset + text.length
      }
    }),
  )
})

test('leading words are read over comments and in lower case', () => {
  expect(leadingWords('CREATE /* x */ Unique -- y\n INDEX concurrently on t (id)')).toEqual([
    'create',
    'unique',
    'index',
    'concurrently',
    'on',
    't',
  ])
  expect(leadingWords('drop "index" concurrently')).toEqual(['drop'])
})

test.each(['', ' \n', '-- a', '-- a\n;', '/* a /* b */ */ ;', '/* open', '\\restrict x\n'])(
  '%j holds no statement',
  (file) => {
    expect(hasStatement(file)).toBe(false)
  },
)

test('a file holds a statement exactly when splitting it gives one', () => {
  const piece = fc.constantFrom(';', '--', '/*', '*/', '\n', ' ', "'", '$$', '(', ')', '\\', 'select', '1', '"')
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(hasStatement(pieces.join(''))).toBe(splitStatements(pieces.join('')).length > 0)
    }),
  )
})
