/** `-e`, `--env-file`, `-l` and `--label-file`. */
import { errnoOf, invalidArgument, messageOf } from '../../../base/index.ts'
import { toPairs } from '../../flags/flag-values.ts'
import { fs } from '../../terminal/builtins.ts'

/** The variables of the files, then those of `-e`. A name without a value takes the client's value. */
export function readEnvironment(
  files: readonly string[],
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const result: string[] = []
  for (const path of files) result.push(...fileLines(path, environment))
  for (const value of values) {
    const known = withClientValue(value, environment)
    // A name for which the client has no value removes the image's variable.
    result.push(...(known.length === 0 ? [value] : known))
  }
  return result
}

/** The labels of the files, then those of `-l`. */
export function readLabels(files: readonly string[], values: readonly string[]): Record<string, string> {
  const lines = files.flatMap((path) => fileLines(path, undefined))
  return toPairs([...lines, ...values])
}

function withClientValue(value: string, environment: Readonly<Record<string, string | undefined>>): string[] {
  if (value.includes('=')) return [value]
  const own = environment[value]
  return own === undefined ? [] : [`${value}=${own}`]
}

function fileLines(path: string, environment: Readonly<Record<string, string | undefined>> | undefined): string[] {
  const result: string[] = []
  for (const raw of readText(path)
    .replace(/^\ufeff/, '')
    .split('\n')) {
    const line = raw.replace(/\r$/, '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals === -1 ? line : line.slice(0, equals)
    if (/\s/.test(name)) throw invalidArgument(`invalid env file (${path}): variable '${name}' contains whitespaces`)
    if (name === '') throw invalidArgument(`invalid env file (${path}): no variable name on line '${line}'`)
    if (environment === undefined) result.push(line)
    else result.push(...withClientValue(line, environment))
  }
  return result
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const text = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error)
    throw invalidArgument(`open ${path}: ${text}`, { cause: error })
  }
}
