/** Paths inside a container, as text. They use `/` on every host. */

/** Removes `.`, `..`, empty parts and a trailing slash. Gives `.` for an empty result, like Go's path.Clean. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!rooted) kept.push(part)
  }
  const joined = kept.join('/')
  if (rooted) return `/${joined}`
  return joined === '' ? '.' : joined
}

/** Makes `path` absolute, relative to `directory`, and cleans it. */
export function absolutePath(directory: string, path: string): string {
  return cleanPath(path.startsWith('/') ? path : `/${directory}/${path}`)
}

/** Like `absolutePath`, for the destination of a copy: a trailing slash stays, and `.` means the directory itself. */
export function copyDestination(directory: string, path: string): string {
  const absolute = absolutePath(directory, path)
  const isDirectory = path.endsWith('/') || path === '.' || path.endsWith('/.') || path === ''
  return isDirectory && absolute !== '/' ? `${absolute}/` : absolute
}
