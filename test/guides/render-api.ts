/** The reference, `src/guides/API.md`, made of the docstrings of what `src/index.ts` and `src/observe.ts` export. Called by `api.test.ts`. */

import ts from 'typescript'
import { ERROR_TABLE } from '../../src/index.js'
import { GROUPS } from './api-groups.js'
import { type Declaration, type Docstring, declarationsOfDoor, docstringOf } from './door.js'
import { codeCell, tableLines, uniqueAnchors } from './markdown.js'
import { renderNumberOptions } from './render-options.js'

const HEADER = `# The calls, types and errors of Coterie

Made of the docstrings by \`COTERIE_REWRITE_API=1 node dist/test/guides/api.test.js\`; a test sees to it that it is as they say. What the
mechanisms promise is in the [README](../../README.md); how to use them, in the guides: [embed](embed.md), [test with faults](test-with-faults.md), [learn](learn.md).
`

/** Their members are told one by one, in the group of each. */
const TOLD_BY_MEMBER = ['Cluster', 'KeyValueStore', 'Faults']
const OWNERS: Readonly<Record<string, string>> = {
  Cluster: 'cluster',
  KeyValueStore: 'cluster',
  Faults: 'cluster.faults',
}
const CODES = new RegExp(`(?<![\`\\w])(${Object.keys(ERROR_TABLE).join('|')})(?![\`\\w])`, 'g')

const door = declarationsOfDoor()
const ANCHORS = anchors()

/** Every export, and every public member of what is told by member. */
export function namesOfDoor(): string[] {
  return [...door].flatMap(([name, declaration]) => [
    name,
    ...(TOLD_BY_MEMBER.includes(name) ? membersOf(declaration).map((member) => `${name}.${nameOf(member)}`) : []),
  ])
}

/** Exports and members without a docstring. */
export function namesWithoutDocstring(): string[] {
  return [...door].flatMap(([name, declaration]) => [
    ...(docstringOf(declaration).text === '' ? [name] : []),
    ...membersOf(declaration).flatMap((member) =>
      docstringOf(member).text + docstringOf(member).marks.join('') === '' && !isAlias(member)
        ? [`${name}.${nameOf(member)}`]
        : [],
    ),
  ])
}

export function renderApi(): string {
  const contents = GROUPS.map(
    ({ title, names }) => `- [${title}](#${ANCHORS.get(title)}): ${names.map(linkOf).join(' · ')}`,
  )
  const groups = GROUPS.flatMap(({ title, about, names }) => [
    '',
    `## ${title}`,
    '',
    about,
    ...names.flatMap(sectionOf),
  ])
  return `${[HEADER, ...contents, ...groups].join('\n')}\n`
}

function linkOf(name: string): string {
  return `[\`${headingOf(name)}\`](#${ANCHORS.get(name)})`
}

/** In the order of the page: of equal ones the second gets a number. */
function anchors(): ReadonlyMap<string, string> {
  const headings = GROUPS.flatMap(({ title, names }) => [
    [title, title],
    ...names.map((name) => [name, headingOf(name)]),
  ])
  const unique = uniqueAnchors(headings.map(([, heading = '']) => heading))
  return new Map(headings.map(([name = ''], index) => [name, unique[index] ?? '']))
}

function headingOf(name: string): string {
  const [owner = '', member] = name.split(/\.(.+)/)
  if (member === undefined) return name
  const found = memberNamed(name)
  const call = ts.isMethodSignature(found) ? '()' : ''
  return `${OWNERS[owner]}${member.startsWith('[') ? '' : '.'}${member}${call}`
}

function sectionOf(name: string): string[] {
  return ['', `### ${headingOf(name)}`, '', ...(name.includes('.') ? memberSection(name) : exportSection(name))]
}

function memberSection(name: string): string[] {
  const member = memberNamed(name)
  return [
    ...codeOf(
      member
        .getText()
        .replace(/^readonly /, '')
        .replaceAll(/^ {2}/gm, ''),
    ),
    ...docLines(docstringOf(member)),
  ]
}

function exportSection(name: string): string[] {
  const declaration = door.get(name)
  if (declaration === undefined) throw new Error(`the door has no ${name}`)
  return [...signatureOf(name, declaration), ...docLines(docstringOf(declaration)), ...detailsOf(name, declaration)]
}

function signatureOf(name: string, declaration: Declaration): string[] {
  if (ts.isFunctionDeclaration(declaration) || ts.isClassDeclaration(declaration)) return codeOf(headOf(declaration))
  if (ts.isInterfaceDeclaration(declaration))
    return TOLD_BY_MEMBER.includes(name) || declaration.heritageClauses !== undefined ? codeOf(headOf(declaration)) : []
  if (ts.isTypeAliasDeclaration(declaration) && name !== 'CoterieErrorCode')
    return codeOf(unexported(declaration.getText()))
  return []
}

