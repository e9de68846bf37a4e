/** Joins the modules of the command line into one, which loads in a few milliseconds; a hundred files take 25 ms.
 *  It handles this project's sources and nothing else: named imports and exports, each at the start of a line (the
 *  formatter ensures that), no cycles, complete file names. It refuses anything else. */
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { internal } from '../../base/index.ts'

/** A bundle, and the sources that it was made from. */
export interface Bundle {
  readonly text: string
  /** The paths of the sources, relative to `root`. */
  readonly files: readonly string[]
}

/** Makes the module that exports the names `exported` of `entry`, a path below `root`.
 *  Throws `internal` for a source that it can't handle. */
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
/** Modules that stay outside the bundle: the registry server is a separate program and uses packages. */
const outside = /^src\/cli\/registry\//

/** Turns a module into a function that runs when its exports are first needed, and returns them. */
function addModule(root: string, path: string, modules: Map<string, string>): void {
  if (modules.has(path)) return
  // Reserves the position, so that the modules are in the order of the imports.
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
      // A line that exported only types disappears.
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

/** Parses `a, b as c` into pairs of names. */
function splitNames(list: string): (readonly [string, string])[] {
  const parts = list.split(',').map((part) => part.trim())
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', other = name] = part.split(/\s+as\s+/)
      return [name, other] as const
    })
}
