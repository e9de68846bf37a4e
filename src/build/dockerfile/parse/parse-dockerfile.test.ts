import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DockerfileError, parseDockerfile, parseTriggers } from '../index.ts'

/** The only instruction after `FROM scratch`, without the fields that all instructions have. */
function parseOne(text: string): Record<string, unknown> {
  const [instruction] = parseDockerfile(`FROM scratch\n${text}\n`).stages[0]?.instructions ?? []
  assert.ok(instruction !== undefined, text)
  return strip(instruction)
}

/** Removes lines and offsets, and replaces words by their texts. */
function strip(value: object): Record<string, unknown> {
  const entries = Object.entries(value).filter(([key]) => !['line', 'keyword', 'offset', 'mountFlags'].includes(key))
  return Object.fromEntries(entries.map(([key, one]) => [key, stripValue(one)]))
}

function stripValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripValue)
  if (typeof value !== 'object' || value === null) return value
  const stripped = strip(value)
  return 'offset' in value && Object.keys(stripped).join() === 'text' ? stripped.text : stripped
}

const shell = (text: string) => ({ form: 'shell', text })
const exec = (...args: string[]) => ({ form: 'exec', args })
const run = { mounts: [], network: 'default', security: 'sandbox', devices: [] }
const path = (name: string) => ({ kind: 'path', path: name })
const copy = { exclude: [], link: false, parents: false }
const add = { exclude: [], link: false, keepGitDir: false }

