/** Entries of the tree of commands. */
import type { Command } from './command.ts'

/** A command in the tree. */
export interface CommandEntry {
  readonly summary: string
  /** All names, as `--help` lists them. Absent when there is only one. */
  readonly aliases?: readonly string[]
  /** Not listed in `--help`, because only programs call it. */
  readonly hidden?: boolean
  /** Listed first in `berth --help`. */
  readonly common?: boolean
  load(): Promise<Command>
}

/** The commands of a group that `--help` lists. */
export function shownCommands({ commands }: CommandGroup): readonly (readonly [string, CommandEntry])[] {
  return Object.entries(commands).filter(([, { hidden = false }]) => !hidden)
}

/** A group of commands in the tree. */
export interface CommandGroup {
  readonly summary: string
  readonly commands: Readonly<Record<string, CommandEntry>>
  /** The usage line in the error for an unknown command. Most groups have none. */
  readonly usage?: string
  /** Other names of the group's commands. */
  readonly alternatives?: Readonly<Record<string, string>>
}
