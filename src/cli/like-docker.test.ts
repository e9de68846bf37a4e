/** The official CLI and `berth` must print the same for the same answers of a daemon. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeEngine, sendJson, startFakeEngine } from './testing/fake-engine.ts'
import { containerInspect, containerList, imageList } from './testing/fixtures.ts'
import { history, info, networkList, top, version, volumeList } from './testing/fixtures-system.ts'
import { dockerPath, runBerth, runDocker } from './testing/run-cli.ts'

let engine: FakeEngine
const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

const searchResults = [
  { name: 'b', description: `a\nlong ${'x'.repeat(60)}`, star_count: 3, is_official: true, is_automated: false },
  { name: 'a/b', description: '', star_count: 30, is_official: false, is_automated: true },
]

const pushStream = [
  { status: 'The push refers to repository [r:5000/x/y]' },
  { status: 'Layer already exists', progressDetail: {}, id: '0123456789ab' },
  { status: 't: digest: sha256:1 size: 1' },
  { progressDetail: {}, aux: { Tag: 't', Digest: 'sha256:1', Size: 1 } },
]
  .map((message) => `${JSON.stringify(message)}\r\n`)
  .join('')

const failingStream =
  '{"status":"The push refers to repository [r:5000/x/failing]"}\r\n{"errorDetail":{"message":"denied: no"},"error":"denied: no"}\r\n'

before(async () => {
  engine = await startFakeEngine({
    'GET /containers/json': containerList,
    'GET /images/json': imageList,
    'GET /containers/web/json': containerInspect,
    'GET /images/nginx/history': history,
    'GET /volumes': volumeList,
    'GET /networks': networkList,
    'GET /version': version,
    'GET /info': info,
    [`GET /containers/${containerInspect.Id}/top`]: top,
    'GET /containers/web/top': top,
    'GET /volumes/data': volumeList.Volumes[0] ?? {},
    'GET /networks/bridge': networkList[0] ?? {},
    'POST /containers/web/stop': (_, response) => response.writeHead(204).end(),
    'POST /containers/web/kill': (_, response) => response.writeHead(204).end(),
    'POST /containers/web/restart': (_, response) => response.writeHead(204).end(),
    'POST /containers/web/start': (_, response) => response.writeHead(204).end(),
    'POST /containers/web/rename': (_, response) => response.writeHead(204).end(),
    'DELETE /containers/web': (_, response) => response.writeHead(204).end(),
    'DELETE /containers/gone': (_, response) => sendJson(response, 404, { message: 'No such container: gone' }),
    'POST /containers/web/wait': { StatusCode: 7 },
    'POST /images/nginx/tag': (_, response) => response.writeHead(201).end(),
    'DELETE /images/nginx': [{ Untagged: 'nginx:latest' }, { Deleted: 'sha256:1234' }],
    'POST /auth': (request, response) => {
      const isBad = (JSON.parse(request.body) as { password?: string }).password === 'bad'
      if (isBad) sendJson(response, 401, { message: 'Get "https://r/v2/": unauthorized: no' })
      else sendJson(response, 200, { Status: 'Login Succeeded', IdentityToken: '' })
    },
    'GET /images/search': searchResults,
    'POST /images/r:5000/x/y/push': (_, response) => response.end(pushStream),
    'POST /images/r:5000/x/failing/push': (_, response) => response.end(failingStream),
    'POST /volumes/create': {
      Name: 'made',
      Driver: 'local',
      Mountpoint: '/x',
      Labels: {},
      Scope: 'local',
      Options: {},
    },
    'DELETE /volumes/data': (_, response) => response.writeHead(204).end(),
    'POST /volumes/prune': { VolumesDeleted: ['a', 'b'], SpaceReclaimed: 12345678 },
  })
})

after(() => engine.close())

/** The command lines to compare. */
const same: readonly (readonly string[])[] = [
  ['ps'],
  ['ps', '-a'],
  ['ps', '-as', '--no-trunc'],
  ['ps', '-aq'],
  ['ps', '-q', '--no-trunc'],
  ['ps', '--format', 'json'],
  ['ps', '--format', '{{json .}}'],
  ['ps', '--format', 'table'],
  ['ps', '--format', 'raw'],
  ['ps', '--format', 'a\\tb{{.Names}}\\n'],
  [
    'ps',
    '--format',
    'table {{.ID}}\\t{{.Label "a"}}\\t{{.Labels}}\\t{{.Mounts}}\\t{{.LocalVolumes}}\\t{{.RunningFor}}\\t{{.Size}}',
  ],
  ['ps', '--format', 'table {{.Names | upper}}\\t{{json .ID}}\\t{{truncate .Image 3}}'],
  ['ps', '--format', '{{printf "%-20s|" .Names}}{{if eq .State "running"}}up{{else}}down{{end}} {{.Platform}}'],
  ['ps', '--format', '{{.CreatedAt}} {{.Ports}} {{.Status}}'],
  ['ps', '--format', '{{.Foo}}'],
  ['ps', '--format', '{{.ID'],
  ['ps', '--format', '{{foo .ID}}'],
  ['ps', '--format', '{{if .ID}}'],
  ['container', 'ls', '-a', '-n', '1'],
  ['images'],
  ['images', 'nginx'],
  ['images', '-a', '--no-trunc'],
  ['images', '--digests'],
  ['images', '--format', 'json'],
  ['images', '--format', 'raw'],
  ['images', '--digests', '--format', '{{.Digest}} {{.ID}}'],
  ['images', '-q'],
  [
    'images',
    '--format',
    '{{.Repository}} {{.CreatedAt}} {{.CreatedSince}} {{.Containers}} {{.VirtualSize}} {{.UniqueSize}}',
  ],
  ['images', '--format', '{{.Foo}}'],
  ['history', 'nginx'],
  ['history', '--no-trunc', 'nginx'],
  ['history', '-q', 'nginx'],
  ['history', '-H=false', 'nginx'],
  ['history', '--format', 'json', 'nginx'],
  ['volume', 'ls'],
  ['volume', 'ls', '-q'],
  ['volume', 'ls', '--format', '{{.Label "a"}} {{.Mountpoint}} {{.Status}}'],
  ['volume', 'ls', '--format', 'raw'],
  ['volume', 'inspect', 'data'],
  ['volume', 'inspect', '-f', '{{.Name}} {{.Mountpoint}} {{.Labels}}', 'data'],
  ['volume', 'inspect', '-f', 'json', 'data', 'data'],
  ['volume', 'create', 'made'],
  ['volume', 'rm', 'data', 'nope'],
  ['volume', 'prune', '-f'],
  ['volume', 'prune'],
  ['network', 'ls'],
  ['network', 'ls', '--no-trunc'],
  ['network', 'ls', '-q'],
  ['network', 'ls', '--format', 'json'],
  ['network', 'ls', '--format', '{{.ID}}: {{.Labels}} {{.CreatedAt}} {{.Label "x"}}'],
  ['network', 'inspect', 'bridge'],
  ['network', 'inspect', '-f', '{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}', 'bridge', 'nope'],
  ['top', 'web'],
  ['top', 'web', '-o', 'pid'],
  ['port', 'web'],
  ['port', 'web', '80'],
  ['port', 'web', '53/udp'],
  ['port', 'web', '443'],
  ['inspect', 'web'],
  ['inspect', 'web', 'nope'],
  ['inspect', 'nope', '-f', '{{.Id}}'],
  ['inspect', '-f', '{{.Foo}}', 'web'],
  ['inspect', '-f', '{{.HostConfig.Foo.Bar}}', 'web'],
  ['inspect', '-f', '{{.HostConfig.Memory.Bar}}', 'web'],
  [
    'inspect',
    '-f',
    '{{.Config.Labels}} {{.HostConfig.Binds}} {{.State.Health}} {{.HostConfig.PidsLimit}} {{.ID}}',
    'web',
  ],
  [
    'inspect',
    '-f',
    '{{.NetworkSettings.Ports}} {{.Config.Env}} {{.Config.Cmd}} {{.Config.Volumes}} {{.HostConfig.RestartPolicy}}',
    'web',
  ],
  [
    'inspect',
    '-f',
    '{{json .State}} {{json .Config.Env}} {{json .HostConfig.Binds}} {{json .NetworkSettings.Ports}}',
    'web',
  ],
  ['inspect', '-f', '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}', 'web'],
  ['inspect', '-f', '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', 'web'],
  [
    'inspect',
    '-f',
    '{{range $p, $c := .NetworkSettings.Ports}}{{$p}} -> {{if $c}}{{(index $c 0).HostPort}}{{end}}; {{end}}',
    'web',
  ],
  [
    'inspect',
    '-f',
    '{{if .State.Running}}run{{else}}no{{end}} {{len .Args}} {{printf "%q %5d %-5s|" .Name 3 "x"}}',
    'web',
  ],
  [
    'inspect',
    '-f',
    '{{with .Config}}{{.Image}} {{join .Cmd ","}} {{.Hostname | upper}}{{end}} {{not .State.Paused}}',
    'web',
  ],
  [
    'inspect',
    '-f',
    '{{range $i, $a := .Args}}{{if $i}}, {{end}}{{$a}}{{end}} {{slice .ID 0 12}} {{.Config.Healthcheck}}',
    'web',
  ],
  ['inspect', '-f', '{{- range .Mounts -}} {{.Source}}:{{.Destination}} {{- end -}}', 'web'],
  ['inspect', '-f', '{{.State.Health.Status}}', 'web'],
  ['inspect', '--type', 'container', 'web', '-f', '{{.Name}}'],
  ['stop', 'web'],
  ['stop', 'web', 'gone'],
  ['restart', '-t', '3', 'web'],
  ['kill', '-s', 'HUP', 'web'],
  ['start', 'web'],
  ['start', 'web', 'gone'],
  ['rename', 'web', 'other'],
  ['rm', 'web'],
  ['rm', 'web', 'gone', 'gone'],
  ['wait', 'web', 'web'],
  ['tag', 'nginx', 'x:y'],
  ['rmi', 'nginx', 'nope'],
  ['push', 'r:5000/x/y:t'],
  ['push', 'r:5000/x/y'],
  ['push', '-a', 'r:5000/x/y'],
  ['push', '-q', 'r:5000/x/y'],
  ['image', 'push', '-q', '-a', 'r:5000/x/y'],
  ['push', '-a', 'r:5000/x/y:t'],
  ['push', `r:5000/x/y@sha256:${'a'.repeat(64)}`],
  ['push', 'r:5000/x/failing'],
  ['push', 'x/Y'],
  ['push'],
  ['pull', '-a', 'x:y'],
  ['search', 'x'],
  ['search', '--no-trunc', '--limit', '3', '-f', 'stars=3', 'x'],
  ['search', '--format', 'json', 'x'],
  ['search', '--format', '{{.Name}} {{.IsOfficial}} {{.StarCount}}', 'x'],
  ['search', '--format', 'table {{.Name}}\\t{{.IsOfficial}}', 'x'],
  ['search', '--format', '{{.Foo}}', 'x'],
  ['search', '--limit', 'a', 'x'],
  ['search', '-f', 'x', 'y'],
  ['search'],
  ['login', '-u', 'me', '-p', 'bad', 'r:5000'],
  ['login', '-u', 'me', '--password-stdin', '-p', 'x', 'r:5000'],
  ['login', '-u', '', '-p', 'x', 'r:5000'],
  ['login', '-u', 'me', '-p', '', 'r:5000'],
  ['login', '--password-stdin', 'r:5000'],
  ['login', '-u', 'me', '--password-stdin', 'r:5000'],
  ['login', 'r:5000'],
  ['login', '-u', 'me'],
  ['logout', 'r:5000'],
  ['logout', 'https://r:5000/v2/'],
  ['logout'],
  // Errors in the command line.
  ['foo'],
  ['run'],
  ['run', '--foo', 'x'],
  ['run', '-x'],
  ['run', '-ix'],
  ['run', '-m'],
  ['run', '--memory'],
  ['run', '-m', 'foo', 'x'],
  ['run', '--blkio-weight=abc', 'x'],
  ['run', '-d=foo', 'x'],
  ['run', '--pull=foo', 'x'],
  ['run', '-p', 'foo', 'x'],
  ['run', '-d', '-a', 'stdout', 'x'],
  ['run', '-it', 'x'],
  ['run', '--help=foo'],
  ['ps', '--foo'],
  ['ps', 'extra'],
  ['ps', '-n', 'abc'],
  ['ps', '-f', 'foo'],
  ['rm'],
  ['rename', 'a'],
  ['port'],
  ['top'],
  ['exec', 'x'],
  ['stop', '-t', 'abc', 'x'],
  ['start', '-a', 'a', 'b'],
  ['--foo'],
  ['-l', 'foo', 'ps'],
  ['-z'],
  ['volume', 'foo'],
  ['logs', '--since', 'foo', 'web'],
  ['create', '-p', '80-81:90-92', 'x'],
  ['create', '-p', '99999:80', 'x'],
  ['create', '-p', '80:80/foo', 'x'],
  ['create', '-p', '1.2.3:80:80', 'x'],
  ['create', '--mount', 'foo', 'x'],
  ['create', '--mount', 'type=bind,src=/a', 'x'],
  ['create', '--restart', 'on-failure:x', 'x'],
  ['create', '--env-file', '/nope', 'x'],
  ['create', '--memory-swappiness', '200', 'x'],
  ['create', '--cpus', 'x', 'y'],
  ['create', '--sysctl', 'foo', 'x'],
  ['create', '--ulimit', 'foo=1', 'x'],
  ['create', '--ulimit', 'nofile=3:2', 'x'],
  ['create', '--expose', 'foo', 'x'],
  ['create', '--add-host', 'foo', 'x'],
  ['create', '--add-host', 'a:b', 'x'],
  ['create', '--health-cmd', 'x', '--no-healthcheck', 'y'],
  ['create', '--security-opt', 'foo', 'x'],
  ['create', '--security-opt', 'seccomp=/nope', 'x'],
  ['create', '--storage-opt', 'foo', 'x'],
  ['create', '--mac-address', 'zz', 'x'],
  ['create', '--rm', '--restart', 'always', 'x'],
  ['create', '-l', '', 'x'],
  ['create', '-e', '=', 'x'],
  ['create', '--gpus', 'foo', 'x'],
  ['create', '--pid', 'foo', 'x'],
  ['create', '--uts', 'foo', 'x'],
  ['create', '--blkio-weight-device', 'foo', 'x'],
  ['create', '--link', 'a:b:c', 'x'],
  ['create', '--dns', 'foo', 'x'],
]

for (const args of same) {
  test(`berth ${args.join(' ')}`, { skip }, async () => {
    const host = ['-H', `unix://${engine.socketPath}`]
    const [expected, actual] = await Promise.all([runDocker([...host, ...args]), runBerth([...host, ...args])])
    assert.equal(withSortedNetworks(actual.stdout), withSortedNetworks(expected.stdout))
    assert.equal(actual.stderr, inOurWords(expected.stderr))
    assert.equal(actual.exitCode, expected.exitCode)
  })
}

function inOurWords(text: string): string {
  return text.replaceAll('docker:', 'berth:').replace(/(['\s])docker(?= )/g, '$1berth')
}

/** Sorts a container's networks, because docker prints them in the random order of a Go map. */
function withSortedNetworks(text: string): string {
  return text.replace(/("Networks":")([^"]*)/g, (_, key: string, names: string) => key + names.split(',').sort().join())
}
