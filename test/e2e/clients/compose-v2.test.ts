/** Features of docker-compose 2 that version 1 lacks: `--wait`, profiles, configs, links to what was built, `cp`,
 *  `watch`, following logs and events, removing images. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ComposeProject, noComposeV2 } from '../../helpers/clients/compose.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const composeFile = `
x-health: &health {interval: 60s, timeout: 10s, retries: 3, start_period: 60s, start_interval: 200ms}
services:
  prepare:
    image: busybox
    command: ["sh", "-c", "echo prepared >/data/state"]
    volumes: ["data:/data"]
    networks: [back]
  api:
    image: busybox
    init: true
    depends_on:
      prepare: {condition: service_completed_successfully}
    command: ["sh", "-c", "cat /data/state /etc/app.conf /run/secrets/password >/tmp/index.html; exec httpd -f -p 8000 -h /tmp"]
    volumes: ["data:/data:ro"]
    configs: [{source: app, target: /etc/app.conf}]
    secrets: [password]
    healthcheck: {<<: *health, test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8000/"]}
    ulimits: {nofile: {soft: 100, hard: 200}}
    deploy: {resources: {limits: {cpus: "0.5", memory: 64M, pids: 50}, reservations: {memory: 32M}}}
    networks:
      front: {}
      back: {ipv4_address: 10.222.7.10, aliases: [backend]}
  web:
    build: {context: ./context, target: final, args: {WHO: compose}, labels: {built: here}}
    extends: {file: common.yaml, service: base}
    init: true
    depends_on:
      api: {condition: service_healthy, restart: true}
    links: ["api:theapi"]
    ports: ["127.0.0.1::80", {target: 53, host_ip: 127.0.0.1, protocol: udp}]
    networks:
      front: {priority: 10, mac_address: "02:42:ac:11:65:43"}
    develop:
      watch:
        - {action: sync, path: ./context/html, target: /www}
        - {action: rebuild, path: ./context/Dockerfile}
  ticker:
    image: busybox
    init: true
    command: ["sh", "-c", "i=0; while :; do i=$$((i+1)); echo tick $$i; sleep 0.2; done"]
    networks: [back]
  tool:
    image: busybox
    profiles: [debug]
    init: true
    command: ["sleep", "1000"]
    networks: [back]
volumes:
  data: {labels: {purpose: test}}
networks:
  front: {}
  back:
    ipam: {config: [{subnet: 10.222.7.0/24, ip_range: 10.222.7.128/25, gateway: 10.222.7.1}]}
secrets:
  password: {file: ./password}
configs:
  app: {file: ./app.conf}
`
const dockerfile = `FROM busybox AS base
ARG WHO
ENV WHO=$WHO
FROM base AS final
COPY html /www
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
`

let daemon: TestDaemon
let project: ComposeProject

before(async () => {
  if (noComposeV2 !== false) return
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  project = new ComposeProject(daemon, {
    'compose.yaml': composeFile,
    'common.yaml': 'services:\n  base:\n    environment: {FROM_BASE: "1"}\n    restart: unless-stopped\n',
    'app.conf': 'greeting=hello\n',
    password: 's3cret\n',
    'context/Dockerfile': dockerfile,
    'context/html/index.html': 'first\n',
    'context/html/other': 'other\n',
  })
})
after(async () => {
  await project?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

async function inspect(service: string, format: string): Promise<string> {
  return daemon.ok(['inspect', '-f', format, await project.container(service)])
}

function inside(service: string, script: string): Promise<string> {
  return project.ok('exec', '-T', service, 'sh', '-c', script)
}

describe('docker-compose 2', { skip: noComposeV2 }, () => {
  test('up --build --wait: services are built, checked, completed, limited and linked', async () => {
    await project.ok('up', '-d', '--build', '--wait')
    const states = await daemon.ok(['ps', '-a', '--format', '{{.Label "com.docker.compose.service"}} {{.State}}'])
    assert.deepEqual(states.split('\n').sort(), ['api running', 'prepare exited', 'ticker running', 'web running'])
    assert.equal(
      await inside('web', 'wget -q -O - http://theapi:8000; echo $WHO $FROM_BASE; cat /www/index.html'),
      'prepared\ngreeting=hello\ns3cret\ncompose 1\nfirst',
    )
    assert.match(await inside('web', 'ip link show eth0'), /02:42:ac:11:65:43/)
    assert.match(await inside('ticker', 'nslookup backend'), /^Address: 10\.222\.7\.10$/m)
    assert.equal(await inside('api', 'ulimit -n'), '100')
    const limits =
      '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.PidsLimit}}'
    assert.equal(await inspect('api', limits), '500000000 67108864 33554432 50')
    const labels = '{{index .Config.Labels "built"}} {{index .Config.Labels "com.docker.compose.service"}}'
    assert.equal(await inspect('web', labels), 'here web')
    for (const [port, protocol] of ['80/tcp', '53/udp'].map((one) => one.split('/')) as [string, string][]) {
      const shown = await project.ok('port', '--protocol', protocol, 'web', port)
      assert.match(shown, /^127\.0\.0\.1:\d+$/)
      assert.equal(shown, await daemon.ok(['port', await project.container('web'), `${port}/${protocol}`]))
    }
    assert.equal(await project.ok('ps', '--services', '--status', 'running'), 'api\nticker\nweb')
    // Compose sends its labels in another order each time.
    const built = () => daemon.ok(['images', '-q', '--no-trunc', `${project.name}-web`])
    const id = await built()
    for (let round = 0; round < 5; round += 1) {
      await project.ok('build', 'web')
      assert.equal(await built(), id, 'what did not change is the same image')
    }
  })

  test('run, cp in both directions, images, ls', async () => {
    const script = 'cat /etc/hosts | grep -c "1.2.3.4.*foo"; exit 4'
    const ran = await project.run(
      'run',
      '--rm',
      '-T',
      '--no-deps',
      '-e',
      'A=1',
      'ticker',
      'sh',
      '-c',
      `echo $A; ${script}`,
    )
    assert.deepEqual([ran.code, ran.stdout], [4, '1\n0\n'])
    await project.ok('cp', './app.conf', 'web:/tmp/copied')
    assert.equal(await inside('web', 'cat /tmp/copied'), 'greeting=hello')
    await project.ok('cp', 'web:/www', './copied')
    assert.match(await project.ok('images', 'web'), new RegExp(`${project.name}-web +latest`))
    const listed = JSON.parse(await project.ok('ls', '--format', 'json')) as { Name: string; Status: string }[]
    assert.deepEqual(
      listed.map(({ Name, Status }) => [Name, Status]),
      [[project.name, 'running(3)']],
    )
  })

  test('logs -f and events follow while services are scaled, restarted and paused', async () => {
    const logs = project.spawn('logs', '-f', '--no-color', '--tail', '1', 'ticker')
    const events = project.spawn('events', '--json')
    await until(() => /ticker-1 +\| tick \d+\n/.test(logs.stdout))
    // The next line is an event, so the stream is open.
    await until(async () => {
      await project.ok('pause', 'ticker')
      await project.ok('unpause', 'ticker')
      return events.stdout.includes('"unpause"')
    })
    await project.ok('up', '-d', '--no-deps', '--scale', 'ticker=2', 'ticker')
    await until(() => /ticker-2 +\| tick \d+\n/.test(logs.stdout))
    await project.ok('scale', 'ticker=1')
    await project.ok('restart', '-t', '0', 'ticker')
    await until(
      () =>
        ['"create"', '"start"', '"die"', '"destroy"', '"restart"'].every((action) => events.stdout.includes(action)),
      {
        what: () => `events of all kinds in\n${events.stdout}`,
      },
    )
    for (const command of [logs, events]) {
      command.kill('SIGKILL')
      await command.ended
    }
    // `restart: true` of a dependency also restarts the services that depend on it.
    const before = await inspect('web', '{{.State.StartedAt}}')
    await project.ok('restart', '-t', '0', 'api')
    assert.notEqual(await inspect('web', '{{.State.StartedAt}}'), before)
  })

  test('watch: changed files are copied in, removed ones removed, and a changed Dockerfile is built', async () => {
    const watch = project.spawn('watch', '--no-up')
    await until(() => /Watch enabled/i.test(watch.stdout + watch.stderr))
    project.write('context/html/index.html', 'second\n')
    await until(async () => (await inside('web', 'cat /www/index.html')) === 'second')
    rmSync(join(project.directory, 'context/html/other'))
    await until(async () => (await inside('web', 'ls /www')) === 'index.html', {
      what: () => `the file to go; watch said ${watch.stderr}`,
    })
    project.write('context/Dockerfile', `${dockerfile}LABEL again=yes\n`)
    const isRebuilt = async (): Promise<boolean> =>
      (await daemon.docker(['inspect', '-f', '{{.Config.Labels.again}}', await project.container('web')])).stdout ===
      'yes\n'
    await until(isRebuilt, { what: () => `another container; watch said ${watch.stdout}${watch.stderr}` })
    watch.kill('SIGKILL')
    await watch.ended
  })

  test('profiles, and down, which removes images and volumes too', async () => {
    assert.equal((await project.ok('config', '--services')).includes('tool'), false)
    await project.ok('--profile', 'debug', 'up', '-d', 'tool')
    assert.equal(await inspect('tool', '{{.State.Status}}'), 'running')
    await project.ok('--profile', 'debug', 'down', '-v', '-t', '0', '--rmi', 'local')
    assert.equal(await daemon.ok(['ps', '-aq']), '')
    assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'type=custom']), '')
    assert.equal(await daemon.ok(['volume', 'ls', '-q']), '')
    // After `watch` has built again, the previous image has no name.
    const named = ['images', '-f', 'dangling=false', '--format', '{{.Repository}}']
    assert.equal(await daemon.ok(named), 'busybox')
  })
})

test('a second project uses existing networks and volumes', { skip: noComposeV2 }, async () => {
  await using other = new ComposeProject(daemon, {
    'compose.yaml': `services:
  one:
    image: busybox
    command: ["sleep", "1000"]
    init: true
    networks: {there: {ipv4_address: 10.223.7.9}}
    volumes: ["kept:/kept", "/anonymous"]
    extra_hosts: ["foo:1.2.3.4", "host.docker.internal:host-gateway"]
networks:
  there: {external: true, name: there-net}
volumes:
  kept: {external: true, name: kept-vol}
`,
  })
  await daemon.ok(['network', 'create', '--subnet', '10.223.7.0/24', 'there-net'])
  const missing = await other.run('-p', 'named', 'up', '-d')
  assert.match(missing.stderr, /external volume "kept-vol" not found/)
  await daemon.ok(['volume', 'create', 'kept-vol'])
  await other.ok('-p', 'named', 'up', '-d', '-t', '0')
  assert.equal(await daemon.ok(['exec', 'named-one-1', 'sh', '-c', 'ip -4 addr | grep -c 10.223.7.9/24']), '1')
  assert.match(await daemon.ok(['exec', 'named-one-1', 'cat', '/etc/hosts']), /^1\.2\.3\.4\tfoo$/m)
  await other.ok('-p', 'named', 'down', '-v', '-t', '0')
  assert.equal(await daemon.ok(['volume', 'ls', '-q']), 'kept-vol')
  assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'type=custom', '--format', '{{.Name}}']), 'there-net')
  await daemon.ok(['network', 'rm', 'there-net'])
  await daemon.ok(['volume', 'rm', 'kept-vol'])
})
