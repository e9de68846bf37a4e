/** The daemon's objects that both CLIs show. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { freePorts } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

/** Images (one name each: docker shows several names of one image in no order), containers in every state, a volume.
 *  Returns the variables that scripts use: `$port`, the published one, and `$now`, a time after which nothing was
 *  made. */
export async function setUp(daemon: TestDaemon): Promise<NodeJS.ProcessEnv> {
  const port = await freePorts(2)
  await daemon.loadBusybox()
  for (const reference of ['localhost:5000/team/app:1.0', 'other/app:2']) {
    const path = join(daemon.root, 'image.tar')
    await writeBusyboxArchive({ path, reference, config: { Labels: { name: reference } } })
    await daemon.ok(['load', '-q', '-i', path])
    rmSync(path)
  }
  await daemon.ok(['volume', 'create', '--label', 'tier=db', 'data'])
  const health = ['--health-cmd', 'true', '--health-interval', '1h', '--health-start-period', '1h']
  const up = [
    ...['--name', 'up', '--label', 'a=b', '--label', 'com.example.tier=web', '-p', `127.0.0.1:${port}:80`],
    ...['-p', `127.0.0.1:${port + 1}:53/udp`, '--expose', '443', '-v', 'data:/data', '-v', '/tmp:/host:ro'],
    ...['--tmpfs', '/scratch', '-e', 'COLOR=blue', '--memory', '64m', '--restart', 'on-failure:3'],
    ...[...health, '--health-start-interval', '100ms', '--stop-timeout', '1'],
  ]
  const done = 'echo out; echo err >&2; echo x > /new; rm /etc/group; exit 3'
  await Promise.all([
    daemon.ok(['run', '-d', ...up, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000']),
    daemon.docker(['run', '--name', 'done', '-w', '/tmp', 'busybox', 'sh', '-c', done]),
    daemon.ok(['run', '-d', '--name', 'held', '--network', 'none', 'busybox', 'sleep', '1000']),
    daemon.ok(['run', '-d', '-t', '--name', 'term', 'busybox', 'sh', '-c', 'echo on a terminal; exec sleep 1000']),
    daemon.ok([
      ...['create', '--name', 'made', '--entrypoint', '/bin/echo', '-l', 'a=c', 'other/app:2'],
      ...['a long command with spaces', '"quoted"'],
    ]),
  ])
  await daemon.ok(['pause', 'held'])
  const changes = ['-c', 'LABEL a=b c=d', '-c', 'EXPOSE 80']
  await daemon.ok(['commit', '-m', 'a change', '-a', 'me', ...changes, 'done', 'changed:1'])
  await until(async () => (await daemon.ok(['inspect', '-f', '{{.State.Health.Status}}', 'up'])) === 'healthy', {
    what: 'the health check',
  })
  return { port: String(port), now: String(Date.now() / 1000) }
}
