/** Ways into a running container: nsenter with its pid, and `berth enter`, with and without a shell in the image. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
})

test('nsenter --all works with the pid of docker inspect', async () => {
  await daemon.ok(['run', '-d', '--name', 'target', '--hostname', 'inner', 'busybox', 'sleep', '1000'])
  const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', 'target'])
  const said = await runOrThrow('nsenter', [
    '--target',
    pid,
    '--all',
    'sh',
    '-c',
    'hostname; ls -d /.dockerenv /etc/not-executable',
  ])
  assert.match(said, /^inner\n/)
  assert.match(said, /\/etc\/not-executable/)
  await daemon.ok(['rm', '-f', 'target'])
})

test("berth enter runs the container's shell, or a command, as root", async () => {
  await daemon.ok(['run', '-d', '--name', 'shell', '-u', 'app', '--hostname', 'own', 'busybox', 'sleep', '1000'])
  const typed = await daemon.berth(['enter', 'shell'], { input: 'hostname; id -u; exit 7\n' })
  assert.deepEqual([typed.code, typed.stdout], [7, 'own\n0\n'])
  const given = await daemon.berth(['enter', '-u', 'app', '-w', '/home', 'shell', 'sh', '-c', 'id -un; pwd'], {
    input: '',
  })
  assert.equal(given.stdout, 'app\n/home\n')
  const missing = await daemon.berth(['enter', 'nobody'], { input: '' })
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /No such container: nobody/)
  await daemon.ok(['rm', '-f', 'shell'])
})

test('berth enter mounts busybox if there is no shell, and leaves nothing behind', async () => {
  // A root directory that has one program and nothing else.
  await daemon.ok(['run', '-d', '--name', 'bare', '--read-only', 'busybox', 'sleep', '1000'])
  await daemon.ok([
    'run',
    '--name',
    'maker',
    'busybox',
    'sh',
    '-c',
    'cp /bin/busybox /sleep; cp /bin/busybox /busybox; /busybox rm -rf /bin /home /usr /busybox',
  ])
  await daemon.ok(['commit', '-c', 'CMD ["/sleep","1000"]', 'maker', 'shellless'])
  await daemon.ok(['run', '-d', '--name', 'empty', '--read-only', 'shellless'])
  const script = 'ls /; id -u; touch /proc/self/fd/3/x; echo x >/proc/self/exe; exit 5\n'
  const { code, stdout, stderr } = await daemon.berth(['enter', 'empty'], { input: script })
  assert.equal(code, 5, stderr)
  assert.match(stdout, /^dev\n(.*\n)*sleep\n(.*\n)*0\n$/)
  assert.match(stderr, /Read-only file system/)
  assert.equal((await daemon.berth(['enter', 'empty', 'cat', '/proc/1/comm'], { input: '' })).stdout, 'sleep\n')
  const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', 'empty'])
  assert.ok(!readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes('tools'))
  assert.ok(!(await daemon.ok(['diff', 'empty'])).includes('busybox'))
  const forced = await daemon.berth(['enter', '-b', 'bare', 'sh', '-c', 'readlink /proc/self/exe'], { input: '' })
  assert.match(forced.stdout, /busybox/)
  await daemon.ok(['rm', '-f', 'bare', 'empty', 'maker'])
})
