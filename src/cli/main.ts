/** The command line's main function: finds the command, parses its flags, runs it, and turns errors into messages
 *  and exit codes. It imports only what every call needs, because each module makes every `berth …` slower. */
import { messageOf } from '../base/index.ts'
import { CliError } from './command/cli-error.ts'
import { clientVersion } from './command/client-version.ts'
import type { CliContext, Command } from './command/command.ts'
import type { CommandEntry } from './command/command-entry.ts'
import { globalFlags } from './command/global-flags.ts'
import type { MainOptions } from './command/main-options.ts'
import { commandGroups, rootCommands } from './command-tree/command-tree.ts'
import type { FlagValues } from './flags/flag-values.ts'
import { type ParsedArguments, parseFlags } from './flags/parse-flags.ts'
import { commandHelp, flagError, groupHelp, operandError, rootHelp, unknownCommand } from './help.ts'
import type { GlobalArguments } from './plugins/run-plugin.ts'
import { FdOutput, type Output, OutputClosed } from './terminal/output.ts'

const logLevels = ['debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic', 'trace']

interface Streams {
  readonly output: Output
  readonly errors: Output
}

/** Runs one command line (without the program's name). Resolves with the exit code. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  const streams = { output: options.output ?? new FdOutput(1), errors: options.errors ?? new FdOutput(2) }
  let debug = false
  try {
    const globals = parseOr125(
      () => parseFlags(args, globalFlags(), { interspersed: false }),
      'berth',
      '[OPTIONS] COMMAND [ARG...]',
    )
    debug = globals.flags.bool('debug')
    return await dispatch(
      { ...globals, before: args.slice(0, args.length - globals.operands.length) },
      streams,
      options,
    )
  } catch (error) {
    return report(error, streams.errors, debug)
  }
}

function report(error: unknown, errors: Output, debug: boolean): number {
  // The reader of the output has gone. 141 is the exit code of a program that SIGPIPE ended.
  if (error instanceof OutputClosed) return 141
  const message = messageOf(error)
  if (message !== '') errors.write(`${message}\n`)
  if (debug && error instanceof Error && !(error instanceof CliError && error.cause === undefined))
    errors.write(`${error.stack}\n${error.cause instanceof Error ? `caused by ${error.cause.stack}\n` : ''}`)
  return error instanceof CliError ? error.exitCode : 1
}

function parseOr125(parse: () => ParsedArguments, path: string, usage: string): ParsedArguments {
  try {
    return parse()
  } catch (error) {
    throw flagError(path, usage, messageOf(error))
  }
}

async function dispatch(globals: GlobalArguments, streams: Streams, options: MainOptions): Promise<number> {
  const { output } = streams
  const [first, ...rest] = globals.operands
  const plugin = async (operands: readonly string[]) =>
    (await import('./plugins/run-plugin.ts')).pluginFor(globals, operands, options)
  const level = globals.flags.string('log-level', 'info')
  if (!logLevels.includes(level)) throw new CliError(1, `Unable to parse logging level: ${level}`)
  if (globals.flags.bool('version')) {
    output.write(`Berth version ${clientVersion()}\n`)
    return 0
  }
  if (globals.help || first === undefined) {
    const { pluginSummaries } = await import('./plugins/run-plugin.ts')
    const plugins = await pluginSummaries(globals.flags, options, isOwn)
    const text = rootHelp(rootCommands, { ...commandGroups, ...plugins }, helpColumns(output))
    ;(globals.help ? output : streams.errors).write(text)
    return 0
  }
  if (first === '__complete') {
    const { answerShell } = await import('./completion/answer.ts')
    await answerShell(rest, streams, options)
    return 0
  }
  if (first === 'help') {
    const [topic] = rest
    if (topic !== undefined && !isOwn(topic) && (await plugin(rest)) === undefined)
      throw new CliError(1, `unknown help topic: ${rest.join(' ')}`)
    return dispatch({ ...globals, operands: [...rest, '--help'], help: rest.length === 0 }, streams, options)
  }
  if (!isOwn(first) || first === 'builder') {
    const run = await plugin(globals.operands)
    if (run !== undefined) return run()
  }
  const found = findCommand(first, rest)
  if ('group' in found) return showGroup(found, streams)
  return runCommand(found, globals.flags, streams, options)
}

function showGroup(
  { group: name, help }: { readonly group: string; readonly help: boolean },
  { output, errors }: Streams,
): number {
  const group = own(commandGroups, name)
  if (group !== undefined) (help ? output : errors).write(groupHelp(name, group))
  return 0
}

function isOwn(name: string): boolean {
  return own(rootCommands, name) !== undefined || own(commandGroups, name) !== undefined
}

interface FoundCommand {
  readonly path: string
  readonly entry: CommandEntry
  readonly args: readonly string[]
}

function findCommand(
  first: string,
  rest: readonly string[],
): FoundCommand | { readonly group: string; readonly help: boolean } {
  const entry = own(rootCommands, first)
  if (entry !== undefined) return { path: `berth ${first}`, entry, args: rest }
  const group = own(commandGroups, first)
  if (group === undefined) throw unknownCommand(`berth ${first}`, 'berth')
  const { help, operands } = parseOr125(
    () => parseFlags(rest, [], { interspersed: false }),
    `berth ${first}`,
    'COMMAND',
  )
  const [verb, ...args] = operands
  if (help || verb === undefined) return { group: first, help }
  const known = own(group.commands, verb) ?? own(group.commands, own(group.alternatives ?? {}, verb) ?? '')
  if (known === undefined) throw unknownCommand(`berth ${first} ${verb}`, `berth ${first}`, group.usage)
  return { path: `berth ${first} ${verb}`, entry: known, args }
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

async function runCommand(
  found: FoundCommand,
  globals: FlagValues,
  streams: Streams,
  options: MainOptions,
): Promise<number> {
  const { path, entry, args } = found
  const command = await entry.load()
  const parse = (): ParsedArguments => parseFlags(args, command.flags, { interspersed: command.interspersed !== false })
  const { flags, operands, help, helpByShort } = parseOr125(parse, path, command.usage)
  if (help) {
    if (helpByShort) streams.errors.write('Flag shorthand -h has been deprecated, use --help\n')
    streams.output.write(commandHelp(path, entry, command, helpColumns(streams.output)))
    return 0
  }
  const { min, max } = command.operands
  if (operands.length < min || (max !== undefined && operands.length > max)) {
    throw operandError(path, command.usage, command.operands)
  }
  return runWithClient(path, command, { flags, operands, globals }, streams, options)
}

interface Call {
  readonly flags: FlagValues
  readonly operands: readonly string[]
  readonly globals: FlagValues
}

async function runWithClient(
  path: string,
  command: Command,
  call: Call,
  streams: Streams,
  options: MainOptions,
): Promise<number> {
  const { createContext } = await import('./command/create-context.ts')
  const { context, close } = createContext(path, call.globals, streams, options)
  try {
    return (await command.run(context satisfies CliContext, call.flags, call.operands)) ?? 0
  } finally {
    close()
  }
}

/** The width of help texts: one less than the terminal's, as in docker. */
function helpColumns(output: Output): number {
  return output.columns - 1
}
