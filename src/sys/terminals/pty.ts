/** Pseudo terminals. pty(7), termios(3) */
import { constants } from 'node:fs'
import { closeFd, openFd } from '../native/fd.ts'
import { syscall } from '../native/ffi.ts'

const ioctl = syscall('int ioctl(int fd, uint64_t request, void *argument)')
const grantpt = syscall('int grantpt(int fd)')
const unlockpt = syscall('int unlockpt(int fd)')
const ptsnameR = syscall('int ptsname_r(int fd, _Out_ char *name, size_t size)')
const tcgetattr = syscall('int tcgetattr(int fd, void *attributes)')
const tcsetattr = syscall('int tcsetattr(int fd, int actions, void *attributes)')
const cfmakeraw = syscall('void cfmakeraw(void *attributes)')

const tiocgwinsz = 0x5413
const tiocswinsz = 0x5414
const tcsanow = 0
const termiosBytes = 64

/** A new terminal. */
export interface Pty {
  /** Descriptor of the user's side: reads the output and writes the input. The caller closes it. */
  readonly masterFd: number
  /** Path of the terminal for a program. */
  readonly slavePath: string
}

/** A terminal's size, in characters. */
export interface WindowSize {
  readonly width: number
  readonly height: number
}

/** Opens a new terminal. Throws the system's error. */
export function openPty(size?: WindowSize): Pty {
  const masterFd = openFd('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  try {
    grantpt(masterFd)
    unlockpt(masterFd)
    const name = Buffer.alloc(128)
    ptsnameR(masterFd, name, name.byteLength)
    if (size !== undefined) setWindowSize(masterFd, size)
    return { masterFd, slavePath: name.toString('utf8', 0, name.indexOf(0)) }
  } catch (error) {
    closeFd(masterFd)
    throw error
  }
}

/** Changes a terminal's size; its foreground programs get SIGWINCH. `fd`: either side of the terminal. */
export function setWindowSize(fd: number, { width, height }: WindowSize): void {
  const size = new Uint16Array([height, width, 0, 0])
  ioctl(fd, tiocswinsz, size)
}

/** A terminal's size; 0 × 0 when it was never set. Throws ENOTTY when `fd` is not a terminal. */
export function getWindowSize(fd: number): WindowSize {
  const size = new Uint16Array(4)
  ioctl(fd, tiocgwinsz, size)
  return { height: size[0] ?? 0, width: size[1] ?? 0 }
}

/** Puts a terminal into raw mode, in which all bytes pass unchanged. Returns a function that restores the former mode.
 *  Throws ENOTTY when `fd` is not a terminal. */
export function makeRaw(fd: number): () => void {
  const saved = Buffer.alloc(termiosBytes)
  tcgetattr(fd, saved)
  const raw = Buffer.from(saved)
  cfmakeraw(raw)
  tcsetattr(fd, tcsanow, raw)
  return () => {
    tcsetattr(fd, tcsanow, saved)
  }
}
