/** Usage texts, and the errors that refer to them. */
import { CliError } from './command/cli-error.ts'
import type { Command, OperandCount } from './command/command.ts'
import { type CommandEntry, type CommandGroup, shownCommands } from './command/command-entry.ts'
import { globalFlags } from './command/global-flags.ts'
import { flagUsages } from './flags/flag-usages.ts'

/** The usage line: `Usage:  berth ps [OPTIONS]`. */
function usageLine(path: string, usage: string): string {
  return `Usage:  ${usage === '' ? path : `${path} ${usage}`}`
}

/** The text of `berth COMMAND --help`. */
export function commandHelp(path: string, entry: CommandEntry, command: Command, columns: number): string {
  const { summary, aliases = [] } = entry
  const parts = [usageLine(path, command.usage), summary]
  if (aliases.length > 0) parts.push(`Aliases:\n  ${aliases.map((alias) => `berth ${alias}`).join(', ')}`)
  if (command.flags.some((flag) => flag.hidden !== true)) {
    parts.push(`Options:\n${flagUsages(command.flags, columns).trimEnd()}`)
  }
  return `${parts.join('\n\n')}\n`
}

/** The text of `berth container --help`. */
export function groupHelp(name: string, group: CommandGroup): string {
  const list = commandList(shownCommands(group).map(([verb, { summary }]) => [verb, summary] as const))
  return `${usageLine(`berth ${name}`, 'COMMAND')}\n\n${group.summary}\n\nCommands:\n${list}\n\nRun 'berth ${name} COMMAND --help' for more information on a command.\n`
}

/** The text of `berth --help`. */
export function rootHelp(
  commands: Readonly<Record<string, CommandEntry>>,
  groups: Readonly<Record<string, { readonly summary: string }>>,
  columns: number,
): string {
  const all = Object.entries(commands)
  const common = all.filter(([, entry]) => entry.common === true)
  const others = all.filter(([, entry]) => entry.common !== true).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const summaries = (entries: readonly (readonly [string, { readonly summary: string }])[]): string =>
    commandList(entries.map(([name, { summary }]) => [name, summary] as const))
  return [
    usageLine('berth', '[OPTIONS] COMMAND'),
    'A container engine that speaks Docker',
    `Common Commands:\n${summaries(common)}`,
    `Management Commands:\n${summaries(Object.entries(groups).toSorted(([left], [right]) => (left < right ? -1 : 1)))}`,
    `Commands:\n${summaries(others)}`,
    `Global Options:\n${flagUsages(globalFlags(), columns).trimEnd()}`,
    "Run 'berth COMMAND --help' for more information on a command.\n",
  ].join('\n\n')
}

function commandList(entries: readonly (readonly [string, string])[]): string {
  return entries.map(([name, summary]) => `  ${name.padEnd(11)} ${summary}`).join('\n')
}

/** The error for a flag that the command does not have. */
export function flagError(path: string, usage: string, text: string): CliError {
  return new CliError(125, `${text}\n\n${usageLine(path, usage)}\n\nRun '${path} --help' for more information`)
}

/** Docker's commands for features that Berth does not have, and the feature's name. */
const unbuilt: Readonly<Record<string, string>> = {
  checkpoint: 'checkpoints',
  config: 'swarm',
  manifest: 'lists of manifests made by hand (`berth build --platform` makes them)',
  node: 'swarm',
  plugin: 'plugins that the engine installs',
  secret: 'swarm',
  service: 'swarm',
  stack: 'swarm',
  swarm: 'swarm',
  trust: 'content trust',
}

/** The error for an unknown command. */
export function unknownCommand(path: string, parent: string, groupUsage = ''): CliError {
  const name = path.slice('berth '.length)
  if (Object.hasOwn(unbuilt, name)) return new CliError(1, `${path}: Berth does not have ${unbuilt[name]}`)
  const usage = parent === 'berth' ? '' : `${usageLine(parent, groupUsage)}\n\n`
  return new CliError(1, `berth: unknown command: ${path}\n\n${usage}Run '${parent} --help' for more information`)
}

/** The error for too few or too many operands. */
export function operandError(path: string, usage: string, { min, max }: OperandCount): CliError {
  const hint = max === undefined ? 'See' : 'Run'
  const text = `berth: '${path}' ${operandRule(min, max)}`
  return new CliError(1, `${text}\n\n${usageLine(path, usage)}\n\n${hint} '${path} --help' for more information`)
}

function operandRule(min: number, max: number | undefined): string {
  if (max === 0) return 'accepts no arguments'
  if (min === max) return `requires ${plural(min)}`
  if (max === undefined) return `requires at least ${plural(min)}`
  return min === 0 ? `requires at most ${plural(max)}` : `requires at least ${min} and at most ${plural(max)}`
}

function plural(count: number): string {
  return `${count} argument${count === 1 ? '' : 's'}`
}
