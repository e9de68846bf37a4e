/** A compose project of five services, run by Debian's docker-compose, unchanged. compose-v2.test.ts has the
 *  features of version 2. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ComposeProject } from '../../helpers/clients/compose.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

const composeFile = `
version: "3.8"
x-fast: &fast
  interval: 0.5s
  timeout: 10s
  retries: 30
services:
  db:
    image: busybox
    command: ["sh", "-c", "cat /run/secrets/password >/data/seen; httpd -p 5432 -h /data; touch /data/ready; exec sleep 1000"]
    init: true
    healthcheck:
      <<: *fast
      test: ["CMD-SHELL", "test -e /data/ready"]
    volumes: ["dbdata:/data"]
    secrets: [password]
    networks:
      back:
        aliases: [database]
  cache:
    image: volumed
    command: ["sleep", "1000"]
    init: true
    networks: [back]
  api:
    image: busybox
    init: true
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started}
    environment:
      DB_HOST: database
    command: ["sh", "-c", "mkdir /www; cat /etc/app.conf >/www/index.html; wget -q -O - http://$$DB_HOST:5432/seen >>/www/index.html; exec httpd -f -p 8000 -h /www"]
    volumes: ["./conf/app.conf:/etc/app.conf:ro"]
    healthcheck:
      <<: *fast
      test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8000/"]
    networks: [front, back]
  web:
    image: busybox
    init: true
    depends_on:
      api: {condition: service_healthy}
    command: ["sh", "-c", "mkdir -p /www/cgi-bin; cp /script /www/cgi-bin/api; chmod +x /www/cgi-bin/api; exec httpd -f -p 80 -h /www"]
    volumes: ["./conf/script:/script:ro"]
    ports: ["127.0.0.1::80"]
    networks: [front]
  worker:
    image: busybox
    init: true
    depends_on: [cache]
    command: ["sh", "-c", "hostname >/shared/$$(hostname); i=0; while :; do i=$$((i+1)); echo job $$i; sleep 0.2; done"]
    volumes: ["shared:/shared"]
    networks: [back]
volumes:
  dbdata:
  shared:
    labels: {purpose: test}
networks:
  front:
  back:
    driver: bridge
    labels: {tier: back}
secrets:
  password:
    file: ./conf/password
`

let daemon: TestDaemon
let project: ComposeProject

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  const path = `${daemon.root}/volumed.tar`
  await writeBusyboxArchive({ path, reference: 'volumed:latest', config: { Volumes: { '/var/cache': {} } } })
  await daemon.ok(['load', '-q', '-i', path])
  project = new ComposeProject(daemon, {
    'docker-compose.yml': composeFile,
    'conf/app.conf': 'greeting=hello\n',
    'conf/password': 's3cret\n',
    'conf/script': '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nexec wget -q -O - http://api:8000/\n',
  })
})
after(async () => {
  await project?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

async function inside(service: string, script: string): Promise<string> {
  return daemon.ok(['exec', await project.container(service), 'sh', '-c', script])
}

async function inspect(service: string, format: string): Promise<string> {
  return daemon.ok(['inspect', '-f', format, await project.container(service)])
}

/** Waits until the published port of the web service answers with the texts of all services behind it. */
async function pageIsThere(): Promise<void> {
  const address = await daemon.ok(['port', await project.container('web'), '80'])
  let text: unknown
  await until(
    async () => {
      text = await fetch(`http://${address}/cgi-bin/api`).then((answer) => answer.text(), String)
      return text === 'greeting=hello\ns3cret\n'
    },
    { what: () => `the page, not ${JSON.stringify(text)}` },
  )
}

async function workerIds(): Promise<string[]> {
  const label = 'label=com.docker.compose.service=worker'
  return (await daemon.ok(['ps', '-q', '--filter', label])).split('\n')
}

