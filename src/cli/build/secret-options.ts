/** `--secret`: values that only the steps that mount them can see. https://docs.docker.com/build/building/secrets/ */
import { errnoOf } from '../../base/index.ts'
import { csvPairs } from '../../build/dockerfile/index.ts'
import { CliError } from '../command/cli-error.ts'
import { fs } from '../terminal/builtins.ts'

/** A secret, and the id by which mounts refer to it. */
export interface BuildSecret {
  readonly id: string
  /** In Base64. */
  readonly value: string
}

const maxSecretBytes = 500 * 1024

/** Reads all secrets. Throws, with buildx's texts, for a secret that does not exist. */
export function readSecrets(
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly BuildSecret[] {
  const byId = new Map<string, BuildSecret>()
  for (const value of values) {
    const spec = parseSecret(value)
    byId.set(spec.id, { id: spec.id, value: readSecret(spec, environment).toString('base64') })
  }
  return [...byId.values()]
}

interface SecretSpec {
  readonly id: string
  readonly path: string | undefined
  readonly variable: string | undefined
}

function parseSecret(value: string): SecretSpec {
  const given: Partial<Record<(typeof keys)[string], string>> = {}
  for (const [key, field] of csvPairs(value)) {
    const name = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (name === undefined) throw new CliError(1, `ERROR: unexpected key '${key}' in '${key}=${field}'`)
    given[name] = field
  }
  const { id = '', path, variable, type } = given
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw new CliError(1, `ERROR: unsupported secret type ${JSON.stringify(type)}`)
  }
  if (id === '') throw new CliError(1, 'ERROR: secret missing id')
  if (type === 'env' && variable === undefined) return { id, path: undefined, variable: path ?? id }
  return { id, path: type === 'file' ? (path ?? id) : path, variable }
}

const keys: Readonly<Record<string, 'id' | 'path' | 'variable' | 'type'>> = {
  id: 'id',
  source: 'path',
  src: 'path',
  env: 'variable',
  type: 'type',
}

function readSecret(
  { id, path, variable }: SecretSpec,
  environment: Readonly<Record<string, string | undefined>>,
): Buffer {
  if (variable !== undefined) return Buffer.from(environment[variable] ?? '')
  // An id alone names an environment variable if that exists, otherwise a file.
  const own = environment[id]
  if (path === undefined && own !== undefined) return Buffer.from(own)
  return readSmallFile(path ?? id, id)
}

function readSmallFile(path: string, id: string): Buffer {
  try {
    const { size } = fs.statSync(path)
    if (size > maxSecretBytes) throw new CliError(1, `ERROR: secret ${id} too big. max size 500KB`)
    return fs.readFileSync(path)
  } catch (error) {
    if (error instanceof CliError) throw error
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? String(error))
    throw new CliError(1, `ERROR: failed to stat ${path}: stat ${path}: ${why}`, { cause: error })
  }
}
