import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDirectives } from '../text/directives.ts'
import { DockerfileError } from '../text/dockerfile-error.ts'
import { sourceText } from '../text/source-text.ts'
import { readLogicalLines } from './read-lines.ts'

function read(text: string) {
  const source = sourceText(text, 'Dockerfile')
  return readLogicalLines(source, parseDirectives(source).escape)
}

const joined: readonly (readonly [title: string, text: string, lines: readonly string[]])[] = [
  ['two instructions', 'FROM a\nRUN b\n', ['FROM a', 'RUN b']],
  ['no newline at the end', 'FROM a', ['FROM a']],
  ['CRLF', 'FROM a\r\nRUN b \\\r\n c\r\n', ['FROM a', 'RUN b  c']],
  ['byte order mark', '\uFEFFFROM a', ['FROM a']],
  ['indented', '   FROM a\n\t RUN b', ['FROM a', 'RUN b']],
  ['comments', '# c\nFROM a\n  # d\nRUN b # kept', ['FROM a', 'RUN b # kept']],
  ['continued', 'RUN a \\\n  b \\\nc', ['RUN a   b c']],
  ['white space behind the backslash', 'RUN a \\ \t\n b', ['RUN a  b']],
  ['a comment in between', 'RUN a \\\n# one\n   # two\n b', ['RUN a  b']],
  ['empty lines in between', 'RUN a \\\n\n \n b', ['RUN a  b']],
  ['a comment is not continued', '# c \\\nFROM a', ['FROM a']],
  ['two backslashes continue nothing', 'RUN a\\\\\nRUN b', ['RUN a\\\\', 'RUN b']],
  ['a backslash on its own line', 'RUN a \\\n\\\nb', ['RUN a b']],
  ['a backslash first', '\\\nFROM a', ['FROM a']],
  ['a backslash last', 'FROM a \\', ['FROM a']],
  ['a backslash and nothing', 'FROM a\n\\\n\n', ['FROM a']],
  ['another escape character', '# escape=`\nCOPY a c:\\\nRUN b `\nc', ['COPY a c:\\', 'RUN b c']],
  ['strings keep white space', 'RUN echo "\\\n     hello\\\n     world"', ['RUN echo "     hello     world"']],
]

test('readLogicalLines() joins lines and drops comments', () => {
  for (const [title, text, lines] of joined) {
    assert.deepEqual(
      read(text).map((line) => line.text),
      lines,
      title,
    )
  }
})