const instructions: readonly (readonly [text: string, parsed: Record<string, unknown>])[] = [
  ['ARG a', { kind: 'ARG', args: [{ name: 'a' }] }],
  [
    'ARG a=1 b c="x y"',
    { kind: 'ARG', args: [{ name: 'a', value: '1' }, { name: 'b' }, { name: 'c', value: '"x y"' }] },
  ],
  ['ARG a=', { kind: 'ARG', args: [{ name: 'a', value: '' }] }],
  ['ENV a=b', { kind: 'ENV', pairs: [{ key: 'a', value: 'b' }], legacy: false }],
  [
    'ENV a="b c" d=e\\ f g=\'h i\' j=',
    {
      kind: 'ENV',
      legacy: false,
      pairs: [
        { key: 'a', value: '"b c"' },
        { key: 'd', value: 'e\\ f' },
        { key: 'g', value: "'h i'" },
        { key: 'j', value: '' },
      ],
    },
  ],
  ['ENV a b = c', { kind: 'ENV', pairs: [{ key: 'a', value: 'b = c' }], legacy: true }],
  ['ENV one   TWO= THREE=world', { kind: 'ENV', pairs: [{ key: 'one', value: 'TWO= THREE=world' }], legacy: true }],
  [
    'LABEL "a.b"="c" d=e',
    {
      kind: 'LABEL',
      legacy: false,
      pairs: [
        { key: '"a.b"', value: '"c"' },
        { key: 'd', value: 'e' },
      ],
    },
  ],
  ['LABEL a b', { kind: 'LABEL', pairs: [{ key: 'a', value: 'b' }], legacy: true }],
  ['MAINTAINER A B <a@b>', { kind: 'MAINTAINER', text: 'A B <a@b>' }],
  ['RUN a  b', { kind: 'RUN', ...run, command: shell('a  b') }],
  ['RUN', { kind: 'RUN', ...run, command: shell('') }],
  ['RUN ["a", "b c"]', { kind: 'RUN', ...run, command: exec('a', 'b c') }],
  ['run [ "a" ]', { kind: 'RUN', ...run, command: exec('a') }],
  ["RUN ['a']", { kind: 'RUN', ...run, command: shell("['a']") }],
  ['RUN ["a"] b', { kind: 'RUN', ...run, command: shell('["a"] b') }],
  ['RUN ["c:\\windows\\s.exe"]', { kind: 'RUN', ...run, command: shell('["c:\\windows\\s.exe"]') }],
  ['RUN [ -f x ] && y', { kind: 'RUN', ...run, command: shell('[ -f x ] && y') }],
  ['RUN a \\\n  && b', { kind: 'RUN', ...run, command: shell('a   && b') }],
  ['RUN -- a', { kind: 'RUN', ...run, command: shell('-- a') }],
  [
    'RUN --network=none --security=insecure a',
    { kind: 'RUN', ...run, network: 'none', security: 'insecure', command: shell('a') },
  ],
  [
    'RUN --device=gpu,required a',
    { kind: 'RUN', ...run, devices: [{ name: 'gpu', required: true }], command: shell('a') },
  ],
  ['RUN <<EOF\na\nEOF', { kind: 'RUN', ...run, command: shell('a\n') }],
  ['RUN <<-EOF\n\t\ta\n\tEOF', { kind: 'RUN', ...run, command: shell('a\n') }],
  ['RUN << EOF\na\nEOF', { kind: 'RUN', ...run, command: shell('a\n') }],
  ['RUN <<EOF cat\na\nEOF', { kind: 'RUN', ...run, command: shell('<<EOF cat\na\nEOF') }],
  ['RUN a <<X && b <<-Y\n1\nX\n\t2\n\tY', { kind: 'RUN', ...run, command: shell('a <<X && b <<-Y\n1\nX\n\t2\nY') }],
  [
    'RUN <<S\n#!/bin/x\na\nS',
    { kind: 'RUN', ...run, command: { form: 'script', name: 'S', content: '#!/bin/x\na\n' } },
  ],
  ['CMD a b', { kind: 'CMD', command: shell('a b') }],
  ['CMD ["a"]', { kind: 'CMD', command: exec('a') }],
  ['CMD []', { kind: 'CMD', command: exec() }],
  ['CMD', { kind: 'CMD', command: shell('') }],
  ['ENTRYPOINT ["a", "\\u0041\\n"]', { kind: 'ENTRYPOINT', command: exec('a', 'A\n') }],
  ['COPY a b', { kind: 'COPY', ...copy, sources: [path('a')], destination: 'b' }],
  ['COPY a b c/', { kind: 'COPY', ...copy, sources: [path('a'), path('b')], destination: 'c/' }],
  ['COPY ["a b", "c"]', { kind: 'COPY', ...copy, sources: [path('a b')], destination: 'c' }],
  [
    'COPY --from=x --chown=1:2 --chmod=755 --link --parents=true --exclude=*.a --exclude=*.b a b',
    {
      ...{ kind: 'COPY', sources: [path('a')], destination: 'b', from: 'x', chown: '1:2', chmod: '755' },
      ...{ link: true, parents: true, exclude: ['*.a', '*.b'] },
    },
  ],
  ['COPY --link=false --from= a b', { kind: 'COPY', ...copy, sources: [path('a')], destination: 'b' }],
  ['COPY --chown="a b" a b', { kind: 'COPY', ...copy, chown: 'a b', sources: [path('a')], destination: 'b' }],
  [
    'COPY <<A x <<-"B" /d/\n1\nA\n\t2\n\tB',
    {
      ...{ kind: 'COPY', ...copy, destination: '/d/' },
      sources: [
        { kind: 'inline', name: 'A', content: '1\n', expand: true },
        path('x'),
        { kind: 'inline', name: 'B', content: '2\n', expand: false },
      ],
    },
  ],
  [
    'COPY x << A /d/\n1\nA',
    {
      ...{ kind: 'COPY', ...copy, destination: '/d/' },
      sources: [path('x'), { kind: 'inline', name: 'A', content: '1\n', expand: true }],
    },
  ],
  [
    'ADD --checksum=sha256:x --keep-git-dir --unpack=false https://e/a b',
    {
      ...{ kind: 'ADD', ...add, sources: [path('https://e/a')], destination: 'b' },
      ...{ checksum: 'sha256:x', keepGitDir: true, unpack: false },
    },
  ],
  ['EXPOSE 80 81/udp $P', { kind: 'EXPOSE', words: ['80', '81/udp', '$P'] }],
  ['VOLUME /a /b', { kind: 'VOLUME', words: ['/a', '/b'] }],
  ['VOLUME ["/a b"]', { kind: 'VOLUME', words: ['/a b'] }],
  ['USER a:b', { kind: 'USER', text: 'a:b' }],
  ['WORKDIR /a b', { kind: 'WORKDIR', text: '/a b' }],
  ['STOPSIGNAL 9', { kind: 'STOPSIGNAL', text: '9' }],
  ['SHELL ["/bin/bash", "-c"]', { kind: 'SHELL', shell: ['/bin/bash', '-c'] }],
  ['HEALTHCHECK NONE', { kind: 'HEALTHCHECK' }],
  ['HEALTHCHECK --timeo=1s none', { kind: 'HEALTHCHECK' }],
  ['HEALTHCHECK CMD a b', { kind: 'HEALTHCHECK', command: shell('a b') }],
  [
    'HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=1h --start-interval=5ms --retries=3 cmd ["a"]',
    {
      ...{ kind: 'HEALTHCHECK', command: exec('a'), intervalNs: 90e9, timeoutNs: 1.5e9 },
      ...{ startPeriodNs: 3600e9, startIntervalNs: 5e6, retries: 3 },
    },
  ],
  ['HEALTHCHECK --interval=0s --retries=0 CMD a', { kind: 'HEALTHCHECK', command: shell('a') }],
  [
    'ONBUILD  copy --from=x a b',
    {
      ...{ kind: 'ONBUILD', trigger: 'copy --from=x a b' },
      instruction: { kind: 'COPY', ...copy, from: 'x', sources: [path('a')], destination: 'b' },
    },
  ],
  [
    'ONBUILD RUN <<EOF\na\nEOF',
    { kind: 'ONBUILD', trigger: 'RUN <<EOF\na\nEOF', instruction: { kind: 'RUN', ...run, command: shell('a\n') } },
  ],
]

