/** The files of a container's bundle: written before the container is created, read when it is adopted, and removed by
 *  name. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { bundleFiles } from './paths.ts'

const ourNames = new Set([
  'config.json',
  'pid',
  'conmon.pid',
  'attach',
  'ctl',
  'winsz',
  'oom',
  'runtime',
  'update.json',
])

/** The configuration contains the container's environment, which may hold passwords. */
const ownerOnly = { mode: 0o600 } as const

/** Creates the bundle's directory (mode 0700, unless it exists) and writes the configuration. Removes what an earlier
 *  run of the same container left in it. `runtime`: the name of the OCI runtime, which is written down unless
 *  undefined. */
export function writeBundle(bundle: string, config: string, runtime: string | undefined): void {
  const files = bundleFiles(bundle)
  const isNew = mkdirSync(bundle, { recursive: true, mode: 0o700 }) !== undefined
  if (!isNew) for (const path of [files.oom, files.pid, files.conmonPid, files.runtime]) removeFile(path)
  writeFileSync(files.config, config, ownerOnly)
  if (runtime !== undefined) writeFileSync(files.runtime, runtime, ownerOnly)
}

/** The pid in a file; undefined when there is no such file, or no number in it. */
export function readPid(path: string): number | undefined {
  const pid = Number.parseInt(readText(path) ?? '', 10)
  return Number.isNaN(pid) ? undefined : pid
}

/** The trimmed text of a short file; undefined when there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Removes the runtime's own files by name, then the directory if it is empty. Never removes a tree: a root file system
 *  may still be mounted below. */
export function removeBundle(bundle: string): void {
  for (const name of namesIn(bundle)) if (ourNames.has(name) || isExecFile(name)) removeFile(join(bundle, name))
  try {
    rmdirSync(bundle)
  } catch (error) {
    const code = errnoOf(error)
    // The caller may have files here (mount points), which it removes itself.
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EBUSY') throw error
  }
}

/** Removes files of execs that a crash of the daemon cut short. */
export function removeExecFiles(bundle: string): void {
  for (const name of namesIn(bundle)) if (isExecFile(name)) removeFile(join(bundle, name))
}

function isExecFile(name: string): boolean {
  return name.startsWith('exec-')
}

/** Removes a file that may be missing. Runs several times per container; `rmSync` would take five times as long. */
export function removeFile(path: string): void {
  if (!existsSync(path)) return
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** The names in a directory; none if the directory does not exist. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
