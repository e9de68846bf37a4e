/** Where things are in a bucket, behind the prefix of the configuration:
 *
 *      objects/<key>                 the registry's objects
 *      uploads/<id>                  state of an upload: JSON, see s3-upload-state.ts
 *      upload-data/<id>/whole        its parts, once they are joined; till then a multipart upload of this key
 *      upload-data/<id>/tail-…       bytes behind the last part, too few for a part
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

/** A name that is never used twice. */
export function tailKey(id: string, unique: string): string {
  return `${uploadDataPrefix}${id}/tail-${unique}`
}

/** The upload that a key below `upload-data/` belongs to. */
export function uploadOfData(key: string): string {
  return key.slice(uploadDataPrefix.length).split('/')[0] ?? ''
}
