/** Log drivers with real servers: what the servers receive, and that `docker logs` works as well. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { TestAuthority } from '../../helpers/certificates.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort } from '../../helpers/ports.ts'
import { FluentdServer, GelfServer, JournalServer, SyslogServer } from '../../helpers/services/log-servers.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let syslog: SyslogServer
let journal: JournalServer

before(async () => {
  journal = await JournalServer.start()
  syslog = await SyslogServer.start()
  daemon = await TestDaemon.start({ flags: ['--journald-socket', journal.socket] })
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await syslog?.[Symbol.asyncDispose]()
  await journal?.[Symbol.asyncDispose]()
})

/** Runs a script to its end with log options (`driver`, then `name=value`); returns the id. */
async function logged(driver: string, options: readonly string[], script: string, ...more: string[]): Promise<string> {
  const flags = options.flatMap((option) => ['--log-opt', option])
  const run = ['run', '-d', '--network', 'none', '--log-driver', driver, ...flags, ...more]
  const id = await daemon.ok([...run, 'busybox', 'sh', '-c', script])
  await daemon.ok(['wait', id])
  return id
}

function seen(read: () => string, text: string): Promise<string> {
  return until(
    () =>
      read()
        .split('\n')
        .find((line) => line.includes(text)),
    { what: () => `${text} in:\n${read()}` },
  )
}

test('syslog over UDP, TCP and a unix socket, in each format', async () => {
  const udp = `syslog-address=udp://127.0.0.1:${syslog.udpPort}`
  const tcp = `syslog-address=tcp://127.0.0.1:${syslog.tcpPort}`
  const unix = `syslog-address=unixgram://${syslog.socket}`
  const pid = `\\[${daemon.pid}\\]`
  const host = hostname()
  const stamp = '[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d'

  const plain = await logged('syslog', [udp], 'echo plain-1; echo plain-2 >&2')
  const tag = plain.slice(0, 12)
  assert.match(await seen(() => syslog.raw, 'plain-1'), new RegExp(` <30>${stamp} ${tag}${pid}: plain-1`))
  assert.match(await seen(() => syslog.raw, 'plain-2'), new RegExp(` <27>${stamp} ${tag}${pid}: plain-2`))
  assert.equal(await daemon.ok(['logs', plain]), 'plain-1')

  await logged(
    'syslog',
    [tcp, 'syslog-format=rfc3164', 'syslog-facility=local3', 'tag={{.Name}}'],
    'echo three',
    '--name',
    'sl3',
  )
  assert.match(await seen(() => syslog.raw, 'three'), new RegExp(` <158>${stamp} ${host} sl3${pid}: three`))
  assert.match(await seen(() => syslog.parts, 'three'), /^local3\.info .*\[sl3\].* three$/)

  await logged('syslog', [tcp, 'syslog-format=rfc5424', 'tag=app-{{.ImageName}}'], 'echo five')
  const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d'
  const zone = '(?:Z|[+-]\\d\\d:\\d\\d)'
  assert.match(
    await seen(() => syslog.raw, 'five'),
    new RegExp(` <30>1 ${time}${zone} ${host} app-busybox ${daemon.pid} app-busybox - five`),
  )
  await logged(
    'syslog',
    [unix, 'syslog-format=rfc5424micro', 'labels=color', 'tag={{index .ExtraAttributes "color"}}'],
    'echo micro',
    '--label',
    'color=red',
  )
  assert.match(await seen(() => syslog.raw, 'micro'), new RegExp(` <30>1 ${time}\\.\\d{6}${zone} ${host} red `))
})

test('syslog over TLS, framed by length', async () => {
  const authority = await TestAuthority.create()
  const { certificate, key } = await authority.issue('localhost')
  const ca = join(daemon.root, 'ca.pem')
  writeFileSync(ca, authority.certificate)
  const port = await freePort()
  let received = ''
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text
    })
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  try {
    const address = `syslog-address=tcp+tls://127.0.0.1:${port}`
    await logged(
      'syslog',
      [address, `syslog-tls-ca-cert=${ca}`, 'syslog-format=rfc5424'],
      'echo secret-1; echo secret-2',
    )
    await until(() => received.includes('secret-2'))
    const [, length = '', rest = ''] = /^(\d+) (.*)$/s.exec(received) ?? []
    assert.match(rest.slice(0, Number(length)), /^<30>1 .* - secret-1\n$/)
    const { stderr } = await daemon.docker(['run', '--log-driver', 'syslog', '--log-opt', address, 'busybox', 'true'])
    assert.match(
      stderr,
      /failed to initialize logging driver: tls: failed to verify certificate: x509: certificate signed/,
    )
  } finally {
    server.close()
  }
})

