/** Finds the packages installed in a root filesystem: databases of dpkg, apk and rpm, modules in node_modules, Python
 *  distributions. Symlinks are not followed; their targets are scanned at their own paths. Synchronous: run it in a
 *  worker thread, because the filesystem may be of any size. */
import { copyFileSync, type Dirent, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readForeignRows } from '../../../store/index.ts'
import { type Distribution, type InstalledPackage, parseOsRelease } from './installed-package.ts'
import {
  readApkInstalled,
  readDpkgStatus,
  readPackageJson,
  readPythonMetadata,
  readRpmHeader,
} from './package-databases.ts'

/** The result of a scan. */
export interface ScannedPackages {
  readonly distribution: Distribution | undefined
  /** Sorted by type, name, version and path. */
  readonly packages: readonly InstalledPackage[]
}

type Reader = (text: string, foundIn: string) => readonly InstalledPackage[]

/** The parser for each kind of path. */
const readers: readonly (readonly [pattern: RegExp, reader: Reader])[] = [
  [/(?:^|\/)var\/lib\/dpkg\/status(?:\.d\/[^/]+)?$/, readDpkgStatus],
  [/(?:^|\/)lib\/apk\/db\/installed$/, readApkInstalled],
  [/\/node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/, readPackageJson],
  [/\.dist-info\/METADATA$|\.egg-info\/PKG-INFO$|\.egg-info$/, readPythonMetadata],
]
const rpmDatabase = /(?:^|\/)(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm)\/rpmdb\.sqlite$/
const osRelease = /^(?:usr\/lib|etc)\/os-release$/
const kernelDirectories = new Set(['proc', 'sys', 'dev'])
const maxFileBytes = 64 * 1024 * 1024
const maxDatabaseBytes = 512 * 1024 * 1024

/** Scans the tree at `root`. Unreadable files are skipped. */
export function scanPackages(root: string): ScannedPackages {
  const packages: InstalledPackage[] = []
  let distribution: Distribution | undefined
  for (const path of filesBelow(root)) {
    if (osRelease.test(path)) distribution ??= parseOsRelease(textOf(root, path))
    packages.push(...packagesIn(root, path))
  }
  return { distribution, packages: packages.sort(comparePackages) }
}

function* filesBelow(root: string): Iterable<string> {
  const pending = ['']
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of entriesOf(root, directory)) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isFile()) yield path
      else if (entry.isDirectory() && !kernelDirectories.has(path)) pending.push(path)
    }
  }
}

function entriesOf(root: string, path: string): readonly Dirent[] {
  try {
    return readdirSync(join(root, path), { withFileTypes: true })
  } catch {
    return []
  }
}

function packagesIn(root: string, path: string): readonly InstalledPackage[] {
  const reader = readers.find(([pattern]) => pattern.test(`/${path}`))?.[1]
  if (reader !== undefined) return reader(textOf(root, path), `/${path}`)
  return rpmDatabase.test(path) ? rpmPackages(join(root, path), `/${path}`) : []
}

function textOf(root: string, path: string): string {
  try {
    const file = join(root, path)
    return statSync(file).size > maxFileBytes ? '' : readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** SQLite needs a file with a name, so the database is copied to one. */
function rpmPackages(file: string, foundIn: string): readonly InstalledPackage[] {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxDatabaseBytes) return []
  const directory = mkdtempSync(join(tmpdir(), 'berth-rpm-'))
  try {
    const copy = join(directory, 'db')
    copyFileSync(file, copy)
    const rows = readForeignRows(copy, 'SELECT blob FROM Packages')
    return rows.flatMap(({ blob }) => (blob instanceof Uint8Array ? readRpmHeader(Buffer.from(blob), foundIn) : []))
  } catch {
    return []
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function comparePackages(a: InstalledPackage, b: InstalledPackage): number {
  const [left, right] = [a, b].map(({ type, name, version, foundIn }) => [type, name, version, foundIn].join('\0'))
  return (left ?? '') < (right ?? '') ? -1 : 1
}
