/** What `GET /version` answers. */
import { maxApiVersion, type SystemVersion } from '../api/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import { hostInfo } from '../sys/index.ts'
import type { HostProgram } from './host-programs.ts'

/** The versions of the engine, `berthVersion`, and of the host programs that it runs. */
export function systemVersion(
  berthVersion: string,
  programs: readonly HostProgram[],
  { minApiVersion, experimental }: DaemonConfig,
): SystemVersion {
  const host = hostInfo()
  const common = { ApiVersion: maxApiVersion, MinAPIVersion: minApiVersion }
  const build = { GitCommit: '', GoVersion: process.version, BuildTime: '' }
  return {
    Platform: { Name: 'Berth' },
    Components: [
      {
        Name: 'Engine',
        Version: berthVersion,
        Details: {
          ...common,
          ...build,
          Os: 'linux',
          Arch: host.architecture,
          KernelVersion: host.kernelVersion,
          Experimental: String(experimental),
        },
      },
      ...programs.map(({ name, version }) => ({ Name: name, Version: version, Details: { GitCommit: '' } })),
    ],
    Version: berthVersion,
    ...common,
    ...build,
    Os: 'linux',
    Arch: host.architecture,
    KernelVersion: host.kernelVersion,
  }
}
