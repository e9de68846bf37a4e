import { fs } from '../terminal/builtins.ts'

/** The version of this program, from package.json. */
export function clientVersion(): string {
  const text = fs.readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown'
}
