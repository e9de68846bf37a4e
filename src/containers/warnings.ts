/** What create warns of: asked for, but without the effect that one may expect. Pure. */
import type { HealthConfig, HostConfig } from '../api/index.ts'

/** Warnings in Docker's words; `imageHealthcheck` is the image's own. */
export function createWarnings(imageHealthcheck: HealthConfig, hostConfig: HostConfig): string[] {
  const warnings: string[] = []
  const test = imageHealthcheck.Test ?? []
  if (test.length > 0 && test[0] !== 'NONE') {
    warnings.push("The image's HEALTHCHECK is not run by this version of Berth")
  }
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
