/** poll(2), asked once. */
import { syscall } from './ffi.ts'

const pollCall = syscall('int poll(void *fds, uint64_t count, int timeout)')
const pollHup = 0x10

/** True when nobody is at the other end of a unix socket or pipe any more. A peer that has only closed its sending side
 *  is still there. Of a TCP connection the kernel can't tell. */
export function isHungUp(fd: number): boolean {
  // struct pollfd: descriptor, events asked for, events found.
  const entry = Buffer.alloc(8)
  entry.writeInt32LE(fd, 0)
  pollCall(entry, 1, 0)
  return (entry.readInt16LE(6) & pollHup) !== 0
}
