/** The path of an image: names keep their slashes; all else that a path cannot hold is escaped. */
export function imagePath(name: string, action = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}${action}`
}
