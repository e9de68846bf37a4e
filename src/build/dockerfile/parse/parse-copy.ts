/** COPY and ADD. https://docs.docker.com/reference/dockerfile/#copy, #add */

import type { AddInstruction, CopyInstruction, CopySource } from '../instructions/instruction.ts'
import type { HeredocText } from '../text/logical-line.ts'
import type { Word } from '../text/words.ts'
import type { Flags } from './flags.ts'
import { parseHeredocAt, parseHeredocWord, stripLeadingTabs } from './heredoc.ts'
import type { ParseContext } from './parse-context.ts'

/** Parses COPY. Throws `DockerfileError`. */
export function parseCopy(context: ParseContext): CopyInstruction {
  const flags = context.flags({
    from: 'text',
    chown: 'text',
    chmod: 'text',
    exclude: 'list',
    link: 'boolean',
    parents: 'boolean',
  })
  const from = flags.text('from')
  return {
    kind: 'COPY',
    ...context.base,
    ...sharedParts(context, flags),
    ...(from === undefined || from.text === '' ? {} : { from }),
    parents: flags.boolean('parents') ?? false,
  }
}

/** Parses ADD. Throws `DockerfileError`. */
export function parseAdd(context: ParseContext): AddInstruction {
  const flags = context.flags({
    checksum: 'text',
    chown: 'text',
    chmod: 'text',
    exclude: 'list',
    link: 'boolean',
    'keep-git-dir': 'boolean',
    unpack: 'boolean',
  })
  const checksum = flags.text('checksum')
  const unpack = flags.boolean('unpack')
  return {
    kind: 'ADD',
    ...context.base,
    ...sharedParts(context, flags),
    ...(checksum === undefined || checksum.text === '' ? {} : { checksum }),
    keepGitDir: flags.boolean('keep-git-dir') ?? false,
    ...(unpack === undefined ? {} : { unpack }),
  }
}

function sharedParts(context: ParseContext, flags: Flags) {
  const words = context.jsonOrWords()
  const destination = words.at(-1)
  if (destination === undefined || words.length < 2) {
    const problem = 'requires at least two arguments, but only one was provided. Destination could not be determined'
    throw context.error(`${context.name} ${problem}`)
  }
  const inline = context.line.heredocs
  if (inline.length > 0 && parseHeredocWord(destination.text) !== undefined) {
    throw context.error(`${context.name} cannot accept a heredoc as a destination`, destination.offset)
  }
  const chown = flags.text('chown')
  const chmod = flags.text('chmod')
  return {
    sources: sourcesOf(words.slice(0, -1), inline),
    destination,
    exclude: flags.list('exclude'),
    link: flags.boolean('link') ?? false,
    ...(chown === undefined || chown.text === '' ? {} : { chown }),
    ...(chmod === undefined || chmod.text === '' ? {} : { chmod }),
  }
}

/** Here-documents are in the order of their words. */
function sourcesOf(words: readonly Word[], heredocs: readonly HeredocText[]): readonly CopySource[] {
  const waiting = [...heredocs]
  const texts = words.map(({ text }) => text)
  const sources: CopySource[] = []
  for (let index = 0; index < words.length; index += 1) {
    const { text, offset } = words[index] ?? { text: '', offset: 0 }
    const spaced = waiting[0] === undefined ? undefined : parseHeredocAt(texts, index)
    const isHeredoc = spaced !== undefined || parseHeredocWord(text) !== undefined
    const heredoc = isHeredoc ? waiting.shift() : undefined
    if (heredoc === undefined) {
      sources.push({ kind: 'path', path: text, offset })
      continue
    }
    if (spaced !== undefined) index += 1
    const content = heredoc.stripTabs ? stripLeadingTabs(heredoc.content) : heredoc.content
    sources.push({ kind: 'inline', name: heredoc.name, content, expand: heredoc.expand })
  }
  return sources
}
