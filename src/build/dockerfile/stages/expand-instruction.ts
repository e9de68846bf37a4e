/** Expands the words of one instruction. The reference says which instructions and words are expanded:
 *  https://docs.docker.com/reference/dockerfile/#environment-replacement */

import { parseFileMode } from '../instructions/file-mode.ts'
import type {
  AddInstruction,
  CopyInstruction,
  Instruction,
  Pair,
  PairsInstruction,
  RunInstruction,
} from '../instructions/instruction.ts'
import type { Mount } from '../instructions/mount.ts'
import { remoteSource } from '../instructions/remote-source.ts'
import { atOffset } from '../parse/flags.ts'
import { parseMount } from '../parse/parse-mount.ts'
import { absolutePath, cleanPath, copyDestination } from '../paths/container-path.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import type { Word } from '../text/words.ts'
import { type ExpandOptions, type Expansion, expandWord, type Lookup } from '../words/expand-word.ts'
import { evaluationError, expandAt } from './global-scope.ts'

/** An instruction with variables expanded, and the variables that it used. */
export interface ExpandedInstruction {
  readonly instruction: Instruction
  /** The names that were looked up. */
  readonly lookedUp: ReadonlySet<string>
  /** The undefined names for which the word gave no default. */
  readonly undefinedNames: ReadonlySet<string>
}

/** Expands the instruction's variables, and makes the paths of mounts and the destination absolute. ARG is left
 *  unchanged. Throws `DockerfileError`. */
export function expandInstruction(
  instruction: Instruction,
  lookup: Lookup,
  context: { readonly escape: EscapeCharacter; readonly workingDirectory: string },
): ExpandedInstruction {
  const expander = new InstructionExpander(instruction.line, lookup, context.escape)
  const expanded = expand(instruction, expander, context.workingDirectory)
  return { instruction: expanded, lookedUp: expander.lookedUp, undefinedNames: expander.undefinedNames }
}

/** Expands words of one line and collects the names they look up. */
class InstructionExpander {
  readonly lookedUp = new Set<string>()
  readonly undefinedNames = new Set<string>()
  readonly #line: LogicalLine
  readonly #lookup: Lookup
  readonly #escape: EscapeCharacter

  constructor(line: LogicalLine, lookup: Lookup, escaper: EscapeCharacter) {
    this.#line = line
    this.#lookup = lookup
    this.#escape = escaper
  }

  text(text: string, offset: number, options: Omit<ExpandOptions, 'escape'> = {}): string {
    return this.#expand(text, offset, options).text
  }

  word(word: Word): Word {
    return { ...word, text: this.text(word.text, word.offset) }
  }

  /** A word can expand to several words, or none. */
  split(word: Word): readonly Word[] {
    return this.#expand(word.text, word.offset, {}).words.map((text) => ({ ...word, text }))
  }

