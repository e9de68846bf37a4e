/** The output of `--call=outline` and `--call=targets` in readable form. */
import type { Outline, TargetSummary } from '../../build/dockerfile/index.ts'
import { formatTable } from '../format/table.ts'

/** The readable form of an answer. */
export function describeOutline(answer: readonly TargetSummary[] | Outline): string {
  if (!('args' in answer)) {
    const rows = answer.map((one) => [`${one.name}${one.default ? ' (default)' : ''}`.trim(), one.description])
    return formatTable([['TARGET', 'DESCRIPTION'], ...rows])
  }
  const parts = [`TARGET: ${answer.target}\n`]
  if (answer.args.length > 0) {
    const rows = answer.args.map(({ name, value, description }) => [name, value, description])
    parts.push(formatTable([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...rows]))
  }
  const wanted = (title: string, list: Outline['secrets']) => {
    if (list.length === 0) return
    parts.push(formatTable([[title, 'REQUIRED'], ...list.map(({ id, required }) => [id, String(required)])]))
  }
  wanted('SECRET', answer.secrets)
  wanted('SSH', answer.ssh)
  return parts.join('\n')
}