test("journald has Docker's fields", async () => {
  const script = 'echo out; echo err >&2; printf "two\\tparts\\n"; head -c 20000 /dev/zero | tr "\\0" x; echo'
  const options = ['labels=color', 'env=SIZE', 'tag=t-{{.Name}}']
  const id = await logged('journald', options, script, '--name', 'jd1', '--label', 'color=red', '-e', 'SIZE=xl')
  const entries = await until(async () => {
    const found = await journal.entries(id)
    return found.length >= 5 && found
  })
  const [out = {}, ...others] = entries
  assert.equal(out.MESSAGE, 'out')
  assert.deepEqual(
    [out.PRIORITY, out.CONTAINER_ID, out.CONTAINER_NAME, out.CONTAINER_TAG, out.SYSLOG_IDENTIFIER, out.IMAGE_NAME],
    ['6', id.slice(0, 12), 'jd1', 't-jd1', 't-jd1', 'busybox'],
  )
  assert.deepEqual([out.COLOR, out.SIZE], ['red', 'xl'])
  assert.ok(others.some(({ MESSAGE, PRIORITY }) => MESSAGE === 'err' && PRIORITY === '3'))
  const parts = others.filter((entry) => entry.CONTAINER_PARTIAL_ID !== undefined)
  assert.deepEqual(
    parts.map((part) => [part.CONTAINER_PARTIAL_ORDINAL, part.CONTAINER_PARTIAL_LAST, part.CONTAINER_PARTIAL_MESSAGE]),
    [
      ['1', 'false', 'true'],
      ['2', 'true', undefined],
    ],
  )
  assert.equal(parts.map(({ MESSAGE }) => String(MESSAGE)).join(''), 'x'.repeat(20_000))
  assert.equal((await daemon.docker(['logs', id])).stdout, `out\ntwo\tparts\n${'x'.repeat(20_000)}\n`)
})

test('fluentd gets events, with acknowledgments and with nanoseconds', async () => {
  await using server = await FluentdServer.start()
  const address = `fluentd-address=127.0.0.1:${server.port}`
  const options = [address, 'fluentd-request-ack=true', 'fluentd-sub-second-precision=true', 'tag=docker.{{.Name}}']
  const id = await logged(
    'fluentd',
    [...options, 'env-regex=^SI'],
    'echo one; echo two >&2',
    '--name',
    'fl1',
    '-e',
    'SIZE=xl',
  )
  await until(() => server.lines(id).length === 2)
  const event = server.events.find(({ record }) => record.log === 'one')
  assert.equal(event?.tag, 'docker.fl1')
  assert.deepEqual(event?.record, {
    container_id: id,
    container_name: '/fl1',
    source: 'stdout',
    log: 'one',
    SIZE: 'xl',
  })
  assert.equal(server.events.find(({ record }) => record.log === 'two')?.record.source, 'stderr')
  assert.equal(await daemon.ok(['logs', id]), 'one')
})

test('gelf over UDP in chunks, compressed or not, and over TCP', async () => {
  await using udp = await GelfServer.udp()
  await using tcp = await GelfServer.tcp()
  const long = 'head -c 9000 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo'
  for (const compression of ['gzip', 'zlib', 'none']) {
    const options = [`gelf-address=udp://127.0.0.1:${udp.port}`, `gelf-compression-type=${compression}`, 'labels=color']
    const id = await logged('gelf', options, `echo small; ${long}`, '--label', 'color=red')
    const messages = await until(() => udp.of(id).length === 3 && udp.of(id), { what: compression })
    // The server unpacks messages in parallel, so their order is not fixed.
    const small = messages.find(({ short_message }) => short_message === 'small')
    const parts = messages.filter((message) => message !== small)
    assert.deepEqual(
      [small?.version, small?.short_message, small?.level, small?.host, small?._color, small?._image_name],
      ['1.1', 'small', 6, hostname(), 'red', 'busybox'],
    )
    const texts = parts.map(({ short_message }) => String(short_message)).toSorted((a, b) => b.length - a.length)
    assert.equal(texts.join('') === (await daemon.ok(['logs', id])).slice(6), true)
  }
  const id = await logged('gelf', [`gelf-address=tcp://127.0.0.1:${tcp.port}`, 'tag={{.ID}}'], 'echo a; echo b >&2')
  await until(() => tcp.of(id).length === 2)
  const found = tcp.of(id).find(({ short_message }) => short_message === 'b')
  assert.deepEqual([found?.level, found?._tag, found?._command], [3, id.slice(0, 12), 'sh -c echo a; echo b >&2'])
})

