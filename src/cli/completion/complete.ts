/** Completes the word at the cursor: a command, a flag, a flag's value, or an operand. */
import type { CliContext, Command } from '../command/command.ts'
import { type CommandEntry, shownCommands } from '../command/command-entry.ts'
import { globalFlags } from '../command/global-flags.ts'
import { commandGroups, rootCommands } from '../command-tree/command-tree.ts'
import type { Flag } from '../flags/flag.ts'
import { FlagValues } from '../flags/flag-values.ts'
import { type Candidate, type Completion, type CompletionPoint, files, type Source } from './candidate.ts'
import { flagSource } from './flag-sources.ts'
import { operandSource } from './operand-sources.ts'
import { completePlugin, pluginNames } from './plugin-completion.ts'

/** Gives the client and the settings, once the flags before the command are known. */
export type Surroundings = (
  globals: FlagValues,
) => Pick<CompletionPoint, 'settings' | 'client'> & Pick<CliContext, 'runProgram'>

/** Completes the last of `words`, which are the words after the program's name. */
export async function complete(words: readonly string[], surroundings: Surroundings): Promise<Completion> {
  const word = words.at(-1) ?? ''
  const globals = new Scan(globalFlags(), { interspersed: false })
  const before = words.slice(0, -1)
  const rest = globals.take(before)
  const open = (): ReturnType<Surroundings> => surroundings(globals.values)
  if (globals.pending !== undefined) return flagValues('', globals.pending, word, globals, open)
  if (rest.length === 0)
    return word.startsWith('-')
      ? flagsOf('', globalFlags(), word, globals, open)
      : matching([...commandNames(), ...pluginNames(open())], word)
  const found = findEntry(rest)
  if (found === undefined) return completePlugin(open(), rest, word)
  if ('names' in found) return matching(found.names, word)
  return completeCommand(found, word, open)
}

const none: Completion = { candidates: [], withFiles: false }

interface Found {
  readonly name: string
  readonly entry: CommandEntry
  readonly args: readonly string[]
}

function findEntry([first = '', ...rest]: readonly string[]):
  | Found
  | { readonly names: readonly Candidate[] }
  | undefined {
  const root = Object.hasOwn(rootCommands, first) ? rootCommands[first] : undefined
  if (root !== undefined) return { name: root.aliases?.[0] ?? first, entry: root, args: rest }
  const group = Object.hasOwn(commandGroups, first) ? commandGroups[first] : undefined
  if (first === 'help') return rest.length === 0 ? { names: commandNames() } : undefined
  if (group === undefined) return undefined
  const [verb, ...args] = rest.filter((arg, index) => index > 0 || !arg.startsWith('-'))
  if (verb === undefined) {
    return { names: shownCommands(group).map(([value, { summary }]) => ({ value, description: summary })) }
  }
  const known = group.commands[verb] ?? group.commands[group.alternatives?.[verb] ?? '']
  return known === undefined ? undefined : { name: known.aliases?.[0] ?? `${first} ${verb}`, entry: known, args }
}

function commandNames(): readonly Candidate[] {
  const entries = [...Object.entries(rootCommands), ...Object.entries(commandGroups)]
  return entries.map(([value, { summary }]) => ({ value, description: summary }))
}

type Open = () => Pick<CompletionPoint, 'settings' | 'client'>

async function completeCommand({ name, entry, args }: Found, word: string, open: Open): Promise<Completion> {
  const command: Command = await entry.load()
  const scan = new Scan(command.flags, { interspersed: command.interspersed !== false })
  const operands = scan.take(args)
  if (scan.pending !== undefined) return flagValues(name, scan.pending, word, scan, open)
  if (word.startsWith('-') && !scan.isOver) return flagsOf(name, command.flags, word, scan, open)
  return offer(operandSource(name), word, operands, scan, open)
}

/** Gives the names of flags or, after `--name=`, the values of that flag. */
async function flagsOf(
  name: string,
  flags: readonly Flag[],
  word: string,
  scan: Scan,
  open: Open,
): Promise<Completion> {
  const equals = word.indexOf('=')
  if (equals !== -1) {
    const flag = flags.find((known) => `--${known.name}` === word.slice(0, equals))
    if (flag === undefined) return none
    const { candidates, withFiles } = await flagValues(name, flag, word.slice(equals + 1), scan, open)
    return {
      candidates: candidates.map(({ value, ...rest }) => ({ ...rest, value: word.slice(0, equals + 1) + value })),
      withFiles,
    }
  }
  const shown = flags.filter(({ hidden }) => hidden !== true)
  const long = [...shown, { name: 'help', help: 'Show this help' }].map((flag) => ({
    value: `--${flag.name}`,
    description: firstLine(flag.help),
  }))
  const short = shown.flatMap((flag) =>
    flag.short === undefined ? [] : [{ value: `-${flag.short}`, description: firstLine(flag.help) }],
  )
  return matching(word.startsWith('--') ? long : [...short, ...long], word)
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

async function flagValues(name: string, flag: Flag, word: string, scan: Scan, open: Open): Promise<Completion> {
  if (flag.type === 'bool') return matching([{ value: 'true' }, { value: 'false' }], word)
  return offer(flagSource(name, flag.name), word, [], scan, open)
}

async function offer(
  source: Source | typeof files,
  word: string,
  operands: readonly string[],
  scan: Scan,
  open: Open,
): Promise<Completion> {
  if (source === files) return { candidates: [], withFiles: true }
  const point = { ...open(), word, operands, hasFlag: (name: string) => scan.values.has(name) }
  try {
    return matching(await source(point), word)
  } catch {
    // Without a daemon or context, nothing is known. An error message would only disturb the line being typed.
    return none
  }
}

function matching(candidates: readonly Candidate[], word: string): Completion {
  const kept = candidates.filter(({ value }) => value.startsWith(word))
  return { candidates: kept, withFiles: false }
}

/** Reads the words before the cursor without checking them. */
class Scan {
  readonly #flags: readonly Flag[]
  readonly #interspersed: boolean
  readonly #values = new Map<string, string[]>()
  /** The flag whose value comes next. */
  pending: Flag | undefined
  /** True when only operands can follow. */
  isOver = false

  constructor(flags: readonly Flag[], { interspersed }: { readonly interspersed: boolean }) {
    this.#flags = flags
    this.#interspersed = interspersed
  }

  get values(): FlagValues {
    return new FlagValues(this.#values)
  }

  /** Reads words, and gives the operands among them. */
  take(words: readonly string[]): string[] {
    const operands: string[] = []
    for (const word of words) {
      if (this.isOver) operands.push(word)
      else if (this.pending !== undefined) this.#set(this.pending, word)
      else if (word === '--') this.isOver = true
      else if (word.startsWith('-') && word.length > 1) this.#flag(word)
      else {
        operands.push(word)
        this.isOver = !this.#interspersed
      }
    }
    return operands
  }

  #flag(word: string): void {
    const [name = '', ...value] = word.replace(/^--?/, '').split('=')
    const isLong = word.startsWith('--')
    // Of several letters in one word, only the last can take the next word as its value.
    const flag = this.#flags.find((known) => (isLong ? known.name === name : known.short === name.at(-1)))
    if (flag === undefined) return
    if (value.length > 0) this.#set(flag, value.join('='))
    else if (flag.type === 'bool') this.#set(flag, 'true')
    else this.pending = flag
  }

  #set(flag: Flag, value: string): void {
    this.#values.set(flag.name, [...(this.#values.get(flag.name) ?? []), value])
    this.pending = undefined
  }
}
