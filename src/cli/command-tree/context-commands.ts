import type { CommandGroup } from '../command/command-entry.ts'

/** The commands of `berth context`. */
export const contextCommands: CommandGroup = {
  summary: 'Manage contexts (daemons to connect to)',
  commands: {
    create: { summary: 'Create a context', load: async () => (await import('../context/create.ts')).command },
    export: {
      summary: 'Export a context to a tar archive',
      load: async () => (await import('../context/export.ts')).command,
    },
    import: {
      summary: 'Import a context from a tar or zip archive',
      load: async () => (await import('../context/import.ts')).command,
    },
    inspect: {
      summary: 'Show the details of contexts',
      load: async () => (await import('../context/inspect.ts')).command,
    },
    ls: {
      summary: 'List contexts',
      aliases: ['context ls', 'context list'],
      load: async () => (await import('../context/ls.ts')).command,
    },
    rm: {
      summary: 'Remove contexts',
      aliases: ['context rm', 'context remove'],
      load: async () => (await import('../context/rm.ts')).command,
    },
    show: {
      summary: 'Print the name of the context in use',
      load: async () => (await import('../context/show.ts')).command,
    },
    update: { summary: 'Change a context', load: async () => (await import('../context/update.ts')).command },
    use: { summary: 'Set the context to use', load: async () => (await import('../context/use.ts')).command },
  },
  alternatives: { list: 'ls', remove: 'rm' },
}
