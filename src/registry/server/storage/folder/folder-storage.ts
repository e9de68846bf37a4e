/** A registry's storage in a folder. Any number of processes may share it, also on a network file system with working
 *  locks and atomic renames. */
import { readdir, stat, unlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { errnoOf, newId } from '../../../../base/index.ts'
import type { ObjectStorage, RegistryStorage, UploadStorage } from '../registry-storage.ts'
import { UploadThreads } from '../transfer/upload-threads.ts'
import { makeFolder, removeFile, writeDurable } from './durable-file.ts'
import { FolderObjects } from './folder-objects.ts'
import { objectsPath, temporaryPath, uploadsPath } from './folder-paths.ts'
import { FolderUploads } from './folder-uploads.ts'

/** Temporary files of this age are leftovers of a crash and are deleted. */
const temporaryMaxAgeMs = 24 * 60 * 60 * 1000
const maxUploadThreads = 4

/** The storage in a folder, with a few threads for uploads. */
export class FolderStorage implements RegistryStorage {
  readonly objects: ObjectStorage
  readonly uploads: UploadStorage
  readonly #root: string
  readonly #threads: UploadThreads

  private constructor(root: string) {
    this.#root = root
    this.#threads = new UploadThreads(Math.min(maxUploadThreads, availableParallelism()))
    this.objects = new FolderObjects(root)
    this.uploads = new FolderUploads(root, this.#threads)
  }

  /** Opens the folder `root`, and makes it if it is missing. Rejects with the system's error. */
  static async open(root: string): Promise<FolderStorage> {
    for (const path of [objectsPath(root), temporaryPath(root), uploadsPath(root)]) await makeFolder(path)
    await removeOldFiles(temporaryPath(root))
    return new FolderStorage(root)
  }

  async check(): Promise<void> {
    const path = join(temporaryPath(this.#root), `check-${newId()}`)
    await writeDurable(path, Buffer.from('ok'), { temporary: temporaryPath(this.#root) })
    await removeFile(path)
  }

  async close(): Promise<void> {
    await this.#threads.close()
  }
}

async function removeOldFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    try {
      if ((await stat(path)).mtimeMs < Date.now() - temporaryMaxAgeMs) await unlink(path)
    } catch (error) {
      // Another process has deleted it.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
}
