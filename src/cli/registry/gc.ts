/** `berth registry gc`: collects garbage in the storage. Registries may serve it meanwhile. */
import { existsSync } from 'node:fs'
import { notFound, nullLogger } from '../../base/index.ts'
import { createRegistry } from '../../registry/server/index.ts'
import type { Command } from '../command/command.ts'
import { humanSize } from '../format/units.ts'
import { configFlag, registryConfigOf, storageFlag } from './registry-flags.ts'
import { openRegistryStorage } from './served-registry.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [configFlag, { name: 'dry-run', type: 'bool', help: 'Only print what would be deleted' }, storageFlag],
  async run({ output }, flags) {
    const config = registryConfigOf(flags)
    if (config.storage.kind === 'folder' && !existsSync(config.storage.folder)) {
      throw notFound(`there is no registry in ${config.storage.folder}`)
    }
    const storage = await openRegistryStorage(config.storage, nullLogger)
    try {
      const registry = await createRegistry({ storage, garbageGraceMs: config.gc.graceMs })
      const isDryRun = flags.bool('dry-run')
      const report = await registry.collectGarbage({ isDryRun })
      const verb = isDryRun ? 'would be deleted' : 'deleted'
      output.write(
        `Manifests read: ${report.manifestsRead}\nBlobs kept: ${report.blobsKept}\n` +
          `Blobs ${verb}: ${report.blobsDeleted}\nLinks ${verb}: ${report.linksDeleted}\n` +
          `Uploads ${verb}: ${report.uploadsAborted}\n` +
          `Space ${isDryRun ? 'that would be freed' : 'freed'}: ${humanSize(report.bytesFreed, 4)}\n`,
      )
      await registry.close()
    } finally {
      await storage.close()
    }
    return 0
  },
}