test('parseDockerfile() gives typed instructions', () => {
  for (const [text, parsed] of instructions) assert.deepEqual(parseOne(text), parsed, text)
})

test('parseDockerfile() gives stages and global arguments', () => {
  const { globalArgs, stages } = parseDockerfile(
    'ARG A=1\narg B\nFROM x\nRUN y\nfrom --platform=$BUILDPLATFORM Img:1 as My_Stage.2-x\nFROM scratch',
  )
  assert.deepEqual(
    globalArgs.flatMap(({ args }) => args.map(({ name, value }) => [name, value])),
    [
      ['A', '1'],
      ['B', undefined],
    ],
  )
  assert.deepEqual(
    stages.map(({ index, name, from, instructions: list }) => [index, name, from.image.text, list.length]),
    [
      [0, undefined, 'x', 1],
      [1, 'my_stage.2-x', 'Img:1', 0],
      [2, undefined, 'scratch', 0],
    ],
  )
  const { platform, as, keyword, stageNameAsWritten } = stages[1]?.from ?? {}
  assert.deepEqual([platform?.text, as, keyword, stageNameAsWritten], ['$BUILDPLATFORM', 'as', 'from', 'My_Stage.2-x'])
})

/** Faulty lines after `FROM scratch` and an empty line: text, column, problem. */
const problems: readonly (readonly [text: string, column: number, problem: string])[] = [
  ['CPOY a b', 1, 'unknown instruction: CPOY (did you mean COPY?)'],
  ['  runn x', 3, 'unknown instruction: runn (did you mean RUN?)'],
  ['&& x', 1, 'unknown instruction: &&'],
  ['COPY --frm=x a b', 6, 'unknown flag: --frm (did you mean from?)'],
  ['COPY --from=a --from=b c d', 15, 'duplicate flag specified: --from'],
  ['COPY --from a b', 6, 'missing a value on flag: --from'],
  ['COPY --link=x a b', 6, 'expecting boolean value for flag --link, not: x'],
  ['RUN --xyz a', 5, 'unknown flag: --xyz'],
  ['ENV --x a=b', 5, 'unknown flag: --x'],
  ['CMD --x a', 5, 'unknown flag: --x'],
  ['COPY', 5, 'COPY requires at least two arguments, but only one was provided. Destination could not be determined'],
  ['ADD x', 5, 'ADD requires at least two arguments, but only one was provided. Destination could not be determined'],
  ['COPY a <<E\nE', 8, 'COPY cannot accept a heredoc as a destination'],
  ['COPY ["a", 1]', 6, 'when using JSON array syntax, arrays must be comprised of strings only'],
  ['CMD [null]', 5, 'when using JSON array syntax, arrays must be comprised of strings only'],
  ['ENV', 1, 'ENV requires at least one argument'],
  ['ENV a', 5, 'ENV must have two arguments'],
  ['ENV a=b c', 9, 'Syntax error - can\'t find = in "c". Must be of the form: name=value'],
  ['ENV a=b =c', 9, 'ENV names can not be blank'],
  ['LABEL', 1, 'LABEL requires at least one argument'],
  ['LABEL a', 7, 'LABEL must have two arguments'],
  ['LABEL =a', 7, 'LABEL names can not be blank'],
  ['ARG', 1, 'ARG requires at least one argument'],
  ['ARG =a', 5, 'ARG names can not be blank'],
  ['EXPOSE', 1, 'EXPOSE requires at least one argument'],
  ['VOLUME', 1, 'VOLUME requires at least one argument'],
  ['VOLUME []', 1, 'VOLUME requires at least one argument'],
  ['VOLUME ["a", " "]', 8, 'VOLUME specified can not be an empty string'],
  ['USER', 1, 'USER requires exactly one argument'],
  ['WORKDIR', 1, 'WORKDIR requires exactly one argument'],
  ['STOPSIGNAL', 1, 'STOPSIGNAL requires exactly one argument'],
  ['MAINTAINER', 1, 'MAINTAINER requires exactly one argument'],
  ['SHELL', 1, 'SHELL requires at least one argument'],
  ['SHELL []', 1, 'SHELL requires at least one argument'],
  ['SHELL sh -c', 7, 'SHELL requires the arguments to be in JSON form'],
  ['ONBUILD', 1, 'ONBUILD requires at least one argument'],
  ['ONBUILD onbuild RUN a', 9, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ['ONBUILD FROM a', 9, "FROM isn't allowed as an ONBUILD trigger"],
  ['ONBUILD MAINTAINER a', 9, "MAINTAINER isn't allowed as an ONBUILD trigger"],
  ['ONBUILD COPI a b', 9, 'unknown instruction: COPI (did you mean COPY?)'],
  ['ONBUILD COPY --form=x a b', 14, 'unknown flag: --form (did you mean from?)'],
  ['HEALTHCHECK', 1, 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK CMD', 13, 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK CMD []', 13, 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK NONE x', 13, 'HEALTHCHECK NONE takes no arguments'],
  ['HEALTHCHECK ping', 13, 'Unknown type "PING" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK --interval=5 CMD a', 13, 'time: missing unit in duration "5"'],
  ['HEALTHCHECK --timeout=1us CMD a', 13, 'Interval "timeout" cannot be less than 1ms'],
  ['HEALTHCHECK --timeout=-1s CMD a', 13, 'Interval "timeout" cannot be less than 1ms'],
  ['HEALTHCHECK --retries=x CMD a', 13, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['HEALTHCHECK --retries=-1 CMD a', 13, '--retries cannot be negative (-1)'],
  ['HEALTHCHECK --retry=1 CMD a', 13, 'unknown flag: --retry'],
  ['RUN --network=hots a', 5, 'unsupported network mode "hots" (did you mean host?)'],
  ['RUN --security=none a', 5, 'unsupported security mode "none"'],
  ['RUN --device=,x a', 5, 'invalid device ",x"'],
  ['RUN --device=x,required=maybe a', 5, 'invalid device "x,required=maybe"'],
  ['FROM', 5, 'FROM requires either one or three arguments'],
  ['FROM a as', 8, 'FROM requires either one or three arguments'],
  ['FROM a in b', 8, 'FROM requires either one or three arguments'],
  ['FROM a as b c', 8, 'FROM requires either one or three arguments'],
  ['FROM a AS 1b', 11, `invalid name for build stage: "1b", name can't start with a number or contain symbols`],
  ['FROM a AS b$', 11, `invalid name for build stage: "b$", name can't start with a number or contain symbols`],
  ['FROM --platfrom=x a', 6, 'unknown flag: --platfrom (did you mean platform?)'],
]

test('parseDockerfile() points at the faulty word', () => {
  for (const [text, column, problem] of problems) {
    const error = errorOf(`FROM scratch\n\n${text}\nRUN x\n`)
    assert.equal(error.problem, problem, text)
    assert.equal(error.message, `dockerfile parse error on line 3: ${problem}`)
    assert.deepEqual(error.at, { line: 3, column }, text)
  }
})

test('parseDockerfile() points at the physical line of a continued instruction', () => {
  const error = errorOf('FROM a\nENV b=c \\\n  # comment\n  d=e \\\n  f\n')
  assert.deepEqual([error.range.start.line, error.range.end.line, error.at], [2, 5, { line: 5, column: 3 }])
})

test('parseDockerfile() refuses a file without a stage', () => {
  assert.equal(errorOf('RUN a\nFROM b').message, 'dockerfile parse error on line 1: no build stage in current context')
  assert.equal(errorOf('ARG a\n').problem, 'dockerfile contains no stages to build')
  assert.equal(errorOf('').problem, 'file with no instructions')
})

test('DockerfileError shows the place', () => {
  const text = 'FROM a\n\nRUN b\n\tCOPY --form=x \\\n  c d\nRUN e\nRUN f\nRUN g\n'
  const { file, at, excerpt, message } = errorOf(text, 'web.Dockerfile')
  assert.deepEqual([file, at], ['web.Dockerfile', { line: 4, column: 7 }])
  assert.equal(message, 'dockerfile parse error on line 4: unknown flag: --form (did you mean from?)')
  assert.equal(
    excerpt,
    [
      '--------------------',
      '   2 |',
      '   3 |     RUN b',
      '   4 | >>> \tCOPY --form=x \\',
      '     |     \t     ^',
      '   5 | >>>   c d',
      '   6 |     RUN e',
      '   7 |     RUN f',
      '--------------------',
    ].join('\n'),
  )
  const long = errorOf(`FROM a\nCOPY <<E\n${'x\n'.repeat(100)}E\n`)
  assert.ok(long.excerpt.split('\n').length < 20)
  const binary = errorOf(`\u001b[31m${'x'.repeat(1000)}\u0000\n`)
  assert.ok(binary.excerpt.length < 400 && !/[\u0000\u001b]/.test(binary.excerpt))
  assert.ok(binary.message.length < 200)
})

test('DockerfileError carries its place for clients', () => {
  const error = errorOf('FROM a\nCOPI b c', 'x')
  assert.equal(error.kind, 'invalidArgument')
  assert.deepEqual(error.details, { file: 'x', line: 2, column: 1 })
})

test('parseTriggers() reads the ONBUILD triggers of a parent image', () => {
  const triggers = parseTriggers(['COPY . /app', 'RUN <<E\na\nE'])
  assert.deepEqual(triggers.map(strip), [
    { kind: 'COPY', ...copy, sources: [path('.')], destination: '/app' },
    { kind: 'RUN', ...run, command: shell('a\n') },
  ])
  for (const [trigger, problem] of [
    ['FROM a', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD RUN a', "ONBUILD isn't allowed as an ONBUILD trigger"],
    ['', 'file with no instructions'],
  ] as const) {
    assert.throws(
      () => parseTriggers([trigger]),
      (error) => error instanceof DockerfileError && error.problem === problem && error.file === 'ONBUILD',
    )
  }
})

test('parseDockerfile() either parses any bytes or throws a DockerfileError', () => {
  let seed = 3
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const pieces = [
    'FROM a',
    'RUN ',
    'COPY ',
    '<<E',
    '\n',
    '\\\n',
    '"',
    "'",
    '--mount=',
    'type=cache,',
    '$',
    '{',
    '[',
    ' ',
    '#',
    'E',
    ',"',
    '=',
  ]
  for (let round = 0; round < 600; round += 1) {
    const text = Array.from({ length: next(14) }, () => pieces[next(pieces.length)]).join('')
    try {
      parseDockerfile(`FROM a\n${text}`)
    } catch (error) {
      assert.ok(error instanceof DockerfileError, `${JSON.stringify(text)}: ${error}`)
    }
  }
})

function errorOf(text: string, file = 'Dockerfile'): DockerfileError {
  try {
    parseDockerfile(text, { file })
  } catch (error) {
    if (error instanceof DockerfileError) return error
    throw error
  }
  throw new Error(`no error: ${text}`)
}
