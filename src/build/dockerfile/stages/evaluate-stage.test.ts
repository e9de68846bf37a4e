import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import {
  DockerfileError,
  evaluateGlobals,
  evaluateStage,
  parseDockerfile,
  proxyEnvironment,
  type ScopeOptions,
  type Step,
  unusedBuildArgs,
} from '../index.ts'

const platforms = {
  buildPlatform: { os: 'linux', architecture: 'amd64' },
  targetPlatform: { os: 'linux', architecture: 'arm', variant: 'v7' },
} as const
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function evaluate(text: string, base: OciRuntimeDefaults | 'scratch' = {}, options: ScopeOptions = {}) {
  const dockerfile = parseDockerfile(/^(?:ARG [^\n]*\n)*FROM/.test(text) ? text : `FROM x\n${text}`)
  const scope = evaluateGlobals(dockerfile, { ...platforms, ...options })
  const [stage] = dockerfile.stages
  assert.ok(stage !== undefined)
  return evaluateStage(stage, {
    scope,
    base: { config: base === 'scratch' ? undefined : base },
    escape: dockerfile.directives.escape,
  })
}

/** The environment of the last step, which must be a RUN, without PATH. */
function runEnvironment(text: string, base: OciRuntimeDefaults = {}, options: ScopeOptions = {}): readonly string[] {
  const last = evaluate(text, base, options).steps.at(-1)
  return (last?.environment ?? []).filter((line) => !line.startsWith('PATH='))
}

test('evaluateStage() gives RUN its environment: ENV over ARG over the parent', () => {
  const buildArgs = { A: 'given', X: 'x' }
  const rows: readonly (readonly [text: string, environment: readonly string[]])[] = [
    ['RUN a', ['P=parent']],
    ['ARG A\nRUN a', ['P=parent', 'A=given']],
    ['ARG A=default\nRUN a', ['P=parent', 'A=given']],
    ['ARG B=default\nRUN a', ['P=parent', 'B=default']],
    ['ARG B\nRUN a', ['P=parent']],
    ['ARG B=\nRUN a', ['P=parent', 'B=']],
    ['ARG B=1\nARG B=2\nRUN a', ['P=parent', 'B=2']],
    ['ARG B=1\nARG B\nRUN a', ['P=parent', 'B=1']],
    ['ARG A\nENV A=env\nRUN a', ['P=parent', 'A=env']],
    ['ENV A=env\nARG A\nRUN a', ['P=parent', 'A=env']],
    ['ARG P=arg\nRUN a', ['P=parent']],
    ['ARG A\nENV A=${A:-v1}\nRUN a', ['P=parent', 'A=given']],
    ['ENV P=new Q=$P\nRUN a', ['P=new', 'Q=parent']],
    ['ENV P=new\nENV Q=$P\nRUN a', ['P=new', 'Q=new']],
    ['ARG B=1 C=$B\nRUN a', ['P=parent', 'B=1', 'C=']],
    ['ARG B=1\nARG C=$B-$A\nRUN a', ['P=parent', 'B=1', 'C=1-']],
    // A stage has only the global arguments that it declares.
    ['ARG G=global\nFROM x\nRUN a', ['P=parent']],
    ['ARG G=global\nFROM x\nARG G\nRUN a', ['P=parent', 'G=global']],
    ['ARG G=global\nFROM x\nARG G=stage\nRUN a', ['P=parent', 'G=stage']],
    ['ARG G=g H=${G}h\nFROM x\nARG H\nRUN a', ['P=parent', 'H=gh']],
    ['ARG A=a B=$A\nFROM x\nARG B\nRUN a', ['P=parent', 'B=given']],
    ['ARG TARGETARCH TARGETVARIANT\nRUN a', ['P=parent', 'TARGETARCH=arm', 'TARGETVARIANT=v7']],
    [
      'ARG BUILDPLATFORM TARGETPLATFORM\nRUN a',
      ['P=parent', 'BUILDPLATFORM=linux/amd64', 'TARGETPLATFORM=linux/arm/v7'],
    ],
    ['RUN http_proxy', ['P=parent']],
  ]
  for (const [text, environment] of rows) {
    assert.deepEqual(runEnvironment(text, { Env: ['P=parent'] }, { buildArgs }), environment, text)
  }
})