/** Up to its body. */
function headOf(declaration: ts.FunctionDeclaration | ts.ClassDeclaration | ts.InterfaceDeclaration): string {
  const source = declaration.getSourceFile().text
  const end = ts.isFunctionDeclaration(declaration)
    ? (declaration.body?.pos ?? declaration.end)
    : source.indexOf('{', (declaration.heritageClauses?.end ?? declaration.name?.end) || declaration.end)
  const head = unexported(source.slice(declaration.getStart(), end).trim())
  const made = ts.isClassDeclaration(declaration) ? declaration.members.filter(ts.isConstructorDeclaration) : []
  const constructors = made.map(
    (one) => `new ${declaration.name?.text}(${one.parameters.map((given) => given.getText()).join(', ')})`,
  )
  // What it extends in the source is a cast of this.
  return [head.replace('extends Base<K, V>', 'extends AbstractLevel<string | Uint8Array, K, V>'), ...constructors].join(
    '\n',
  )
}

function detailsOf(name: string, declaration: Declaration): string[] {
  if (name === 'ERROR_TABLE') return ['', ...tableLines([['code', 'meaning'], ...errorRows()])]
  if (name === 'ClusterEvents') return ['', ...tableLines([['event', 'facts', 'when'], ...eventRows(declaration)])]
  if (TOLD_BY_MEMBER.includes(name)) {
    const links = membersOf(declaration).map((member) => linkOf(`${name}.${nameOf(member)}`))
    return ['', `It has ${links.join(', ')}.`]
  }
  const rows = membersOf(declaration).map((member) => [...nameAndType(member), cellOf(docstringOf(member))])
  const table = rows.length === 0 ? [] : ['', ...tableLines([['', 'type', 'meaning'], ...rows])]
  if (name !== 'ClusterOptions') return table
  const about =
    '↑ is what it costs to raise a number, ↓ to lower it. Each is whole and is checked before a thread starts.'
  return [...table, '', about, '', ...renderNumberOptions()]
}

function errorRows(): string[][] {
  return Object.entries(ERROR_TABLE).map(([code, text]) => [`\`${code}\``, text])
}

function eventRows(declaration: Declaration): string[][] {
  return membersOf(declaration).map((member) => {
    const facts = typeOf(member)
      .replace(/^\[\s*/, '')
      .replace(/,?\s*\]$/, '')
    return [
      codeCell(nameOf(member).replaceAll("'", '')),
      facts === '' ? '' : codeCell(facts),
      cellOf(docstringOf(member)),
    ]
  })
}

function nameAndType(member: ts.Node): string[] {
  const isOptional = ts.isPropertySignature(member) && member.questionToken !== undefined
  const type = typeOf(member)
  const linked = [...door.keys()].find((name) => new RegExp(`\\b${name}\\b`).test(type))
  const code = codeCell(type)
  return [
    `\`${nameOf(member)}${isOptional ? '?' : ''}\``,
    linked === undefined ? code : `[${code}](#${ANCHORS.get(linked)})`,
  ]
}

function typeOf(member: ts.Node): string {
  if (ts.isPropertySignature(member) || ts.isPropertyDeclaration(member) || ts.isGetAccessorDeclaration(member))
    return (member.type?.getText() ?? '').replaceAll('readonly ', '')
  return member.getText().split(' {')[0] ?? ''
}

/** Public ones, in their order. */
function membersOf(declaration: Declaration): readonly ts.Node[] {
  if (ts.isInterfaceDeclaration(declaration)) return declaration.members
  if (!ts.isClassDeclaration(declaration)) return []
  return declaration.members.filter(
    (member) => !/^[#_]|^name$/.test(nameOf(member)) && !ts.isConstructorDeclaration(member),
  )
}

function memberNamed(name: string): ts.Node {
  const [owner = '', wanted] = name.split(/\.(.+)/)
  const declaration = door.get(owner)
  const found = declaration && membersOf(declaration).find((member) => nameOf(member) === wanted)
  if (found === undefined) throw new Error(`the door has no ${name}`)
  return found
}

function nameOf(member: ts.Node): string {
  return (member as ts.PropertySignature).name?.getText() ?? ''
}

/** Its name and type say all. */
function isAlias(member: ts.Node): boolean {
  return ['id', 'node', 'partition', 'epoch', 'key', 'coterie', 'clusterId', 'threadId', 'secret'].includes(
    nameOf(member),
  )
}

function codeOf(code: string): string[] {
  return ['```ts', code, '```', '']
}

function docLines({ text, marks }: Docstring): string[] {
  const lines = marks.map(([mark, said]) => `- **${mark}**: ${withCodes(said)}`)
  return [withCodes(text), ...(lines.length === 0 ? [] : ['', ...lines])]
}

function cellOf({ text, marks }: Docstring): string {
  const said = marks.map(([mark, about]) => `${mark}: ${about}`)
  return withCodes([text, ...said].join(' ').trim())
    .replaceAll(/\s*\n+\s*/g, ' ')
    .replaceAll('|', '\\|')
}

function withCodes(text: string): string {
  return text.replaceAll(CODES, '`$1`')
}

function unexported(text: string): string {
  return text.replace(/^export /, '').replace(/^async /, '')
}
