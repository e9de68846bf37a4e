/** Reads TypeScript sources and their imports without a compiler: comments and strings are told apart
 *  well enough for import statements, `process.env` and the like. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** An import of a file of this project. */
export interface InternalImport {
  readonly specifier: string
  /** Path from the project's root, resolved. */
  readonly path: string
  /** Folder of `src` that it is in. */
  readonly folder: string
  /** Directory below `src` that it is in. */
  readonly room: string
}

/** One source file, read and scanned. */
export interface SourceFile {
  /** Path from the project's root. */
  readonly path: string
  readonly name: string
  /** Folder of `src` that it is in. */
  readonly folder: string
  /** Directory below `src` that it is in. */
  readonly room: string
  readonly isTest: boolean
  readonly lines: number
  /** The text without comments. */
  readonly code: string
  readonly internalImports: readonly InternalImport[]
  /** Packages and built-in modules. */
  readonly packageImports: readonly string[]
}

/** All TypeScript files below a directory of the project. */
export function readSources(directory: string): SourceFile[] {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readSource(join(entry.parentPath, entry.name).slice(root.length + 1)))
}

/** How many files of any kind are in each folder below a directory of the project, not counting those in its subfolders. */
export function countFiles(directory: string): { folder: string; files: number }[] {
  const count = new Map<string, number>()
  for (const entry of readdirSync(join(root, directory), { recursive: true, withFileTypes: true })) {
    const folder = entry.parentPath.slice(root.length + 1)
    if (entry.isFile()) count.set(folder, (count.get(folder) ?? 0) + 1)
  }
  return [...count].map(([folder, files]) => ({ folder, files }))
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const code = withoutComments(text)
  const specifiers = importsOf(code)
  const isRelative = (specifier: string) => specifier.startsWith('.')
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    folder: folderOf(path),
    room: roomOf(path),
    isTest: /\.test\.ts$|\/testing\//.test(path),
    lines: text.split('\n').length - 1,
    code,
    internalImports: specifiers.filter(isRelative).map((specifier) => {
      const target = normalize(join(dirname(path), specifier))
      return { specifier, path: target, folder: folderOf(target), room: roomOf(target) }
    }),
    packageImports: specifiers.filter((specifier) => !isRelative(specifier)),
  }
}

function folderOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function roomOf(path: string): string {
  return dirname(path).replace(/^src\//, '')
}

/** A class and its public methods and accessors, static ones too; the constructor doesn't count. */
export interface ClassMethods {
  readonly className: string
  readonly methods: readonly string[]
}

/** The exported classes of a formatted source and their public methods. */
export function publicMethods(code: string): ClassMethods[] {
  const method = /^ {2}(?:(?:static|async|override|get|set) )*\*?(\[?[\w.]+\]?)(?:<[^(]*>)?\(/gm
  return [...code.matchAll(/^export (?:abstract )?class (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)].map((match) => ({
    className: match[1] ?? '',
    methods: [...new Set([...(match[2] ?? '').matchAll(method)].flatMap(([, name]) => name ?? []))].filter(
      (name) => name !== 'constructor' && !name.startsWith('[Symbol.'),
    ),
  }))
}

/** Specifiers of static and dynamic imports, of re-exports, and of worker files given as URLs. */
function importsOf(code: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
    /\bnew URL\(\s*['"](\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url\s*\)/g,
  ]
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].flatMap((match) => match[1] ?? []))
}

/** Cuts comments out; strings, templates and regular expressions that contain comment marks survive. */
export function withoutComments(text: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?{};\n[]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g
  return text.replace(token, (match) => (/^\/[*/]/.test(match) ? match.replace(/[^\n]+/g, '') : match))
}

/** A path that comes back to where it began, or undefined. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (node: string): string[] | undefined => {
    const start = path.indexOf(node)
    if (start !== -1) return [...path.slice(start), node]
    if (done.has(node)) return undefined
    path.push(node)
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const cycle = visit(node)
    if (cycle !== undefined) return cycle
  }
  return undefined
}
