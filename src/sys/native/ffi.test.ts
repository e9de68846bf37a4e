import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { rawSyscall, syscall } from './ffi.ts'

const prototype = 'int poll(void *fds, uint64_t count, int timeout)'

test('syscall: a call that a signal interrupts is made again', (t) => {
  // libuv's handler makes the kernel interrupt poll(2), which is never restarted after a signal.
  const ignore = () => undefined
  process.on('SIGWINCH', ignore)
  t.after(() => process.off('SIGWINCH', ignore))
  const interrupter = spawn('sh', ['-c', `for i in 1 2 3 4 5 6; do sleep 0.1; kill -WINCH ${process.pid}; done`])
  t.after(() => interrupter.kill('SIGKILL'))
  const interrupted = rawSyscall(prototype)(null, 0, 5000)
  assert.ok(interrupted < 0, 'no signal interrupted the call')
  assert.equal(syscall(prototype)(null, 0, 1000), 0)
})
