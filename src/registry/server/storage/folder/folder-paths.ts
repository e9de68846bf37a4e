/** The registry's folder. Keys are relative paths below `objects`. Temporary files are in another folder on the same
 *  file system, so that a rename turns them into objects and a crash leaves nothing among the objects.
 *
 *  <root>/v1/objects/<key>
 *  <root>/v1/temporary/<random>             a small object that is being written
 *  <root>/v1/uploads/<id>/data              bytes that arrived; the request that works on it holds a lock (flock) */
import { join } from 'node:path'
import { internal } from '../../../../base/index.ts'

const safePart = /^(?!\.{1,2}$)[A-Za-z0-9._+-]{1,255}$/

export function objectsPath(root: string): string {
  return join(root, 'v1', 'objects')
}

export function temporaryPath(root: string): string {
  return join(root, 'v1', 'temporary')
}

export function uploadsPath(root: string): string {
  return join(root, 'v1', 'uploads')
}

/** The path of an object. Throws `internal` for a key that would lead out of the folder; the registry never makes
 *  one. */
export function objectPath(root: string, key: string): string {
  if (!key.split('/').every((part) => safePart.test(part))) throw internal(`not a storage key: ${key}`)
  return join(objectsPath(root), key)
}

export function uploadPath(root: string, id: string): string {
  if (!safePart.test(id)) throw internal(`not an upload's id: ${id}`)
  return join(uploadsPath(root), id)
}

export function uploadDataPath(root: string, id: string): string {
  return join(uploadPath(root, id), 'data')
}
