/** Paths inside a container, as text: always with `/`, whatever the host. */

/** Without `.`, `..`, empty parts and a slash at the end; `.` when nothing is left, as Go's path.Clean. */
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

/** `path` made absolute below `directory`, clean. */
export function absolutePath(directory: string, path: string): string {
  return cleanPath(path.startsWith('/') ? path : `/${directory}/${path}`)
}

/** The same for the destination of a copy: a slash at the end stays, and `.` means the directory itself. */
export function copyDestination(directory: string, path: string): string {
  const absolute = absolutePath(directory, path)
  const isDirectory = path.endsWith('/') || path === '.' || path.endsWith('/.') || path === ''
  return isDirectory && absolute !== '/' ? `${absolute}/` : absolute
}
