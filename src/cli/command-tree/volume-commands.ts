import type { CommandGroup } from '../command/command-entry.ts'

/** The commands of `berth volume`. */
export const volumeCommands: CommandGroup = {
  summary: 'Manage volumes',
  usage: 'COMMAND',
  commands: {
    backup: {
      summary: 'Write the contents of a volume to an archive',
      load: async () => (await import('../volume/backup.ts')).command,
    },
    create: { summary: 'Create a volume', load: async () => (await import('../volume/create.ts')).command },
    inspect: {
      summary: 'Show the details of volumes',
      load: async () => (await import('../volume/inspect.ts')).command,
    },
    ls: {
      summary: 'List volumes',
      aliases: ['volume ls', 'volume list'],
      load: async () => (await import('../volume/ls.ts')).command,
    },
    prune: {
      summary: 'Remove volumes',
      load: async () => (await import('../volume/prune.ts')).command,
    },
    restore: {
      summary: 'Restore the contents of a volume from an archive',
      load: async () => (await import('../volume/restore.ts')).command,
    },
    rm: {
      summary: 'Remove volumes that no container uses',
      aliases: ['volume rm', 'volume remove'],
      load: async () => (await import('../volume/rm.ts')).command,
    },
    update: {
      summary: "Update a swarm's cluster volume",
      load: async () => (await import('../volume/update.ts')).command,
    },
  },
  alternatives: { list: 'ls', remove: 'rm' },
}
