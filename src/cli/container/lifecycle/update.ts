import type { HostConfig } from '../../../api/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { CliContext, Command } from '../../command/command.ts'
import { eachOperand } from '../../command/each-operand.ts'
import type { Flag } from '../../flags/flag.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { parseRestart } from '../options/create-body.ts'
import { parseResources } from '../options/resource-options.ts'
import { changedPorts } from '../options/update-ports.ts'

const flags: readonly Flag[] = [
  {
    name: 'blkio-weight',
    type: 'uint16',
    help: 'Weight for block I/O, 10 to 1000, or 0 for no weight',
    shownDefault: '0',
  },
  { name: 'cpu-period', type: 'int', help: 'Period of CPU time in microseconds' },
  { name: 'cpu-quota', type: 'int', help: 'CPU time within a period in microseconds' },
  { name: 'cpu-rt-period', type: 'int', help: 'Period of real-time CPU time in microseconds' },
  { name: 'cpu-rt-runtime', type: 'int', help: 'Real-time CPU time within a period in microseconds' },
  { name: 'cpu-shares', short: 'c', type: 'int', help: 'Share of CPU time' },
  { name: 'cpus', type: 'decimal', help: 'Number of CPUs' },
  { name: 'cpuset-cpus', type: 'string', help: 'CPUs that may be used (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', help: 'Memory nodes that may be used (0-3, 0,1)' },
  { name: 'kernel-memory', type: 'bytes', help: 'Ignored: the kernel no longer has this limit', hidden: true },
  { name: 'memory', short: 'm', type: 'bytes', help: 'Limit of memory' },
  { name: 'memory-reservation', type: 'bytes', help: 'Soft limit of memory' },
  { name: 'memory-swap', type: 'bytes', help: "Limit of memory and swap together; '-1' for no limit" },
  { name: 'pids-limit', type: 'int', help: 'Limit of processes; -1 for no limit' },
  {
    name: 'publish',
    type: 'list',
    help: 'Publish another port, even while the container runs ([[IP:]HOST_PORT:]PORT[/PROTOCOL])',
  },
  { name: 'restart', type: 'string', help: 'Restart policy' },
  {
    name: 'unpublish',
    type: 'list',
    help: 'Stop publishing a port (HOST_PORT[/PROTOCOL], or as it was published)',
  },
]

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  operands: { min: 1 },
  flags,
  async run(context, values, operands) {
    if (!flags.some(({ name }) => values.has(name))) {
      throw new CliError(1, 'you must provide one or more flags when using this command')
    }
    const changes: HostConfig = {
      ...parseResources(values),
      ...(values.has('restart') ? { RestartPolicy: parseRestart(values.string('restart')) } : {}),
    }
    const warnings: string[] = []
    await eachOperand(context, operands, async (name) => {
      const ports = await portChanges(context, values, name)
      const { Warnings } = await context.client.containers.update(name, { ...changes, ...ports })
      warnings.push(...(Warnings ?? []))
    })
    if (warnings.length > 0) context.output.write(`${warnings.join('\n')}\n`)
    return 0
  },
}

/** The container's published ports, changed by the flags. Empty without such flags. */
async function portChanges(
  { client }: CliContext,
  values: FlagValues,
  name: string,
): Promise<Pick<HostConfig, 'PortBindings'>> {
  const [publish, unpublish] = [values.list('publish'), values.list('unpublish')]
  if (publish.length + unpublish.length === 0) return {}
  const { value } = await client.containers.inspect(name)
  const now = { bindings: value.HostConfig.PortBindings ?? {}, actual: value.NetworkSettings.Ports ?? {} }
  return { PortBindings: changedPorts(now, publish, unpublish) }
}