test('evaluateStage() gives RUN a PATH even when its parent has none', () => {
  assert.deepEqual(evaluate('RUN a', {}).steps[0]?.environment, [`PATH=${path}`])
  assert.deepEqual(evaluate('RUN a', { Env: ['PATH=/x'] }).steps[0]?.environment, ['PATH=/x'])
  assert.equal(evaluate('RUN a', {}).image.config.Env, undefined)
  assert.deepEqual(evaluate('RUN a', 'scratch').image.config, { Env: [`PATH=${path}`], WorkingDir: '/' })
})

test('evaluateStage() builds command lines with the shell set at that point', () => {
  const { steps } = evaluate('RUN a b\nSHELL ["/bin/bash", "-c"]\nRUN c\nRUN ["d"]\nRUN <<S\n#!/x\nS\n')
  assert.deepEqual(
    steps.filter(({ command }) => command !== undefined).map(({ command }) => command),
    [['/bin/sh', '-c', 'a b'], ['/bin/bash', '-c', 'c'], ['d'], ['/dev/pipes/S']],
  )
})

test('evaluateStage() lists the variables that each instruction depends on', () => {
  const { steps } = evaluate("ARG A=1\nENV B=$A\nCOPY $B ${C:-d} /$A/\nRUN echo $A\nLABEL a='$A' b=$C", {})
  assert.deepEqual(
    steps.map(({ uses, undefinedNames }) => [uses, undefinedNames]),
    [
      [{}, []],
      [{ A: '1' }, []],
      [{ A: '1', B: '1', C: null }, []],
      [{}, []],
      [{ C: null }, ['C']],
    ],
  )
})

/** The text of an instruction, and the expected words after expansion. */
const expanded: readonly (readonly [text: string, value: unknown])[] = [
  ['WORKDIR $V', '/v'],
  ['USER ${V}', 'v'],
  ['STOPSIGNAL SIG$S', 'SIGINT'],
  ['MAINTAINER $V', '$V'],
  ['VOLUME $V /x', ['v', '/x']],
  ['VOLUME ["$V"]', ['v']],
  ['EXPOSE $PORTS $NONE', ['80', '81/udp']],
  [
    'LABEL $V=$V "a b"=\'$V\'',
    [
      ['v', 'v'],
      ['a b', '$V'],
    ],
  ],
  ['ENV $V=$V\\ w', [['v', 'v w']]],
  ['ENV a $V  "b"', [['a', 'v  b']]],
  ['COPY $V a/', [['v'], '/w/a/']],
  ['COPY ["$V x", "a"]', [['v x'], '/w/a']],
  ['COPY a .', [['a'], '/w/']],
  ['COPY a ./', [['a'], '/w/']],
  ['COPY a ..', [['a'], '/']],
  ['COPY a /$V', [['a'], '/v']],
  ['COPY \\$V /quux', [['$V'], '/quux']],
  ['COPY a /', [['a'], '/']],
  ['COPY a b c/', [['a', 'b'], '/w/c/']],
  ['COPY <<E /c\n$V "x" \\$V\nE', [['v "x" $V\n'], '/c']],
  ['COPY <<"E" /c\n$V\nE', [['$V\n'], '/c']],
  ['CMD $V', { form: 'shell', text: '$V' }],
  ['RUN $V', { form: 'shell', text: '$V' }],
]

