/** RUN with its flags and here-documents. https://docs.docker.com/reference/dockerfile/#run */

import type { RunInstruction } from '../instructions/instruction.ts'
import { parseBoolean } from '../text/check-options.ts'
import { didYouMean } from '../text/suggest.ts'
import type { Word } from '../text/words.ts'
import { atOffset } from './flags.ts'
import { parseHeredocWord, stripLeadingTabs } from './heredoc.ts'
import type { ParseContext } from './parse-context.ts'
import { parseMount } from './parse-mount.ts'

const networks = ['default', 'none', 'host'] as const
const securities = ['sandbox', 'insecure'] as const

/** Parses RUN. Throws `DockerfileError`. */
export function parseRun(context: ParseContext): RunInstruction {
  const flags = context.flags({ mount: 'list', network: 'text', security: 'text', device: 'list' })
  const mountFlags = flags.list('mount')
  return {
    kind: 'RUN',
    ...context.base,
    command: commandOf(context),
    mounts: mountFlags.map((word) => atOffset(context.line, word.offset, () => parseMount(word.text))),
    mountFlags,
    network: oneOf(context, networks, flags.text('network'), 'network mode'),
    security: oneOf(context, securities, flags.text('security'), 'security mode'),
    devices: flags.list('device').map((word) => deviceOf(context, word)),
  }
}

/** A here-document alone is the script to run; it becomes a file when it begins with `#!`. Next to other words, the
 *  shell gets the whole text. */
function commandOf(context: ParseContext): RunInstruction['command'] {
  const heredocs = context.line.heredocs
  const [first] = heredocs
  if (first === undefined) return context.command()
  if (parseHeredocWord(context.args) === undefined) {
    return { form: 'shell', text: context.args + heredocs.map((one) => `\n${one.content}${one.name}`).join('') }
  }
  const content = first.stripTabs ? stripLeadingTabs(first.content) : first.content
  return content.startsWith('#!') ? { form: 'script', name: first.name, content } : { form: 'shell', text: content }
}

function oneOf<T extends string>(context: ParseContext, all: readonly T[], word: Word | undefined, what: string): T {
  const [byDefault] = all
  const found = word === undefined ? byDefault : all.find((one) => one === word.text)
  if (found !== undefined) return found
  const given = word?.text ?? ''
  throw context.error(`unsupported ${what} "${given}"${didYouMean(given, all)}`, word?.offset)
}

function deviceOf(context: ParseContext, word: Word): { readonly name: string; readonly required: boolean } {
  const [first = '', ...options] = word.text.split(',')
  const name = first.replace(/^name=/, '')
  const words = options.map(
    (option) => /^required(?:=(.*))?$/.exec(option)?.[1] ?? (option === 'required' ? 'true' : ''),
  )
  const values = words.map(parseBoolean)
  if (name === '' || values.includes(undefined)) throw context.error(`invalid device "${word.text}"`, word.offset)
  return { name, required: values.includes(true) }
}
