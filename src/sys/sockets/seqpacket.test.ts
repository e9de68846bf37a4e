import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeFd, readFd, setNonBlocking, writeFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall } from '../native/ffi.ts'
import { withUnixAddress } from '../native/unix-address.ts'
import { SeqpacketSocket } from './seqpacket.ts'

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const bindCall = syscall('int bind(int fd, const void *address, uint32_t length)')
const listenCall = syscall('int listen(int fd, int backlog)')
const acceptCall = rawSyscall('int accept4(int fd, void *address, void *length, int flags)')

function listen(path: string): number {
  const fd = socketCall(1, 5 | 0o2000000, 0)
  withUnixAddress(path, (address) => bindCall(fd, address, address.byteLength))
  listenCall(fd, 1)
  return fd
}

async function withDirectory(action: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync('/tmp/seq-')
  try {
    await action(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('SeqpacketSocket: preserves packets in both directions, and sees the end', () =>
  withDirectory(async (directory) => {
    const listener = listen(join(directory, 's'))
    const socket = await SeqpacketSocket.connect(join(directory, 's'))
    const peer = acceptCall(listener, null, null, 0)
    writeFd(peer, Buffer.from('one'))
    writeFd(peer, Buffer.from('three'))
    const buffer = Buffer.alloc(100)
    const seen: string[] = []
    const ended = new Promise<void>((resolve) => {
      socket.watch({ read: true }, () => {
        const count = socket.read(buffer)
        if (count <= 0) {
          socket.close()
          resolve()
        } else {
          seen.push(buffer.toString('utf8', 0, count))
          if (seen.length === 2) closeFd(peer)
        }
      })
    })
    assert.equal(socket.write(Buffer.from('to peer')), 7)
    assert.equal(readFd(peer, buffer), 7)
    await ended
    assert.deepEqual(seen, ['one', 'three'])
    assert.equal(socket.write(Buffer.from('x')), -errno.EPIPE)
    closeFd(listener)
  }))

test('SeqpacketSocket: half-close and a full queue', () =>
  withDirectory(async (directory) => {
    const listener = listen(join(directory, 's'))
    const socket = await SeqpacketSocket.connect(join(directory, 's'))
    const peer = acceptCall(listener, null, null, 0)
    let result = 0
    for (let count = 0; count < 100_000 && result >= 0; count++) result = socket.write(Buffer.alloc(8192))
    assert.equal(result, -errno.EAGAIN)
    socket.shutdownWrite()
    setNonBlocking(peer)
    const buffer = Buffer.alloc(8192)
    let last = 1
    while (last > 0) last = readFd(peer, buffer)
    assert.equal(last, 0)
    writeFd(peer, Buffer.from('late'))
    assert.equal(socket.read(buffer), 4)
    socket.close()
    closeFd(peer)
    closeFd(listener)
  }))

test('SeqpacketSocket: paths of more than 107 bytes', () =>
  withDirectory(async (directory) => {
    const deep = join(directory, 'd'.repeat(60), 'e'.repeat(60))
    mkdirSync(deep, { recursive: true })
    const listener = listen(join(deep, 'attach'))
    const socket = await SeqpacketSocket.connect(join(deep, 'attach'))
    socket.close()
    closeFd(listener)
  }))

test('SeqpacketSocket: connect throws when no process listens', () =>
  withDirectory(async (directory) => {
    await assert.rejects(SeqpacketSocket.connect(join(directory, 'none')), { code: 'ENOENT' })
    closeFd(listen(join(directory, 'dead')))
    await assert.rejects(SeqpacketSocket.connect(join(directory, 'dead')), { code: 'ECONNREFUSED' })
  }))

test('SeqpacketSocket: waits while the listen queue is full', () =>
  withDirectory(async (directory) => {
    const path = join(directory, 's')
    const listener = listen(path)
    const first = [await SeqpacketSocket.connect(path), await SeqpacketSocket.connect(path)]
    await assert.rejects(SeqpacketSocket.connect(path, { timeoutMs: 20 }), { code: 'EAGAIN' })
    const waiting = SeqpacketSocket.connect(path)
    closeFd(acceptCall(listener, null, null, 0))
    ;(await waiting).close()
    for (const socket of first) socket.close()
    closeFd(listener)
  }))
