/** What create warns of: asked for, but without the effect that one may expect. Pure. */
import type { HostConfig } from '../../api/index.ts'

/** Warnings in Docker's words. */
export function createWarnings(hostConfig: HostConfig): string[] {
  const warnings: string[] = []
  if (hostConfig.NetworkMode === 'host' && Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    warnings.push('Published ports are discarded when using host network mode')
  }
  if (hostConfig.OomKillDisable === true && !hostConfig.Memory) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  }
  return warnings
}
