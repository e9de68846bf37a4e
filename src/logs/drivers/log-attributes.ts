/** The labels and environment variables that the options `labels`, `labels-regex`, `env` and `env-regex` select. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import type { LogInfo } from './log-driver.ts'

/** The selected attributes; `rename` changes their names. Throws `invalidArgument` for a bad pattern. */
export function logAttributes(
  { options, labels, env }: Pick<LogInfo, 'options' | 'labels' | 'env'>,
  rename: (name: string) => string = (name) => name,
): Record<string, string> {
  const variables = Object.fromEntries(env.filter((item) => item.includes('=')).map(splitVariable))
  const chosen: Record<string, string> = {}
  for (const [name, value] of [
    ...choose(labels, options.labels, options['labels-regex']),
    ...choose(variables, options.env, options['env-regex']),
  ]) {
    chosen[rename(name)] = value
  }
  return chosen
}

function choose(
  values: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): [string, string][] {
  const wanted = new Set((names ?? '').split(','))
  const expression = pattern ? compile(pattern) : undefined
  return Object.entries(values).filter(([name]) => wanted.has(name) || expression?.test(name) === true)
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (cause) {
    throw invalidArgument(`error parsing regexp: ${regexpReason(messageOf(cause), pattern)}`, { cause })
  }
}

/** Go's texts for the most common mistakes. */
function regexpReason(text: string, pattern: string): string {
  if (text.includes('Unterminated group')) return `missing closing ): \`${pattern}\``
  if (text.includes('Unmatched')) return `unexpected ): \`${pattern}\``
  if (text.includes('Unterminated character class'))
    return `missing closing ]: \`${pattern.slice(pattern.indexOf('['))}\``
  if (text.includes('Nothing to repeat')) return 'missing argument to repetition operator: `*`'
  return text
}

function splitVariable(item: string): [string, string] {
  const at = item.indexOf('=')
  return [item.slice(0, at), item.slice(at + 1)]
}
