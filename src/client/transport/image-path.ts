/** The URL path of an image. The slashes of its name stay; other characters that a path cannot hold are escaped. */
export function imagePath(name: string, action = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}${action}`
}