  #expand(text: string, offset: number, options: Omit<ExpandOptions, 'escape'>): Expansion {
    const work = () => expandWord(text, this.#lookup, { ...options, escape: this.#escape })
    const expansion = expandAt(this.#line, { text, offset }, work)
    for (const name of expansion.lookedUp) this.lookedUp.add(name)
    for (const name of expansion.undefinedNames) this.undefinedNames.add(name)
    return expansion
  }
}

function expand(instruction: Instruction, expander: InstructionExpander, directory: string): Instruction {
  switch (instruction.kind) {
    case 'ENV':
    case 'LABEL':
      return {
        ...instruction,
        pairs: instruction.pairs.map((pair) => expandPair(instruction, pair, expander)),
      }
    case 'EXPOSE':
      return { ...instruction, words: instruction.words.flatMap((word) => expander.split(word)) }
    case 'VOLUME':
      return { ...instruction, words: instruction.words.map((word) => expander.word(word)) }
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return { ...instruction, text: expander.word(instruction.text) }
    case 'RUN':
      return expandRun(instruction, expander, directory)
    case 'COPY':
    case 'ADD':
      return expandCopy(instruction, expander, directory)
    case 'ARG':
    case 'CMD':
    case 'ENTRYPOINT':
    case 'HEALTHCHECK':
    case 'MAINTAINER':
    case 'ONBUILD':
    case 'SHELL':
      return instruction
  }
}

function expandPair(
  { kind, line }: PairsInstruction,
  { key, value, offset }: Pair,
  expander: InstructionExpander,
): Pair {
  const name = expander.text(key, offset)
  if (name === '') throw evaluationError(line, `${kind} names can not be blank`, offset)
  return { key: name, value: expander.text(value, offset), offset }
}

function expandRun(instruction: RunInstruction, expander: InstructionExpander, directory: string): RunInstruction {
  const mounts = instruction.mountFlags.map(({ text, offset }) => {
    const read = () => parseMount(text, (value) => expander.text(value, offset))
    const mount = placeMount(atOffset(instruction.line, offset, read), directory)
    if (mount.target !== '/') return mount
    throw evaluationError(instruction.line, `invalid mount target "${mount.target}"`, offset)
  })
  return { ...instruction, mounts }
}

function placeMount(mount: Mount, directory: string): Mount {
  if (mount.target === undefined) return mount
  const target = absolutePath(directory, mount.target)
  if (mount.type === 'cache') return { ...mount, target, id: mount.id ?? cleanPath(target) }
  return { ...mount, target }
}

function expandCopy<T extends CopyInstruction | AddInstruction>(
  instruction: T,
  expander: InstructionExpander,
  directory: string,
): T {
  const { line, kind } = instruction
  const sources = instruction.sources.map((source) => {
    if (source.kind === 'path') return { ...source, path: expander.text(source.path, source.offset) }
    if (!source.expand) return source
    return { ...source, content: expander.text(source.content, 0, { plainQuotes: true }) }
  })
  const destination = expander.word(instruction.destination)
  const url = sources.find((one) => one.kind === 'path' && kind === 'COPY' && /^https?:\/\//i.test(one.path))
  if (url?.kind === 'path') throw evaluationError(line, "source can't be a URL for COPY", url.offset)
  const text = copyDestination(directory, destination.text)
  if (sources.length > 1 && !text.endsWith('/')) {
    const rule = 'the destination must be a directory and end with a /'
    throw evaluationError(line, `When using ${kind} with more than one source file, ${rule}`, destination.offset)
  }
  const flags: { chown?: Word; chmod?: Word; checksum?: Word } = {}
  if (instruction.chown !== undefined) flags.chown = expander.word(instruction.chown)
  if (instruction.chmod !== undefined) flags.chmod = checkedMode(line, expander.word(instruction.chmod))
  if (instruction.kind === 'ADD' && instruction.checksum !== undefined) {
    flags.checksum = checkedChecksum(instruction, expander.word(instruction.checksum), sources)
  }
  const exclude = instruction.exclude.map((word) => expander.word(word))
  const writtenDestination = destination.text
  return { ...instruction, sources, destination: { ...destination, text }, writtenDestination, exclude, ...flags }
}

function checkedMode(line: LogicalLine, chmod: Word): Word {
  if (parseFileMode(chmod.text) !== undefined) return chmod
  const rule = 'it should be octal string and between 0 and 07777'
  throw evaluationError(line, `invalid chmod parameter: '${chmod.text}'. ${rule}`, chmod.offset)
}

/** Checks `--checksum`. It needs a single remote source, and is a commit for git, a SHA-256 digest for anything
 *  else. */
function checkedChecksum(instruction: AddInstruction, checksum: Word, sources: AddInstruction['sources']): Word {
  const fail = (problem: string) => evaluationError(instruction.line, problem, checksum.offset)
  const [source] = sources
  if (source === undefined || sources.length !== 1) throw fail("checksum can't be specified for multiple sources")
  const remote = source.kind === 'path' ? remoteSource(source.path) : undefined
  if (remote === undefined) throw fail('checksum requires HTTP(S) or Git source')
  const good =
    remote.kind === 'git' ? /^[0-9a-f]{1,64}$/i.test(checksum.text) : /^sha256:[0-9a-f]{64}$/.test(checksum.text)
  if (!good) throw fail(`invalid checksum ${JSON.stringify(checksum.text)}`)
  return checksum
}