test('evaluateStage() expands the same words as Docker', () => {
  const env = ['V=v', 'S=INT', 'PORTS=80 81/udp']
  for (const [text, value] of expanded) {
    const step = evaluate(text, { Env: env, WorkingDir: '/w' }).steps[0]
    assert.deepEqual(partOf(step), text.startsWith('WORKDIR') ? 'v' : value, text)
  }
})

function partOf(step: Step | undefined): unknown {
  const instruction = step?.instruction
  switch (instruction?.kind) {
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return instruction.text.text
    case 'VOLUME':
    case 'EXPOSE':
      return instruction.words.map(({ text }) => text)
    case 'ENV':
    case 'LABEL':
      return instruction.pairs.map(({ key, value }) => [key, value])
    case 'COPY':
    case 'ADD': {
      const sources = instruction.sources.map((one) => (one.kind === 'path' ? one.path : one.content))
      return [sources, instruction.destination.text]
    }
    case 'CMD':
    case 'RUN':
      return instruction.command
    default:
      return undefined
  }
}

test('evaluateStage() expands flags and makes mounts absolute', () => {
  const env = ['U=1:2', 'M=640', 'D=sub']
  const { steps } = evaluate(
    'COPY --chown=$U --chmod=$M --exclude=*.$D a b\nRUN --mount=target=$D --mount=type=cache,target=./$D/x --mount=from=s a',
    { Env: env, WorkingDir: '/w' },
  )
  const [copied, run] = steps.map(({ instruction }) => instruction)
  assert.ok(copied?.kind === 'COPY' && run?.kind === 'RUN')
  assert.deepEqual(
    [copied.chown?.text, copied.chmod?.text, copied.exclude.map(({ text }) => text)],
    ['1:2', '640', ['*.sub']],
  )
  assert.deepEqual(
    run.mounts.map((mount) => [mount.type, mount.target, mount.type === 'cache' ? mount.id : undefined]),
    [
      ['bind', '/w/sub', undefined],
      ['cache', '/w/sub/x', '/w/sub/x'],
      ['bind', '/w', undefined],
    ],
  )
})

test('evaluateStage() runs the triggers of the parent first, and does not pass them on', () => {
  const { steps, image } = evaluate('RUN own\nONBUILD RUN later', {
    OnBuild: ['ARG A=1', 'RUN first', 'ENV B=$A'],
    Cmd: ['x'],
  })
  assert.deepEqual(
    steps.map(({ instruction, triggered }) => [instruction.line.text, triggered]),
    [
      ['ARG A=1', true],
      ['RUN first', true],
      ['ENV B=$A', true],
      ['RUN own', false],
      ['ONBUILD RUN later', false],
    ],
  )
  assert.deepEqual(image.config, { Cmd: ['x'], Env: ['B=1'], OnBuild: ['RUN later'] })
})

test('evaluateStage() passes arguments on to stages based on it', () => {
  const dockerfile = parseDockerfile('FROM x AS a\nARG A=1\nENV E=2\nFROM a\nRUN $A')
  const scope = evaluateGlobals(dockerfile, platforms)
  const [first, second] = dockerfile.stages
  assert.ok(first !== undefined && second !== undefined)
  const parent = evaluateStage(first, { scope, base: { config: {} } })
  const child = evaluateStage(second, { scope, base: { config: parent.image.config, args: parent.args } })
  assert.deepEqual(child.steps[0]?.environment, ['E=2', `PATH=${path}`, 'A=1'])
})

test('evaluateStage() gives the image before and after each instruction', () => {
  const { steps } = evaluate('WORKDIR /a\nWORKDIR b\nUSER u')
  assert.deepEqual(
    steps.map(({ before, after }) => [before.config.WorkingDir, after.config.WorkingDir, after.config.User]),
    [
      [undefined, '/a', undefined],
      ['/a', '/a/b', undefined],
      ['/a/b', '/a/b', 'u'],
    ],
  )
})

