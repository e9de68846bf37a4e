import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { closeFd, makePipe, readFd, writeFd } from '../native/fd.ts'
import { loadKoffi, syscall } from '../native/ffi.ts'
import { withUnixAddress } from '../native/unix-address.ts'
import { ConsoleSocket } from './console-socket.ts'

const socketCall = syscall('int socket(int domain, int type, int protocol)')
const connectCall = syscall('int connect(int fd, const void *address, uint32_t length)')
const sendmsgCall = syscall('int64_t sendmsg(int fd, const void *message, int flags)')

/** What an OCI runtime does with its terminal. */
function sendFd(path: string, fd: number | undefined): void {
  const connection = socketCall(1, 1, 0)
  withUnixAddress(path, (address) => connectCall(connection, address, address.byteLength))
  const { alloc, address, encode, free } = loadKoffi()
  const data = Buffer.from('/dev/ptmx')
  const control = Buffer.alloc(24)
  control.writeBigUInt64LE(20n, 0)
  control.writeInt32LE(1, 8)
  control.writeInt32LE(1, 12)
  control.writeInt32LE(fd ?? 0, 16)
  const vector = alloc('uint64_t', 2)
  encode(vector, 'uint64_t', [address(data), BigInt(data.length)], 2)
  const message = Buffer.alloc(56)
  message.writeBigUInt64LE(vector as bigint, 16)
  message.writeBigUInt64LE(1n, 24)
  if (fd !== undefined) {
    message.writeBigUInt64LE(address(control), 32)
    message.writeBigUInt64LE(24n, 40)
  }
  sendmsgCall(connection, message, 0)
  free(vector)
  closeFd(connection)
}

async function withPath(action: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync('/tmp/cons-')
  try {
    await action(`${directory}/s`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('ConsoleSocket: receives one descriptor and removes its file', () =>
  withPath(async (path) => {
    const socket = ConsoleSocket.listen(path)
    const [readEnd, writeEnd] = makePipe()
    sendFd(path, writeEnd)
    const received = await socket.received
    assert.notEqual(received, writeEnd)
    writeFd(received, Buffer.from('hello'))
    const buffer = Buffer.alloc(10)
    assert.equal(buffer.toString('utf8', 0, readFd(readEnd, buffer)), 'hello')
    assert.equal(existsSync(path), false)
    for (const fd of [received, readEnd, writeEnd]) closeFd(fd)
  }))

test('ConsoleSocket: rejects for a message without a descriptor', () =>
  withPath(async (path) => {
    const socket = ConsoleSocket.listen(path)
    sendFd(path, undefined)
    await assert.rejects(socket.received, { code: 'EPROTO' })
    assert.equal(existsSync(path), false)
  }))

test('ConsoleSocket: rejects when it is closed before a message', () =>
  withPath(async (path) => {
    const socket = ConsoleSocket.listen(path)
    socket.close()
    socket.close()
    await assert.rejects(socket.received, { kind: 'cancelled' })
    assert.equal(existsSync(path), false)
  }))
