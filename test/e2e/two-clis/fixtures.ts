/** What the daemon holds whose answers both CLIs show. */
import type { TestDaemon } from '../../helpers/daemon.ts'
import { until } from '../../helpers/wait.ts'

/** Images, containers in every state, a volume. Names are told by the commands below. */
export async function setUp(daemon: TestDaemon): Promise<void> {
  await daemon.loadBusybox()
  await daemon.ok(['tag', 'busybox', 'localhost:5000/team/app:1.0'])
  await daemon.ok(['tag', 'busybox', 'other/app:2'])
  await daemon.ok(['volume', 'create', '--label', 'tier=db', 'data'])
  await Promise.all([
    daemon.ok([
      'run', '-d', '--name', 'up', '--label', 'a=b', '--label', 'com.example.tier=web', '-p', '127.0.0.1:49961:80',
      '-p', '127.0.0.1:49962:53/udp', '--expose', '443', '-v', 'data:/data', '-v', '/tmp:/host:ro', '--tmpfs', '/scratch',
      '-e', 'COLOR=blue', '--memory', '64m', '--restart', 'on-failure:3', '--health-cmd', 'true', '--health-interval', '1h', '--health-start-period', '1h', '--health-start-interval', '100ms',
      '--stop-timeout', '1', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000',
    ]), // biome-ignore format: a command line
    daemon.docker(['run', '--name', 'done', '-w', '/tmp', 'busybox', 'sh', '-c', 'echo out; echo err >&2; echo x > /new; rm /etc/group; exit 3']),
    daemon.ok(['run', '-d', '--name', 'held', '--network', 'none', 'busybox', 'sleep', '1000']),
    daemon.ok(['run', '-d', '-t', '--name', 'term', '--stop-timeout', '1', 'busybox', 'sh', '-c', 'echo on a terminal; exec sleep 1000']),
    daemon.ok(['create', '--name', 'made', '--entrypoint', '/bin/echo', '-l', 'a=c', 'other/app:2', 'a long command with spaces', '"quoted"']),
  ]) // biome-ignore format: command lines
  await daemon.ok(['pause', 'held'])
  await daemon.ok([
    'commit',
    '-m',
    'a change',
    '-a',
    'me',
    '-c',
    'LABEL a=b c=d',
    '-c',
    'EXPOSE 80',
    'done',
    'changed:1',
  ])
  await until(async () => (await daemon.ok(['inspect', '-f', '{{.State.Health.Status}}', 'up'])) === 'healthy', {
    what: 'the health check',
  })
}
