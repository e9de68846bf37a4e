import type { CommandGroup } from '../command/command-entry.ts'

/** The commands of `berth network`. */
export const networkCommands: CommandGroup = {
  summary: 'Manage networks',
  commands: {
    connect: {
      summary: 'Connect a container to a network',
      load: async () => (await import('../network/connect.ts')).command,
    },
    create: { summary: 'Create a network', load: async () => (await import('../network/create.ts')).command },
    disconnect: {
      summary: 'Disconnect a container from a network',
      load: async () => (await import('../network/disconnect.ts')).command,
    },
    inspect: {
      summary: 'Show the details of networks',
      load: async () => (await import('../network/inspect.ts')).command,
    },
    ls: {
      summary: 'List networks',
      aliases: ['network ls', 'network list'],
      load: async () => (await import('../network/ls.ts')).command,
    },
    prune: {
      summary: 'Remove networks that no container uses',
      load: async () => (await import('../network/prune.ts')).command,
    },
    rm: {
      summary: 'Remove networks',
      aliases: ['network rm', 'network remove'],
      load: async () => (await import('../network/rm.ts')).command,
    },
  },
  alternatives: { list: 'ls', remove: 'rm' },
}
