import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { test } from 'node:test'
import { FdReader } from '../files/fd-reader.ts'
import { closeFd, openFd, readFd, writeFd } from '../native/fd.ts'
import { spawnProcess } from '../processes/spawn.ts'
import { getWindowSize, makeRaw, openPty, setWindowSize } from './pty.ts'

test('openPty: works as a controlling terminal, has its size, and the master sees the end of the program', async () => {
  const { masterFd, slavePath } = openPty({ width: 101, height: 41 })
  const child = spawnProcess({
    path: '/bin/sh',
    args: ['-c', 'tty; stty size; ps -o tpgid=,sid= -p $$; exec 3</dev/tty && echo open'],
    controllingTty: slavePath,
  })
  const chunks: Buffer[] = []
  const output = await new Promise<string>((resolve, reject) => {
    FdReader.start(masterFd, {
      onData: (chunk) => chunks.push(chunk),
      onEnd: (error) => (error === undefined ? resolve(Buffer.concat(chunks).toString()) : reject(error)),
    })
  })
  assert.deepEqual(await child.exited, { code: 0, signal: null })
  const [tty, size, ids, open] = output.split('\r\n')
  assert.equal(tty, slavePath)
  assert.equal(size, '41 101')
  assert.deepEqual(ids?.trim().split(/\s+/), [String(child.pid), String(child.pid)])
  assert.equal(open, 'open')
})

test('setWindowSize: both ends see it', () => {
  const { masterFd, slavePath } = openPty()
  const slave = openFd(slavePath, constants.O_RDWR | constants.O_NOCTTY)
  setWindowSize(masterFd, { width: 80, height: 24 })
  assert.deepEqual(getWindowSize(slave), { width: 80, height: 24 })
  assert.throws(() => setWindowSize(openFd('/dev/null', 0), { width: 1, height: 1 }), { code: 'ENOTTY' })
  closeFd(slave)
  closeFd(masterFd)
})

test('makeRaw: bytes pass unchanged until restored', () => {
  const { masterFd, slavePath } = openPty()
  const slave = openFd(slavePath, constants.O_RDWR | constants.O_NOCTTY)
  const buffer = Buffer.alloc(100)
  const restore = makeRaw(slave)
  writeFd(slave, Buffer.from('a\n'))
  assert.equal(buffer.toString('utf8', 0, readFd(masterFd, buffer)), 'a\n')
  restore()
  writeFd(slave, Buffer.from('a\n'))
  assert.equal(buffer.toString('utf8', 0, readFd(masterFd, buffer)), 'a\r\n')
  closeFd(slave)
  closeFd(masterFd)
})
