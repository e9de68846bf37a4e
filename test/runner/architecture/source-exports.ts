/** Finds the exports of TypeScript sources, their docstrings and their uses, without a compiler. The sources are this
 *  project's own and formatted, so declarations begin at the start of a line. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { withoutComments } from './source-files.ts'

const root = join(import.meta.dirname, '../../..')

/** One exported name of a file. */
export interface SourceExport {
  /** Path of the file from the project's root. */
  readonly path: string
  readonly name: string
  /** Where a re-export comes from; undefined for what the file declares itself. */
  readonly from?: { readonly path: string; readonly name: string }
  /** Whether it is declared as an interface or a type. */
  readonly isType: boolean
  /** Whether a docstring precedes the declaration. */
  readonly isDocumented: boolean
}

/** A use of an exported name: the name `*` stands for all of a file's. */
interface Use {
  readonly path: string
  readonly name: string
}

/** A source file's path from the project's root, and its text. */
export interface ModuleText {
  readonly path: string
  readonly text: string
}

/** The exports of a folder of the project that no file of the `users` folders imports, and that no `entries` file gives
 *  to programs outside. What an `index.ts` re-exports counts as used when a file imports it from there. */
export function unusedExports(
  folder: string,
  { users, entries }: { readonly users: readonly string[]; readonly entries: readonly string[] },
): SourceExport[] {
  return unusedIn(readModules(folder), { users: users.flatMap(readModules), entries })
}

/** The same for modules that are given as texts. */
export function unusedIn(
  modules: readonly ModuleText[],
  { users, entries }: { readonly users: readonly ModuleText[]; readonly entries: readonly string[] },
): SourceExport[] {
  const exports = modules.flatMap(exportsOf)
  const byPath = new Map<string, SourceExport[]>()
  for (const one of exports) byPath.set(one.path, [...(byPath.get(one.path) ?? []), one])
  const stars = new Map(modules.map((one) => [one.path, starsOf(one)]))
  const used = new Set<string>()
  const mark = ({ path, name }: Use): void => {
    const own = byPath.get(path) ?? []
    const key = `${path}#${name}`
    if (used.has(key)) return
    used.add(key)
    for (const target of stars.get(path) ?? []) mark({ path: target, name })
    if (name === '*') {
      for (const one of own) mark(one)
      return
    }
    for (const one of own) if (one.name === name && one.from !== undefined) mark(one.from)
  }
  for (const path of entries) mark({ path, name: '*' })
  for (const use of users.flatMap(usesOf)) mark(use)
  // A type that only its own file names is part of what that file exports.
  return exports.filter((one) => !used.has(`${one.path}#${one.name}`) && !(one.isType && one.from === undefined))
}

/** The names that the `index.ts` files of a folder re-export and whose declaration has no docstring. */
export function undocumentedExports(folder: string): SourceExport[] {
  return undocumentedIn(readModules(folder))
}

/** The same for modules that are given as texts. */
export function undocumentedIn(modules: readonly ModuleText[]): SourceExport[] {
  const exports = modules.flatMap(exportsOf)
  const declarations = new Map(exports.map((one) => [`${one.path}#${one.name}`, one]))
  const found = new Map<string, SourceExport>()
  for (const { path, from } of exports) {
    if (!path.endsWith('/index.ts') || from === undefined) continue
    const declaration = declarations.get(`${from.path}#${from.name}`)
    if (declaration === undefined || declaration.from !== undefined || declaration.isDocumented) continue
    found.set(`${declaration.path}#${declaration.name}`, declaration)
  }
  return [...found.values()]
}

function readModules(folder: string): ModuleText[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$|\.mjs$/.test(entry.name) && !entry.parentPath.endsWith('/gen'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(root.length + 1), text: readFileSync(path, 'utf8') }))
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(const|let|function\*?|class|interface|type) (?!\{)(\w+)/gm

function exportsOf({ path, text }: ModuleText): SourceExport[] {
  const own: SourceExport[] = [...text.matchAll(declaration)].map(([, keyword = '', name = ''], index, all) => ({
    path,
    name,
    isType: keyword === 'interface' || keyword === 'type',
    // Overloads share the docstring of the first.
    isDocumented: isDocumented(text, name) || (index > 0 && all[index - 1]?.[2] === name),
  }))
  const lists = namedLists(withoutComments(text), 'export')
  const others = lists.flatMap(({ names, specifier }): SourceExport[] =>
    names.map(({ name, alias }) => ({
      path,
      name: alias,
      isType: false,
      isDocumented: true,
      ...(specifier === undefined ? {} : { from: { path: resolve(path, specifier), name } }),
    })),
  )
  return [...own, ...others]
}

/** The modules of which all exports are re-exported. */
function starsOf({ path, text }: ModuleText): string[] {
  return [...text.matchAll(/^export \* from '(\.[^']+)'/gm)].map(([, specifier = '']) => resolve(path, specifier))
}

function isDocumented(text: string, name: string): boolean {
  const first = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\\*?|class|interface|type) ${name}\\b`,
    'm',
  ).exec(text)
  return first !== null && /\*\/\n(?:\/\/ [^\n]*\n)*$/.test(text.slice(0, first.index))
}

function usesOf({ path, text }: ModuleText): Use[] {
  const code = withoutComments(text)
  const lists = [...namedLists(code, 'import'), ...(path.endsWith('/index.ts') ? [] : namedLists(code, 'export'))]
  const named = lists.flatMap(({ names, specifier }) =>
    specifier?.startsWith('.') === true ? names.map(({ name }) => ({ path: resolve(path, specifier), name })) : [],
  )
  const whole = [
    ...code.matchAll(/\bimport\(\s*(?:JSON\.stringify\()?['"](\.[^'"]+)['"]/g),
    ...code.matchAll(/^import (?:type )?\* as \w+ from '(\.[^']+)'/gm),
    ...code.matchAll(/^import '(\.[^']+)'/gm),
    ...code.matchAll(/\bnew URL\(\s*'(\.[^']+\.ts)'/g),
  ].map(([, specifier = '']) => ({ path: resolve(path, specifier), name: '*' }))
  return [...named, ...whole]
}

interface NamedList {
  readonly names: readonly { readonly name: string; readonly alias: string }[]
  readonly specifier: string | undefined
}

function namedLists(code: string, keyword: 'import' | 'export'): NamedList[] {
  const pattern = new RegExp(`^${keyword} (?:type )?\\{([^}]*)\\}(?:\\s*from\\s*'([^']+)')?`, 'gm')
  return [...code.matchAll(pattern)].map(([, list = '', specifier]) => ({
    specifier,
    names: list
      .split(',')
      .map((item) => item.trim().replace(/^type /, ''))
      .filter((item) => item !== '')
      .map((item) => {
        const [name = '', alias = name] = item.split(/\s+as\s+/)
        return { name, alias }
      }),
  }))
}

function resolve(path: string, specifier: string): string {
  return normalize(join(dirname(path), specifier))
}
