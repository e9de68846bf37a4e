/** The keys of a bucket, without the configured prefix:
 *
 *      objects/<key>                 the registry's objects
 *      uploads/<id>                  state of an upload: JSON, see s3-upload-state.ts
 *      upload-data/<id>/whole        its joined parts; before that, a multipart upload with this key
 *      upload-data/<id>/tail-…       bytes after the last part, too few for a part
 *      check                         written by health checks */

export const objectsPrefix = 'objects/'
export const uploadsPrefix = 'uploads/'
export const uploadDataPrefix = 'upload-data/'
export const checkKey = 'check'

export function objectKey(key: string): string {
  return objectsPrefix + key
}

export function uploadKey(id: string): string {
  return uploadsPrefix + id
}

export function wholeKey(id: string): string {
  return `${uploadDataPrefix}${id}/whole`
}

/** The key of a tail. Each contains a new random id. */
export function tailKey(id: string, unique: string): string {
  return `${uploadDataPrefix}${id}/tail-${unique}`
}

/** The id of the upload to which a key below `upload-data/` belongs. */
export function uploadOfData(key: string): string {
  return key.slice(uploadDataPrefix.length).split('/')[0] ?? ''
}
