/** The process of an exec: the container's environment, user and rights, unless the request says otherwise. */
import type { ExecConfig } from '../../api/index.ts'
import { invalidArgument, type TerminalSize } from '../../base/index.ts'
import type { OciProcess } from '../../oci/index.ts'
import { capabilitySets, resolveCapabilities, toolsProgram } from '../../runtime/index.ts'
import { linkVariables } from '../connections/links.ts'
import { appArmorOf } from '../isolation/app-armor.ts'
import { parseSecurityOptions } from '../isolation/security-options.ts'
import { labelsOf } from '../isolation/selinux.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { resolveIn } from '../rootfs/rootfs.ts'
import { containerEnv, rlimits } from './spec-request.ts'

/** The OCI process of an exec in a running container. `consoleSize` overrides the request's size. Throws
 *  `invalidArgument` for an unknown user and for a working directory that is not absolute. */
export function execProcess(
  context: Uses<'containers' | 'networks' | 'paths' | 'settings' | 'specHost' | 'appArmor' | 'labels'>,
  record: ContainerRecord,
  config: ExecConfig,
  consoleSize?: TerminalSize,
): OciProcess {
  const { home, ...user } = resolveIn(
    context.paths.rootfs(record.id),
    config.User || record.config.User || '',
    record.hostConfig.GroupAdd ?? [],
  )
  const terminal = config.Tty === true
  const [height = 0, width = 0] = config.ConsoleSize ?? []
  const size = consoleSize ?? { height, width }
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    const message = 'OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown'
    throw invalidArgument(message, { details: { exitCode: 126 } })
  }
  const privileged = config.Privileged === true || record.hostConfig.Privileged === true
  const security = parseSecurityOptions(record.hostConfig.SecurityOpt ?? [])
  const selinuxLabel = labelsOf(context, record)?.process ?? ''
  const limits = rlimits(context, record.hostConfig)
  return {
    terminal,
    ...(terminal && size.height > 0 && size.width > 0 ? { consoleSize: size } : {}),
    user,
    args: [...(config.BerthTools === true ? [toolsProgram] : []), ...(config.Cmd ?? [])],
    env: containerEnv(record.config, home, {
      links: linkVariables(context, record),
      extra: config.Env ?? [],
      terminal,
    }),
    cwd: config.WorkingDir || record.config.WorkingDir || '/',
    capabilities: capabilitySets(
      resolveCapabilities({
        add: record.hostConfig.CapAdd ?? [],
        drop: record.hostConfig.CapDrop ?? [],
        privileged,
        available: context.specHost.capabilities,
      }),
    ),
    ...(limits.length === 0 ? {} : { rlimits: limits }),
    noNewPrivileges: security.noNewPrivileges ?? context.settings.noNewPrivileges,
    ...appArmorOf(context, record.hostConfig),
    ...(selinuxLabel === '' ? {} : { selinuxLabel }),
  }
}

/** The command as events show it: the program, a space, and the arguments. */
export function commandText({ Cmd: command }: ExecConfig): string {
  const [program = '', ...args] = command ?? []
  return `${program} ${args.join(' ')}`
}
