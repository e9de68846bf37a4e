/** Devices of a container: nodes, rules, and devices from CDI files. A test's title begins with the field. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild, failedBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
const directory = mkdtempSync('/tmp/b-cdi-')
const [low, high] = [join(directory, 'low'), join(directory, 'high')]

before(async () => {
  mkdirSync(low)
  mkdirSync(high)
  daemon = await TestDaemon.start({ flags: ['--cdi-spec-dir', low, '--cdi-spec-dir', high] })
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Standard output of a shell script in a container without a network. */
function inside(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '--rm', '--network', 'none', ...options, 'busybox', 'sh', '-c', script])
}

/** Standard error of a `run` that must fail. */
async function failure(options: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(['run', '--rm', '--network', 'none', ...options, 'busybox', 'true'])
  assert.notEqual(code, 0)
  return stderr
}

test('HostConfig.DeviceRequests: a CDI device adds nodes, mounts, variables, groups and hooks', async () => {
  writeFileSync(join(directory, 'shown'), 'from the host')
  const seen = join(directory, 'hook-ran')
  writeFileSync(
    join(low, 'acme.yaml'),
    `cdiVersion: 0.6.0
kind: acme.com/thing
containerEdits:
  env: [ALL=things]
devices:
  - name: one
    containerEdits:
      env: [THING=one]
      deviceNodes:
        - path: /dev/thing
          hostPath: /dev/zero
          permissions: rw
      mounts:
        - hostPath: ${directory}/shown
          containerPath: /etc/thing
          options: [ro, nosuid, bind]
      hooks:
        - hookName: createRuntime
          path: /bin/sh
          args: [sh, -c, 'cat >/dev/null; echo yes >${seen}']
      additionalGids: [4242]
  - name: two
    containerEdits:
      env: [OTHER=two]
`,
  )
  const script =
    'echo $ALL $THING $OTHER; head -c 4 /dev/thing | wc -c; cat /etc/thing; echo; id -G | grep -o 4242; touch /etc/thing 2>/dev/null || echo kept'
  const options = ['--device', 'acme.com/thing=one', '--device', 'acme.com/thing=two']
  assert.equal(await inside(options, script), 'things one two\n4\nfrom the host\n4242\nkept')
  assert.equal(readFileSync(seen, 'utf8'), 'yes\n')
})

test('HostConfig.DeviceRequests: later directories override earlier ones; a device that two files define is refused; missing devices are named', async () => {
  const spec = (text: string) =>
    JSON.stringify({
      cdiVersion: '0.5.0',
      kind: 'acme.com/dup',
      devices: [{ name: 'x', containerEdits: { env: [`FROM=${text}`] } }],
    })
  writeFileSync(join(low, 'dup.json'), spec('low'))
  assert.equal(await inside(['--device', 'acme.com/dup=x'], 'echo $FROM'), 'low')
  writeFileSync(join(high, 'dup.json'), spec('high'))
  assert.equal(await inside(['--device', 'acme.com/dup=x'], 'echo $FROM'), 'high')
  writeFileSync(join(high, 'dup2.json'), spec('again'))
  assert.match(
    await failure(['--device', 'acme.com/dup=x']),
    /unresolvable CDI devices acme\.com\/dup=x .*several files/,
  )
  writeFileSync(join(high, 'broken.yml'), 'kind: [')
  assert.match(
    await failure(['--device', 'acme.com/none=y']),
    /CDI device injection failed: unresolvable CDI devices acme\.com\/none=y/,
  )
  rmSync(high, { recursive: true })
  mkdirSync(high)
})

test('HostConfig.DeviceRequests: --gpus uses CDI devices, and is refused without them', async () => {
  assert.match(await failure(['--gpus', 'all']), /could not select device driver "" with capabilities: \[\[gpu\]\]/)
  const device = (name: string) => ({ name, containerEdits: { env: [`GPU_${name}=yes`] } })
  const spec = { cdiVersion: '0.5.0', kind: 'nvidia.com/gpu', devices: ['0', '1', 'all'].map(device) }
  writeFileSync(join(high, 'nvidia.json'), JSON.stringify(spec))
  const seen = (gpus: string) => inside(['--gpus', gpus], 'env | grep ^GPU_ | sort | tr "\\n" " "')
  assert.equal((await seen('all')).trim(), 'GPU_all=yes')
  assert.equal((await seen('2')).trim(), 'GPU_0=yes GPU_1=yes')
  assert.equal((await seen('"device=1"')).trim(), 'GPU_1=yes')
  assert.match(await failure(['--gpus', '3']), /unresolvable CDI devices nvidia\.com\/gpu=2/)
  assert.deepEqual((await daemon.api<{ CDISpecDirs: string[] }>('GET', '/info')).body.CDISpecDirs, [low, high])
})