const withDocuments: readonly (readonly [text: string, contents: readonly string[], rest: string])[] = [
  ['RUN <<EOF\na\n  b\nEOF\nRUN x', ['a\n  b\n'], 'RUN x'],
  ['RUN <<EOF\nEOF\nRUN x', [''], 'RUN x'],
  ['RUN <<-EOF\n\ta\n\tEOF\nRUN x', ['\ta\n'], 'RUN x'],
  ['RUN <<A cat && <<B tac\n1\nA\n2\nB\nRUN x', ['1\n', '2\n'], 'RUN x'],
  ['COPY <<a <<"b c" /d/\n1\na\n2\nb c\nRUN x', ['1\n', '2\n'], 'RUN x'],
  ["ADD <<'EOF' /d\n$x # no comment \\\n\nEOF\nRUN x", ['$x # no comment \\\n\n'], 'RUN x'],
  ['RUN --mount=type=tmpfs,target=/t <<EOF\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  ['RUN cat \\\n  <<EOF\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  ['ONBUILD RUN <<EOF\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  ['run <<EOF\r\na\r\nEOF\r\nRUN x', ['a\r\n'], 'RUN x'],
  ['RUN 3<<EOF cmd\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  ['RUN cat << EOF\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  ['COPY <<- EOF /d\n\ta\n\tEOF\nRUN x', ['\ta\n'], 'RUN x'],
  ['RUN echo ${x^^} <<EOF\na\nEOF\nRUN x', ['a\n'], 'RUN x'],
  // None of these begins a here-document.
  ['RUN ["<<EOF"]\nRUN x', [], 'RUN x'],
  ['ENV a=<<EOF\nRUN x', [], 'RUN x'],
  ['RUN echo 1<<2<<3\nRUN x', [], 'RUN x'],
  ['RUN cat <<< word\nRUN x', [], 'RUN x'],
  ["RUN echo it's <<EOF\nRUN x", [], 'RUN x'],
  ['RUN echo $((1 << 2))\nRUN x', [], 'RUN x'],
  ['RUN a << b\nRUN x', [], 'RUN x'],
]

test('readLogicalLines() collects here-documents', () => {
  for (const [text, contents, rest] of withDocuments) {
    const [first, second] = read(text)
    assert.deepEqual(
      first?.heredocs.map((one) => one.content),
      contents,
      text,
    )
    assert.equal(second?.text, rest, text)
  }
})

test('readLogicalLines() notes how the word of a here-document was written', () => {
  const [line] = read('RUN <<A 2<<-"B" <<C\\D\nA\nB\nCD\n')
  const facts = line?.heredocs.map(({ name, stripTabs, expand, descriptor }) => [name, stripTabs, expand, descriptor])
  assert.deepEqual(facts, [
    ['A', false, true, 0],
    ['B', true, false, 2],
    ['CD', false, false, 0],
  ])
})

test('readLogicalLines() gives the place of each character', () => {
  const [, line] = read('FROM a\n  RUN first \\\n# c\n    second \\\nthird\n')
  const at = (word: string) => line?.locate(line.text.indexOf(word))
  assert.deepEqual(at('RUN'), { line: 2, column: 3 })
  assert.deepEqual(at('first'), { line: 2, column: 7 })
  assert.deepEqual(at('second'), { line: 4, column: 5 })
  assert.deepEqual(at('third'), { line: 5, column: 1 })
  assert.deepEqual(line?.range, { start: { line: 2, column: 1 }, end: { line: 5, column: 6 } })
})

test('readLogicalLines() keeps the comments right above and the first empty continuation', () => {
  const [first, second] = read('# far\n\n# near\n#  er \nFROM a \\\n\n\n b\nRUN c')
  assert.deepEqual(first?.comments, ['near', 'er'])
  assert.equal(first?.emptyContinuation, 6)
  assert.deepEqual(second?.comments, [])
  assert.equal(second?.emptyContinuation, undefined)
})

test('readLogicalLines() refuses here-documents without an end and files without instructions', () => {
  for (const [text, message] of [
    ['', 'dockerfile parse error on line 1: file with no instructions'],
    ['# only\n\n', 'dockerfile parse error on line 2: file with no instructions'],
    ['FROM a\nRUN <<EOF\nb\n', 'dockerfile parse error on line 2: unterminated heredoc'],
    ['FROM a\nRUN <<A <<B\nA\n', 'dockerfile parse error on line 2: unterminated heredoc'],
    [
      `FROM a\nRUN ${'x'.repeat(65536)}`,
      'dockerfile parse error on line 2: dockerfile line greater than maximum allowed size of 65535',
    ],
  ] as const) {
    assert.throws(
      () => read(text),
      (error) => error instanceof DockerfileError && error.message === message,
    )
  }
})

test('parseDirectives() reads the directives at the top of the file', () => {
  const directives = (text: string) => parseDirectives(sourceText(text, 'Dockerfile'))
  const none = { escape: '\\', check: { skip: [], experimental: [], error: false } }
  assert.deepEqual(directives('FROM a'), none)
  assert.deepEqual(directives('# syntax = docker/dockerfile:1 \n#escape=`'), {
    ...none,
    syntax: 'docker/dockerfile:1',
    escape: '`',
  })
  assert.equal(directives('#\t sYnTaX= x').syntax, 'x')
  // Not after a comment, an empty line, an instruction or an unknown directive.
  for (const first of ['# about', '', 'FROM a', '# unknown=1', '# direc \\']) {
    assert.equal(directives(`${first}\n# escape=\``).escape, '\\', first)
  }
  assert.deepEqual(directives('# check=skip=A, B;error=TRUE;experimental=all').check, {
    skip: ['A', 'B'],
    experimental: ['all'],
    error: true,
  })
})

test('parseDirectives() refuses repeated and invalid directives', () => {
  for (const [text, problem] of [
    ['# escape=\\\n# ESCAPE=`', 'only one escape parser directive can be used'],
    ['# escape=x', "invalid escape token 'x' does not match ` or \\"],
    ['# check=skip', 'invalid check option "skip"'],
    ['# check=foo=1', 'invalid check option "foo=1"'],
    ['# check=error=maybe', 'failed to parse check option "error=maybe": "maybe" is no boolean'],
  ] as const) {
    assert.throws(
      () => parseDirectives(sourceText(text, 'Dockerfile')),
      (error) => error instanceof DockerfileError && error.problem === problem,
    )
  }
})
