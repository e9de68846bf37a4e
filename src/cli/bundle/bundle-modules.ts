/** Joins the modules of the command line into one, which loads in a few milliseconds where a hundred files take 25.
 *  Made for this project's own sources and nothing else: named imports and exports, each at the start of a line (the
 *  formatter sees to that), no cycles, files named in full. What does not fit is refused, never guessed. */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { internal } from '../../base/index.ts'

export interface Bundle {
  readonly text: string
  /** The sources, relative to `root`. */
  readonly files: readonly string[]
}

/** The module that exports what `entry` (a path below `root`) exports by the names `exported`.
 *  Throws `internal` for a source that it can't take. */
export function bundleModules(root: string, entry: string, exported: readonly string[]): Bundle {
  const modules = new Map<string, string>()
  addModule(root, entry, modules)
  const definitions = [...modules].map(([path, code]) => `${JSON.stringify(path)}: () => {\n${code}\n},`)
  const text = `const made = new Map()
const from = (path) => {
  let module = made.get(path)
  if (module === undefined) {
    module = modules[path]()
    made.set(path, module)
  }
  return module
}
const urlOf = (path) => new URL(path, ${JSON.stringify(`file://${root}/`)}).href
const modules = {
${definitions.join('\n')}
}
export const { ${exported.join(', ')} } = from(${JSON.stringify(entry)})
`
  return { text, files: [...modules.keys()] }
}

const namedImport = /^import \{([^}]*)\} from '([^']+)'/gm
const reExport = /^export \{([^}]*)\} from '([^']+)'/gm
const declaration = /^export (async function\*?|function\*?|class|const|let) ?\*? *([\w$]+)/gm
const dynamicImport = /\bimport\('([^']+)'\)/g
/** Loaded from its sources: the registry server is a program of its own and uses packages. */
const outside = /^src\/cli\/registry\//

/** Each module becomes a function that runs when it is first wanted, and gives its exports. */
function addModule(root: string, path: string, modules: Map<string, string>): void {
  if (modules.has(path)) return
  // Reserves the place, so that the order is that of the imports.
  modules.set(path, '')
  const exports: string[] = []
  const load = (specifier: string): string => {
    if (specifier.startsWith('node:')) return `process.getBuiltinModule('${specifier}')`
    if (!specifier.startsWith('.')) throw internal(`${path} imports the package ${specifier}`)
    const target = normalize(join(dirname(path), specifier))
    addModule(root, target, modules)
    return `from(${JSON.stringify(target)})`
  }
  const code = stripTypeScriptTypes(readFileSync(join(root, path), 'utf8'))
    .replace(namedImport, (_, list: string, specifier: string) => {
      const names = splitNames(list).map(([name, local]) => `${name}: ${local}`)
      return `const { ${names.join(', ')} } = ${load(specifier)}`
    })
    .replace(reExport, (_, list: string, specifier: string) => {
      const names = splitNames(list)
      // Nothing is left of a line that exported only types.
      if (names.length === 0) return ''
      const variable = `exported${exports.length}`
      exports.push(...names.map(([name, outer]) => `${outer}: ${variable}.${name}`))
      return `const ${variable} = ${load(specifier)}`
    })
    .replace(declaration, (_, kind: string, name: string) => {
      exports.push(name)
      return `${kind} ${name}`
    })
    .replace(dynamicImport, (whole, specifier: string) => {
      if (specifier.startsWith('node:')) return whole
      const target = normalize(join(dirname(path), specifier))
      if (outside.test(target)) return `import(urlOf(${JSON.stringify(target)}))`
      return `Promise.resolve().then(() => ${load(specifier)})`
    })
    .replaceAll('import.meta.url', `urlOf(${JSON.stringify(path)})`)
  const rest = /^(?:import|export)\b.*$/m.exec(code)
  if (rest !== null) throw internal(`${path} has a line that cannot be bundled: ${rest[0]}`)
  modules.set(path, `${code}\nreturn { ${exports.join(', ')} }`)
}

/** `a, b as c` → pairs of names. */
function splitNames(list: string): (readonly [string, string])[] {
  const parts = list.split(',').map((part) => part.trim())
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', other = name] = part.split(/\s+as\s+/)
      return [name, other] as const
    })
}
