/** Explains why a program for another platform could not be run: the kernel needs a handler for it (binfmt_misc).
 *  https://docs.kernel.org/admin-guide/binfmt-misc.html */
import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join, posix } from 'node:path'
import { formatPlatform, hostPlatform, type Platform } from '../../oci/index.ts'
import { openInRoot } from '../../sys/index.ts'

/** How the program was started. */
export interface StartedProgram {
  /** The first word of the command line. */
  readonly name: string
  readonly env: readonly string[]
  readonly cwd: string
}

const handlersPath = '/proc/sys/fs/binfmt_misc'
const headerBytes = 128

/** Machine numbers of ELF. https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const machines: Readonly<Record<string, readonly number[]>> = {
  amd64: [62, 3],
  386: [3],
  arm64: [183, 40],
  arm: [40],
  s390x: [22],
  ppc64le: [21],
  riscv64: [243],
  mips64le: [8],
  loong64: [258],
}

/** Gives the explanation for a failed program below `rootfs`. Undefined when the host can run such programs, natively
 *  or with a handler that is visible from here. */
export function foreignProgramProblem(
  rootfs: string,
  program: StartedProgram,
  platform: Platform,
  handlers: string = handlersPath,
): string | undefined {
  const header = programHeader(rootfs, program)
  const host = hostPlatform()
  const machine = header === undefined ? undefined : machineOf(header)
  if (header === undefined || machine === undefined || machines[host.architecture]?.includes(machine) !== false)
    return undefined
  if (hasHandler(handlers, header)) return undefined
  return (
    `${program.name} is a program for ${formatPlatform(platform)}, and this host (${formatPlatform(host)}) has no ` +
    'handler for it in binfmt_misc (Debian: package qemu-user-static); or build it in a stage with ' +
    'FROM --platform=$BUILDPLATFORM'
  )
}

/** The first bytes of the file that would be executed. */
function programHeader(rootfs: string, { name, env, cwd }: StartedProgram): Buffer | undefined {
  const path = env.findLast((line) => line.startsWith('PATH='))?.slice('PATH='.length) ?? ''
  const candidates = name.includes('/')
    ? [posix.resolve(cwd, name)]
    : path.split(':').map((one) => posix.join(one, name))
  const rootFd = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const candidate of candidates) {
      const header = readHeader(rootFd, candidate)
      if (header !== undefined) return header
    }
    return undefined
  } finally {
    closeSync(rootFd)
  }
}

function readHeader(rootFd: number, path: string): Buffer | undefined {
  let fd: number | undefined
  try {
    fd = openInRoot(rootFd, path, constants.O_RDONLY | constants.O_NONBLOCK)
    const buffer = Buffer.alloc(headerBytes)
    return buffer.subarray(0, readSync(fd, buffer, 0, headerBytes, 0))
  } catch {
    // If the file can't be read, the process's own error message explains the failure.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Undefined for files that are not ELF. Scripts name an interpreter of their own. */
function machineOf(header: Buffer): number | undefined {
  if (header.length < 20 || header.readUInt32BE(0) !== 0x7f454c46) return undefined
  return header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)
}

/** True when an enabled handler accepts files with this header. */
function hasHandler(directory: string, header: Buffer): boolean {
  let names: readonly string[]
  try {
    names = readdirSync(directory).filter((name) => name !== 'register' && name !== 'status')
    if (readFileSync(join(directory, 'status'), 'utf8').startsWith('disabled')) return false
  } catch {
    // binfmt_misc is not mounted, so nothing is known about handlers.
    return false
  }
  return names.some((name) => isTaken(readFileSync(join(directory, name), 'utf8'), header))
}

function isTaken(description: string, header: Buffer): boolean {
  const field = (name: string) => new RegExp(`^${name} ?(\\S+)$`, 'm').exec(description)?.[1]
  const magic = Buffer.from(field('magic') ?? '', 'hex')
  if (!description.startsWith('enabled') || magic.length === 0) return false
  const mask = Buffer.from(field('mask') ?? '', 'hex')
  const offset = Number(field('offset') ?? 0)
  return magic.every((byte, at) => {
    const bits = mask[at] ?? 0xff
    return ((header[offset + at] ?? 0) & bits) === (byte & bits)
  })
}
