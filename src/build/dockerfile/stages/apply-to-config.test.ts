import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import { applyToConfig, initialImage, parseDockerfile, type StageImage } from '../index.ts'

/** The image after these instructions, whose variables are not expanded. */
function apply(text: string, parent: OciRuntimeDefaults = {}): StageImage {
  const instructions = parseDockerfile(`FROM x\n${text}\n`).stages[0]?.instructions ?? []
  return instructions.reduce(applyToConfig, initialImage(parent))
}

const shell = (text: string) => ['/bin/sh', '-c', text]

const changes: readonly (readonly [text: string, parent: OciRuntimeDefaults, config: OciRuntimeDefaults])[] = [
  ['ENV a=1 b=2', {}, { Env: ['a=1', 'b=2'] }],
  ['ENV b=3\nENV d=4', { Env: ['a=1', 'b=2', 'c'] }, { Env: ['a=1', 'b=3', 'c', 'd=4'] }],
  ['ENV a=2 a=3', { Env: ['ab=1', 'a=1'] }, { Env: ['ab=1', 'a=3'] }],
  ['LABEL a=1 b=2', { Labels: { b: 'x', c: 'y' } }, { Labels: { a: '1', b: '2', c: 'y' } }],
  ['EXPOSE 80 81/UDP 80/tcp', {}, { ExposedPorts: { '80/tcp': {}, '81/udp': {} } }],
  ['EXPOSE 8000-8002/sctp', {}, { ExposedPorts: { '8000/sctp': {}, '8001/sctp': {}, '8002/sctp': {} } }],
  [
    'EXPOSE 127.0.0.1:80:90 91:92',
    { ExposedPorts: { '1/tcp': {} } },
    { ExposedPorts: { '1/tcp': {}, '90/tcp': {}, '92/tcp': {} } },
  ],
  ['VOLUME /a /b\nVOLUME ["/a"]', { Volumes: { '/c': {} } }, { Volumes: { '/a': {}, '/b': {}, '/c': {} } }],
  ['USER a\nUSER b:c', { User: 'x' }, { User: 'b:c' }],
  ['WORKDIR a', {}, { WorkingDir: '/a' }],
  ['WORKDIR a/\nWORKDIR ./b\nWORKDIR ../c', { WorkingDir: '/x' }, { WorkingDir: '/x/a/c' }],
  ['WORKDIR /a//b/../c/', { WorkingDir: '/x' }, { WorkingDir: '/a/c' }],
  ['STOPSIGNAL SIGINT\nSTOPSIGNAL 9', {}, { StopSignal: '9' }],
  ['STOPSIGNAL SIGRTMIN+3', {}, { StopSignal: 'SIGRTMIN+3' }],
  ['CMD a', {}, { Cmd: shell('a'), ArgsEscaped: true }],
  ['CMD ["a"]', { Cmd: ['x'] }, { Cmd: ['a'], ArgsEscaped: true }],
  ['CMD []', { Cmd: ['x'] }, { Cmd: [], ArgsEscaped: true }],
  [
    'SHELL ["/b", "-x"]\nCMD a\nENTRYPOINT b',
    {},
    { Shell: ['/b', '-x'], Cmd: ['/b', '-x', 'a'], ArgsEscaped: true, Entrypoint: ['/b', '-x', 'b'] },
  ],
  ['CMD a', { Shell: ['/p'] }, { Shell: ['/p'], Cmd: ['/p', 'a'], ArgsEscaped: true }],
  ['ENTRYPOINT ["e"]', { Cmd: ['x'] }, { Entrypoint: ['e'] }],
  ['ENTRYPOINT []', { Cmd: ['x'], Entrypoint: ['y'] }, { Entrypoint: [] }],
  ['CMD ["c"]\nENTRYPOINT ["e"]', { Cmd: ['x'] }, { Cmd: ['c'], ArgsEscaped: true, Entrypoint: ['e'] }],
  ['ENTRYPOINT ["e"]\nCMD ["c"]', { Cmd: ['x'] }, { Cmd: ['c'], ArgsEscaped: true, Entrypoint: ['e'] }],
  ['ENTRYPOINT e', {}, { Entrypoint: shell('e') }],
  ['HEALTHCHECK NONE', { Healthcheck: { Test: ['CMD', 'x'], Retries: 1 } }, { Healthcheck: { Test: ['NONE'] } }],
  [
    'HEALTHCHECK --interval=1s CMD a b',
    { Healthcheck: { Retries: 1 } },
    { Healthcheck: { Test: ['CMD-SHELL', 'a b'], Interval: 1e9 } },
  ],
  [
    'HEALTHCHECK --timeout=1s --start-period=2s --start-interval=3s --retries=4 CMD ["a"]',
    {},
    { Healthcheck: { Test: ['CMD', 'a'], Timeout: 1e9, StartPeriod: 2e9, StartInterval: 3e9, Retries: 4 } },
  ],
  ['RUN x', { Healthcheck: { Test: ['CMD', 'x'] } }, { Healthcheck: { Test: ['CMD', 'x'] } }],
  ['ONBUILD RUN a\nonbuild copy b c', {}, { OnBuild: ['RUN a', 'copy b c'] }],
  ['ONBUILD RUN a', { OnBuild: ['RUN old'] }, { OnBuild: ['RUN a'] }],
  ['RUN a\nCOPY a b\nADD a b\nARG c', { User: 'u' }, { User: 'u' }],
]

test('applyToConfig() applies each instruction to the configuration', () => {
  for (const [text, parent, config] of changes) assert.deepEqual(apply(text, parent).config, config, text)
})

test('applyToConfig() keeps the author of MAINTAINER beside the configuration', () => {
  assert.deepEqual(apply('MAINTAINER A <a@b>\nMAINTAINER B'), { config: {}, author: 'B', commandSet: false })
})

test('applyToConfig() does not change its input', () => {
  const parent = Object.freeze({ Env: Object.freeze(['a=1']), Labels: Object.freeze({ a: '1' }) })
  apply('ENV a=2\nLABEL b=2\nVOLUME /x', parent)
  assert.deepEqual(parent, { Env: ['a=1'], Labels: { a: '1' } })
})
