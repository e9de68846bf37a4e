/** The files of a container's bundle: written before its creation, read when it is found again, removed by name. */
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

/** The configuration has the container's environment, passwords included. */
const ownerOnly = { mode: 0o600 } as const

/** Makes the bundle, with mode 0700 when the caller has not made it yet. What an earlier run of the same container left
 *  in it is gone. `runtime` is remembered when it is not the default. */
export function writeBundle(bundle: string, config: string, runtime: string | undefined): void {
  const files = bundleFiles(bundle)
  const isNew = mkdirSync(bundle, { recursive: true, mode: 0o700 }) !== undefined
  if (!isNew) for (const path of [files.oom, files.pid, files.conmonPid, files.runtime]) removeFile(path)
  writeFileSync(files.config, config, ownerOnly)
  if (runtime !== undefined) writeFileSync(files.runtime, runtime, ownerOnly)
}

/** The pid that a file holds, if there is one. */
export function readPid(path: string): number | undefined {
  const pid = Number.parseInt(readText(path) ?? '', 10)
  return Number.isNaN(pid) ? undefined : pid
}

/** A short file's text, if there is one. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Removes the files that are ours by name, never a tree: a root file system may still be mounted below. */
export function removeBundle(bundle: string): void {
  for (const name of namesIn(bundle)) if (ourNames.has(name) || isExecFile(name)) removeFile(join(bundle, name))
  try {
    rmdirSync(bundle)
  } catch (error) {
    const code = errnoOf(error)
    // The caller keeps files of its own here (mount points), which it removes itself.
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EBUSY') throw error
  }
}

/** Removes what execs left that a crash of the daemon cut short. */
export function removeExecFiles(bundle: string): void {
  for (const name of namesIn(bundle)) if (isExecFile(name)) removeFile(join(bundle, name))
}

function isExecFile(name: string): boolean {
  return name.startsWith('exec-')
}

/** Removes a file that may be missing. (`rmSync` takes five times as long, and runs several times per container.) */
export function removeFile(path: string): void {
  if (!existsSync(path)) return
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** The names in a directory; none when there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