test('evaluateStage() points at instructions that cannot be evaluated', () => {
  for (const [text, column, problem] of [
    ['ENV a="${b?no b}"', 5, 'failed to process "\\"${b?no b}\\"": b: no b'],
    ['WORKDIR ${', 9, 'failed to process "${": syntax error: missing \'}\''],
    ['ARG a=${b:?}', 5, 'failed to process "${b:?}": b: is not allowed to be unset'],
    ['EXPOSE 80 web', 11, 'invalid containerPort: web'],
    ['EXPOSE 80/icmp', 8, 'invalid proto: icmp'],
    ['EXPOSE 90-80', 8, 'invalid containerPort: 90-80'],
    ['STOPSIGNAL SIGFOO', 12, 'invalid signal: SIGFOO'],
    [
      'COPY a b /c',
      10,
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    ],
    ['COPY https://e/x /y', 6, "source can't be a URL for COPY"],
    ['COPY --chmod=9 a b', 6, "invalid chmod parameter: '9'. it should be octal string and between 0 and 07777"],
    ['ADD --checksum=sha256:1 https://e/x /y', 5, 'invalid checksum "sha256:1"'],
    ['ADD --checksum=sha256:1 x /y', 5, 'checksum requires HTTP(S) or Git source'],
    ['ADD --checksum=sha256:1 x y /z/', 5, "checksum can't be specified for multiple sources"],
    ['RUN --mount=type=cache,target=/a,uid=$X a', 5, ''],
    ['RUN --mount=target=$X a', 5, 'invalid mount target "/"'],
    ['RUN --mount=type=cache a', 5, 'invalid mount target "/"'],
    ['RUN --mount=target=../.. a', 5, 'invalid mount target "/"'],
  ] as const) {
    if (problem === '') {
      evaluate(text)
      continue
    }
    assert.throws(
      () => evaluate(text),
      (error) => {
        assert.ok(error instanceof DockerfileError)
        assert.equal(error.message, problem)
        assert.deepEqual(error.at, { line: 2, column })
        return true
      },
      text,
    )
  }
})

test('evaluateGlobals() lets build arguments replace platform arguments and points at bad defaults', () => {
  const dockerfile = parseDockerfile('ARG A=${B?}\nFROM x')
  assert.throws(() => evaluateGlobals(dockerfile), {
    message: 'failed to process "${B?}": B: is not allowed to be unset',
  })
  assert.equal(evaluateGlobals(dockerfile, { buildArgs: { A: '1' } }).values.get('A'), '1')
  const scope = evaluateGlobals(parseDockerfile('FROM x'), {
    ...platforms,
    target: 't',
    buildArgs: { TARGETARCH: 'x' },
  })
  assert.equal(scope.values.get('TARGETARCH'), 'x')
  assert.equal(scope.values.get('TARGETSTAGE'), 't')
})

test('unusedBuildArgs() names build arguments that no ARG declares', () => {
  const dockerfile = parseDockerfile('ARG G\nFROM x\nARG A=1\nFROM y\nARG B')
  const given = Object.fromEntries(
    ['Z', 'G', 'A', 'B', 'HTTP_PROXY', 'TARGETOS', 'SOURCE_DATE_EPOCH', 'Y'].map((name) => [name, '']),
  )
  assert.deepEqual(unusedBuildArgs(dockerfile, given), ['Z', 'Y'])
  assert.deepEqual(unusedBuildArgs(dockerfile, given, dockerfile.stages[0]?.instructions), ['Z', 'B', 'Y'])
})

test('proxyEnvironment() selects the proxies among the build arguments', () => {
  const given = { A: '1', no_proxy: 'x', HTTP_PROXY: 'http://u:p@h', Http_Proxy: 'y' }
  assert.deepEqual(proxyEnvironment(given), [
    'HTTP_PROXY=http://u:p@h',
    'http_proxy=http://u:p@h',
    'NO_PROXY=x',
    'no_proxy=x',
  ])
})
