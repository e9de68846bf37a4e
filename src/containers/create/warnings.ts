/** Warnings of create: settings that were requested but don't have the expected effect. Pure. */
import type { HostConfig } from '../../api/index.ts'

/** Gives the warnings in Docker's words. */
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