describe('docker-compose', () => {
  test('up: services start in the order of their health, with networks, volumes, secrets and ports', async () => {
    await project.ok('up', '-d')
    await pageIsThere()
    assert.equal(await project.ok('port', 'web', '80'), await daemon.ok(['port', await project.container('web'), '80']))
    const states = await daemon.ok(['ps', '--format', '{{.Label "com.docker.compose.service"}} {{.State}}'])
    assert.deepEqual(
      states.split('\n').sort(),
      ['api', 'cache', 'db', 'web', 'worker'].map((service) => `${service} running`),
    )
    assert.equal(await inspect('db', '{{.State.Health.Status}}'), 'healthy')
    const ofProject = ['-f', 'label=com.docker.compose.project', '--format', '{{.Name}}']
    const networks = await daemon.ok(['network', 'ls', ...ofProject])
    assert.deepEqual(networks.split('\n').sort(), [`${project.name}_back`, `${project.name}_front`])
    const volumes = await daemon.ok(['volume', 'ls', ...ofProject])
    assert.deepEqual(volumes.split('\n').sort(), [`${project.name}_dbdata`, `${project.name}_shared`])
    // One network cannot see the other.
    assert.equal(
      await inside('web', 'wget -q -T 2 -O - http://database:5432/seen 2>/dev/null || echo nobody'),
      'nobody',
    )
  })

  test('up again changes nothing; a changed service is recreated and keeps its volumes', async () => {
    const before = await daemon.ok(['ps', '-q'])
    await project.ok('up', '-d')
    assert.equal(await daemon.ok(['ps', '-q']), before)
    await inside('cache', 'echo kept >/var/cache/f')
    const old = await inspect('cache', '{{.Id}}')
    const changed = 'version: "3.8"\nservices:\n  cache:\n    environment: {NEW: "1"}\n'
    project.write('docker-compose.override.yml', changed)
    await project.ok('up', '-d', '--no-deps', 'cache')
    assert.notEqual(await inspect('cache', '{{.Id}}'), old)
    assert.equal(await inside('cache', 'cat /var/cache/f; echo $NEW'), 'kept\n1')
  })

  test('services scale up and down', async () => {
    await project.ok('up', '-d', '--no-deps', '--scale', 'worker=3', 'worker')
    assert.equal((await workerIds()).length, 3)
    const names = (await workerIds()).map((id) => id.slice(0, 12))
    // Version 2 recreates the first one, because the service that it depends on was recreated.
    await until(async () => {
      const written = (await inside('worker', 'ls /shared')).split('\n')
      return names.every((name) => written.includes(name))
    })
    // One name resolves to all of them.
    const lookUp = await inside('cache', 'nslookup worker')
    assert.equal(new Set(lookUp.match(/^Address: [\d.]+$/gm)).size, 3, lookUp)
    await project.ok('up', '-d', '--no-deps', '-t', '1', '--scale', 'worker=1', 'worker')
    assert.equal((await workerIds()).length, 1)
  })

  test('services survive restart, pause, kill and start, and a crash of the daemon', async () => {
    const first = await inspect('api', '{{.State.StartedAt}}')
    await project.ok('restart', '-t', '1', 'api')
    assert.notEqual(await inspect('api', '{{.State.StartedAt}}'), first)
    await pageIsThere()
    await project.ok('pause', 'worker')
    assert.match(await project.ok('ps', 'worker'), /Paused/)
    await project.ok('unpause', 'worker')
    await project.ok('kill', 'cache')
    await project.ok('start', 'cache')
    assert.equal(await inspect('cache', '{{.State.Status}}'), 'running')
    await daemon.kill9()
    await daemon.start()
    await pageIsThere()
  })

  test('logs --tail and top show every service', async () => {
    const logs = await project.ok('logs', '--no-color', '--tail', '2', 'worker')
    assert.equal(logs.match(/^worker[_-]1 +\| job \d+$/gm)?.length, 2, logs)
    assert.match(await project.ok('top', 'web'), /httpd -f -p 80/)
  })

  test('down removes everything except volumes; down -v removes them too', async () => {
    await project.ok('down', '-t', '1')
    assert.equal(await daemon.ok(['ps', '-aq']), '')
    assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'type=custom']), '')
    const ofProject = ['volume', 'ls', '-q', '-f', 'label=com.docker.compose.project']
    assert.equal((await daemon.ok(ofProject)).split('\n').length, 2)
    await project.ok('down', '-v')
    assert.equal(await daemon.ok(ofProject), '')
    // The removal of the first of the two left its anonymous volume.
    assert.match(await daemon.ok(['volume', 'prune', '-f']), /^Deleted Volumes:\n[0-9a-f]{64}\n\n/)
  })
})

