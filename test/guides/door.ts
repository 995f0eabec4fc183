/**
 * What `src/index.ts` and `src/observe.ts` export, read as syntax: declarations and their docstrings. No types are checked, so it takes a moment only.
 * Called by `render-api.ts`.
 */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Compiled to dist/test/guides; what is read lies beside the source. */
const DOORS = ['index', 'observe'].map((door) => fileURLToPath(new URL(`../../../src/${door}.ts`, import.meta.url)))

export type Declaration =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.VariableStatement

/** Text, and what its marks say: `Shape`, `Units`, `Errors`, `Source`. */
export interface Docstring {
  readonly text: string
  readonly marks: readonly (readonly [mark: string, text: string])[]
}

/** Every name that the doors export, with what it stands for. */
export function declarationsOfDoor(): ReadonlyMap<string, Declaration> {
  const found = new Map<string, Declaration>()
  for (const statement of DOORS.flatMap((door) => [...parsed(door).statements])) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) continue
    const { exportClause, moduleSpecifier } = statement
    if (exportClause === undefined || !ts.isNamedExports(exportClause) || !ts.isStringLiteral(moduleSpecifier)) continue
    const file = parsed(fileURLToPath(new URL(moduleSpecifier.text.replace(/\.js$/, '.ts'), `file://${DOORS[0]}`)))
    for (const { name } of exportClause.elements) found.set(name.text, declarationIn(file, name.text))
  }
  return found
}

export function docstringOf(node: ts.Node): Docstring {
  const source = node.getSourceFile().text
  const [range] = (ts.getLeadingCommentRanges(source, node.getFullStart()) ?? [])
    .filter(({ pos }) => source.startsWith('/**', pos))
    .slice(-1)
  if (range === undefined) return { text: '', marks: [] }
  const comment = source.slice(range.pos + 3, range.end - 2).replaceAll(/^ *\* ?/gm, '')
  const [text = '', ...rest] = comment.split(/(?:^|(?<=[.\s]))(Shape|Units|Errors|Source): +/m)
  const marks = rest.flatMap((word, index) => (index % 2 === 0 ? [[word, joined(rest[index + 1] ?? '')] as const] : []))
  return { text: joined(text), marks }
}

/** Paragraphs and lists stay apart. */
function joined(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*(?!- )/g, ' ').trim())
    .join('\n\n')
}

function declarationIn(file: ts.SourceFile, name: string): Declaration {
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      if (statement.declarationList.declarations.some((declared) => declared.name.getText() === name)) return statement
    } else if (
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement)
    ) {
      if (statement.name?.text === name) return statement
    }
  }
  throw new Error(`${file.fileName} declares no ${name}`)
}

const files = new Map<string, ts.SourceFile>()

function parsed(path: string): ts.SourceFile {
  const file = files.get(path) ?? ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true)
  files.set(path, file)
  return file
}