test('cache-disabled: docker logs refuses to show the log', async () => {
  const options = [`syslog-address=udp://127.0.0.1:${syslog.udpPort}`, 'cache-disabled=true']
  const id = await logged('syslog', options, 'echo unread')
  const { code, stderr } = await daemon.docker(['logs', id])
  assert.equal(code, 1)
  assert.match(stderr, /configured logging driver does not support reading/)
  assert.match(await seen(() => syslog.raw, 'unread'), /unread/)
})

test("wrong options are refused in Docker's words, at create or at the start", async () => {
  const atCreate: readonly [driver: string, option: string, message: string][] = [
    ['json-file', 'foo=1', "unknown log opt 'foo' for json-file log driver"],
    ['json-file', 'mode=foo', 'logger: logging mode not supported: foo'],
    ['json-file', 'max-buffer-size=1m', "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
    ['local', 'labels=a', "unknown log opt 'labels' for log driver local"],
    ['syslog', 'syslog-address=foo://x', 'syslog-address should be in form proto://address, got foo://x'],
    ['syslog', 'syslog-address=unix:///no/such', 'stat /no/such: no such file or directory'],
    ['syslog', 'syslog-facility=foo', 'invalid syslog facility'],
    ['syslog', 'syslog-format=foo', 'Invalid syslog format'],
    ['syslog', 'cache-disabled=foo', 'invalid value for option cache-disabled: foo'],
    ['fluentd', 'fluentd-async=foo', 'strconv.ParseBool: parsing "foo": invalid syntax'],
    ['fluentd', 'fluentd-buffer-limit=foo', "invalid size: 'foo'"],
    ['fluentd', 'fluentd-retry-wait=foo', 'time: invalid duration "foo"'],
    ['gelf', 'foo=1', 'gelf-address is a required parameter'],
    ['gelf', 'gelf-address=udp://127.0.0.1', 'gelf: please provide gelf-address as proto://host:port'],
    ['foo', 'a=b', 'error looking up logging plugin foo: plugin "foo" not found'],
  ]
  for (const [driver, option, message] of atCreate) {
    const [name = '', value = ''] = option.split(/=(.*)/s)
    const LogConfig = { Type: driver, Config: { [name]: value } }
    const { status, body } = await daemon.api('POST', '/containers/create', {
      Image: 'busybox',
      HostConfig: { LogConfig },
    })
    assert.deepEqual({ status, body }, { status: 400, body: { message } }, `${driver} ${option}`)
  }
  const port = await freePort()
  const atStart: readonly [driver: string, option: string, message: string][] = [
    ['json-file', 'max-size=abc', "invalid size: 'abc'"],
    ['json-file', 'max-size=0', 'max-size must be a positive number'],
    ['json-file', 'max-file=0', 'max-file cannot be less than 1'],
    ['json-file', 'compress=true', 'compress cannot be true when max-file is less than 2 or max-size is not set'],
    ['json-file', 'labels-regex=(', 'error parsing regexp: missing closing ): `(`'],
    ['json-file', 'tag={{', 'template: log-tag:1: unclosed action'],
    [
      'json-file',
      'tag={{.Foo}}',
      `template: log-tag:1:2: executing "log-tag" at <.Foo>: can't evaluate field Foo in type *logger.Info`,
    ],
    ['local', 'max-file=1', 'compression cannot be enabled when max file count is 1'],
    ['syslog', `syslog-address=tcp://127.0.0.1:${port}`, `dial tcp 127.0.0.1:${port}: connect: connection refused`],
    ['fluentd', `fluentd-address=127.0.0.1:${port}`, `dial tcp 127.0.0.1:${port}: connect: connection refused`],
    ['fluentd', 'fluentd-address=unix:///no/such', 'dial unix /no/such: connect: no such file or directory'],
    [
      'gelf',
      `gelf-address=tcp://127.0.0.1:${port}`,
      `gelf: cannot connect to GELF endpoint: 127.0.0.1:${port} dial tcp 127.0.0.1:${port}: connect: connection refused`,
    ],
  ]
  for (const [driver, option, message] of atStart) {
    const { code, stderr } = await daemon.docker([
      'run',
      '--rm',
      '--log-driver',
      driver,
      '--log-opt',
      option,
      'busybox',
      'true',
    ])
    assert.notEqual(code, 0)
    assert.ok(stderr.includes(`failed to initialize logging driver: ${message}\n`), `${driver} ${option}: ${stderr}`)
  }
  const { stderr } = await daemon.docker(['run', '--rm', '--log-driver', 'awslogs', 'busybox', 'true'])
  assert.match(stderr, /log driver awslogs is not implemented/)
})

test('info lists the drivers', async () => {
  const { body } = await daemon.api<{ Plugins: { Log: string[] } }>('GET', '/info')
  assert.deepEqual(body.Plugins.Log, ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'syslog'])
})