const optionsFile = `
version: "2.4"
services:
  built:
    build: {context: ./context, args: {WHO: compose}}
    image: built:1
    init: true
    env_file: [app.env]
    networks:
      fixed: {ipv4_address: 10.221.7.10, aliases: [known-as]}
      outside: {}
    extra_hosts: ["foo:1.2.3.4"]
    tmpfs: ["/scratch:size=1m"]
    ulimits: {nofile: {soft: 100, hard: 200}}
    mem_limit: 64m
    sysctls: {net.ipv4.ip_forward: 0}
    logging: {driver: json-file, options: {max-size: 1m}}
    volumes:
      - "there:/there"
      - {type: bind, source: ./context, target: /context, read_only: true}
      - {type: tmpfs, target: /memory, tmpfs: {size: 1000000}}
  beside:
    image: busybox
    command: sleep 1000
    network_mode: "service:built"
    volumes_from: ["built:ro"]
  linked:
    image: busybox
    command: sleep 1000
    links: ["built:bb"]
    networks: [fixed]
    mac_address: "02:42:ac:11:65:43"
    restart: unless-stopped
networks:
  fixed:
    driver: bridge
    internal: true
    ipam: {config: [{subnet: 10.221.7.0/24, gateway: 10.221.7.1}]}
  outside: {external: true, name: outside}
volumes:
  there: {external: true, name: there}
`

test("docker-compose: builds, fixed addresses, links, another service's network and volumes, existing resources", async () => {
  await using project = new ComposeProject(daemon, {
    'docker-compose.yml': optionsFile,
    'app.env': 'TOKEN=abc\n',
    'context/Dockerfile': 'FROM busybox\nARG WHO\nENV WHO=$WHO\nVOLUME /cache\nCMD ["sleep", "1000"]\n',
  })
  await daemon.ok(['network', 'create', 'outside'])
  await daemon.ok(['volume', 'create', 'there'])
  await project.ok('up', '-d', '-t', '1')
  const inside = async (service: string, script: string): Promise<string> =>
    daemon.ok(['exec', await project.container(service), 'sh', '-c', script])
  assert.equal(await inside('built', 'echo $WHO $TOKEN; ulimit -n; ls /context'), 'compose abc\n100\nDockerfile')
  assert.equal(
    await inside('built', "ip -4 addr | grep -c 'inet 10.221.7.10/24'; grep foo /etc/hosts"),
    '1\n1.2.3.4\tfoo',
  )
  const shared = "ip -4 addr | grep -c 'inet 10.221.7.10/24'; touch /there/f 2>/dev/null || echo read-only"
  // Version 2 drops the `:ro` before it sends the request.
  assert.equal(await inside('beside', shared), (await project.isVersion1()) ? '1\nread-only' : '1')
  for (const name of ['bb', 'built', 'known-as']) {
    assert.match(await inside('linked', `nslookup ${name}`), /^Address: 10\.221\.7\.10$/m, name)
  }
  // Nor does it send the address of a service for all of its networks.
  if (await project.isVersion1()) assert.match(await inside('linked', 'ip link'), /02:42:ac:11:65:43/)
  assert.equal(
    await project.ok('run', '--rm', '-T', 'linked', 'sh', '-c', 'nslookup bb >/dev/null && echo one-off'),
    'one-off',
  )
  await project.ok('down', '-v', '-t', '0')
  assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'type=custom', '--format', '{{.Name}}']), 'outside')
  assert.equal(await daemon.ok(['volume', 'ls', '-q']), 'there')
  await daemon.ok(['network', 'rm', 'outside'])
  await daemon.ok(['volume', 'rm', 'there'])
})