test('RUN --device: an allowed step gets the devices that it names, and its layer has no trace of them', async () => {
  writeFileSync(join(directory, 'for-steps'), 'of the host')
  const device = (name: string, more: object = {}) => ({
    name,
    containerEdits: {
      env: [`STEP_${name}=yes`],
      deviceNodes: [{ path: `/dev/step-${name}`, hostPath: '/dev/zero' }],
      mounts: [{ hostPath: join(directory, 'for-steps'), containerPath: `/opt/${name}`, options: ['ro', 'bind'] }],
    },
    ...more,
  })
  const free = {
    'org.mobyproject.buildkit.device.autoallow': 'true',
    'org.mobyproject.buildkit.device.class': 'accelerator',
  }
  const devices = [device('a'), device('b', { annotations: free })]
  writeFileSync(join(high, 'steps.json'), JSON.stringify({ cdiVersion: '0.6.0', kind: 'acme.com/step', devices }))
  const show = (name: string) =>
    `FROM busybox\nRUN --device=${name} (env | grep ^STEP_; ls /dev/step-* /opt/*; head -c 3 /dev/step-* | wc -c) >/seen\n`
  using context = new TestContext({ Dockerfile: show('acme.com/step=a') })
  const plain = ['--network', 'none', '-t', 'steps:1', context.path]
  assert.match(await failedBuild(daemon, plain.slice(2)), /device acme\.com\/step=a is not allowed/)
  const seen = async (...flags: readonly string[]) => {
    await berthBuild(daemon, [...flags, ...plain])
    return await daemon.ok(['run', '--rm', '--network', 'none', 'steps:1', 'cat', '/seen'])
  }
  const ofA = 'STEP_a=yes\n/dev/step-a\n/opt/a\n3'
  assert.equal(await seen('--allow', 'device=acme.com/step=a'), ofA)
  assert.equal(
    await daemon.ok(['run', '--rm', '--network', 'none', 'steps:1', 'sh', '-c', 'ls /opt /dev/step-* 2>&1 | wc -l']),
    '2',
  )
  context.put('Dockerfile', show('accelerator'))
  assert.equal(await seen(), ofA.replaceAll('a=', 'b=').replaceAll('-a', '-b').replaceAll('/a', '/b'))
  context.put('Dockerfile', show('acme.com/step'))
  assert.equal(await seen('--allow', 'device'), ofA)
  context.put('Dockerfile', show('acme.com/step=*'))
  assert.match(await seen('--allow', 'device'), /STEP_a=yes\nSTEP_b=yes\n\/dev\/step-a\n\/dev\/step-b\n/)
  context.put('Dockerfile', show('acme.com/step=c,required'))
  assert.match(await failedBuild(daemon, plain.slice(2)), /required device acme\.com\/step=c is not available/)
})

test('HostConfig.Devices: a node with its permissions, and all nodes of a directory', async () => {
  const script = 'ls -l /dev/other | cut -c1; echo x 2>/dev/null >/dev/other || echo denied'
  assert.equal(await inside(['--device', '/dev/kmsg:/dev/other:r'], script), 'c\ndenied')
  assert.match(await failure(['--device', '/dev/no-such']), /error gathering device information/)
})

test('HostConfig.DeviceCgroupRules: allows what the rule says, and nothing more; an invalid one is named', async () => {
  const options = ['--device-cgroup-rule', 'c 1:11 w', '--cap-add', 'MKNOD']
  assert.equal(await inside(options, 'mknod /dev/k c 1 11; head -c 1 /dev/k 2>/dev/null || echo no'), 'no')
  const { body: made } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { DeviceCgroupRules: ['c 1 11'] },
  })
  const { status, body } = await daemon.api<{ message: string }>('POST', `/containers/${made.Id}/start`)
  assert.equal(status, 400)
  assert.match(body.message, /invalid device cgroup rule format: 'c 1 11'/)
  await daemon.ok(['rm', made.Id])
})
