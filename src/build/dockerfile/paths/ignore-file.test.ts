import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyPattern } from './copy-pattern.ts'
import { IgnoreMatcher, ignoreFileNames, parseIgnoreFile, plainPatterns } from './ignore-file.ts'
import { PathPattern } from './path-pattern.ts'
import { hasWildcard } from './path-segment.ts'

/** Pattern, paths that it matches, paths that it does not match. */
const patterns: readonly (readonly [pattern: string, yes: string, no: string])[] = [
  ['a', 'a', 'b a/b A'],
  ['a/b', 'a/b', 'a b a/b/c'],
  ['*', 'a .x a.b', 'a/b'],
  ['*.c', '.c a.c a.b.c', 'a.cc a/b.c c'],
  ['a*', 'a ab a.', 'ba'],
  ['a*z', 'az abz', 'a z abzy'],
  ['*a*a*', 'aa bacad', 'a ba'],
  ['?', 'a é 😀', 'ab'],
  ['a?c', 'abc', 'ac abbc a/c'],
  ['[a-c]x', 'ax cx', 'dx x'],
  ['[^a-c]x', 'dx', 'ax'],
  ['[a\\]]x', ']x ax', 'bx'],
  ['[\\-x]', '- x', 'a'],
  ['a\\*b', 'a*b', 'aab'],
  ['\\[x', '[x', 'x'],
  // Characters of regular expressions have no special meaning.
  ['a+b', 'a+b', 'aab ab'],
  ['(a|b)', '(a|b)', 'a b'],
  ['{x}', '{x}', 'x'],
  ['^a$', '^a$', 'a'],
  ['*.t(1)', 'a.t(1)', 'a.t1'],
  ['**', 'a a/b .x/y/z', ''],
  ['**/a', 'a b/a b/c/a', 'ab ba a/b'],
  ['**/*.go', 'a.go b/a.go b/c/a.go', 'a.goo b/a.go/c'],
  ['a/**', 'a/b a/b/c', 'a b/a'],
  ['a/**/b', 'a/b a/x/b a/x/y/b', 'a b a/xb'],
  ['**/a/**', 'a/b x/a/b x/a/b/c', 'a x/a'],
  ['**a', 'a x/a', 'xa'],
  ['a**', 'a ab a/b ab/c', 'b/a'],
  ['a**b', 'ab a/b ax/b a/x/b axx/y/b', 'axb a'],
  ['**/**/a', 'a b/a b/c/a', 'b'],
  ['[*][*]', '**', 'ab'],
  ['\\**', '* *a', 'a'],
]

test('PathPattern matches like filepath.Match, with ** for any number of parts', () => {
  for (const [pattern, yes, no] of patterns) {
    const compiled = new PathPattern(pattern)
    for (const path of yes.split(' ')) assert.ok(compiled.matches(path), `${pattern} should match ${path}`)
    for (const path of no.split(' ').filter((one) => one !== '')) {
      assert.ok(!compiled.matches(path), `${pattern} should not match ${path}`)
    }
  }
})

test('PathPattern treats ** like * without doubleStar', () => {
  const compiled = new PathPattern('**/x', { doubleStar: false })
  assert.ok(compiled.matches('a/x'))
  assert.ok(!compiled.matches('a/b/x'))
  assert.ok(!compiled.matches('x'))
})

test('PathPattern refuses malformed patterns', () => {
  for (const pattern of ['[', '[]', '[]a]', '[a', '[a-', '[a-]', '[-a]', 'a\\', '[^]', 'x/[']) {
    assert.throws(() => new PathPattern(pattern), { kind: 'invalidArgument' }, pattern)
  }
})

test('PathPattern does not take exponential time', () => {
  const compiled = new PathPattern('*a*a*a*a*a*a*a*b/**/*a*a*a*b')
  assert.ok(!compiled.matches(`${'a'.repeat(200)}/${'a'.repeat(200)}`))
})

/** Ignore file, paths that are ignored, paths that are not. */
const files: readonly (readonly [text: string, ignored: string, kept: string])[] = [
  ['a', 'a a/b a/b/c', 'b b/a'],
  ['/a\n./b\nc/\nd/../e\n  f  ', 'a b c c/x e f', 'd'],
  ['# a\n\n#b', '', 'a b'],
  [' #a', '#a', 'a'],
  ['*.md\n!README.md', 'a.md', 'README.md d/a.md'],
  ['*.md\n!README*.md\nREADME-secret.md', 'a.md README-secret.md', 'README.md'],
  ['*.md\nREADME-secret.md\n!README*.md', 'a.md', 'README.md README-secret.md'],
  ['*\n!src', 'a b/c', 'src src/a src/a/b'],
  ['a\n!a/b', 'a a/c', 'a/b a/b/c'],
  ['a\n!a/b\na/b/c', 'a a/b/c a/b/c/d', 'a/b a/b/d'],
  ['!a', '', 'a b'],
  ['! a\na\n!  a', '', 'a'],
  ['*/temp*\n*/*/temp*\ntemp?', 'x/temporary.txt x/y/temporary.txt tempa', 'temp x/y/z/temp temporary.txt'],
  ['**/*.o', 'a.o x/a.o x/y/a.o', 'a.c'],
  ['.', '', 'a'],
  ['/', '', 'a'],
  ['../a', '', 'a'],
  ['\uFEFFa\r\nb\r\n', 'a b', 'c'],
]

test('IgnoreMatcher decides by the last pattern that matches a path or a directory above it', () => {
  for (const [text, ignored, kept] of files) {
    const matcher = new IgnoreMatcher(parseIgnoreFile(text))
    for (const path of ignored.split(' ').filter((one) => one !== ''))
      assert.ok(matcher.ignores(path), `${text}: ${path}`)
    for (const path of kept.split(' ').filter((one) => one !== ''))
      assert.ok(!matcher.ignores(path), `${text}: ${path}`)
  }
  assert.ok(!new IgnoreMatcher(['**']).ignores('.'))
  assert.ok(new IgnoreMatcher(['a']).ignores('./x/../a/'))
  assert.ok(new IgnoreMatcher([]).isEmpty)
  assert.ok(!new IgnoreMatcher(['a']).isEmpty)
})

test('IgnoreMatcher names the pattern that is malformed', () => {
  assert.throws(() => new IgnoreMatcher(['a', 'b[']), {
    kind: 'invalidArgument',
    message: 'failed to parse ignore pattern: syntax error in pattern: "b["',
  })
  assert.throws(() => new IgnoreMatcher(['!']), { message: 'illegal exclusion pattern: "!"' })
})

test('IgnoredDirectory shows which directories a walk can skip', () => {
  const worth = (patternList: string[], path: string) => new IgnoreMatcher(patternList).at(path).worthEntering
  assert.equal(worth(['a'], 'a'), false)
  assert.equal(worth(['a'], 'b'), true)
  assert.equal(worth(['a', '!a/b/c'], 'a'), true)
  assert.equal(worth(['a', '!a/b/c'], 'a/b'), true)
  assert.equal(worth(['a', '!a/b/c'], 'a/x'), false)
  assert.equal(worth(['!a/b/c', 'a'], 'a'), false)
  assert.equal(worth(['a', '!**/x'], 'a/b/c'), true)
})

test('IgnoredDirectory gives the same result as trying all patterns on all parents', () => {
  const next = randomNumbers()
  const names = ['a', 'b', 'ab', 'c']
  const parts = [...names, '*', 'a*', '?', '**']
  const pick = (list: readonly string[]) => list[next(list.length)] ?? ''
  const path = (from: readonly string[]) => Array.from({ length: 1 + next(4) }, () => pick(from)).join('/')
  for (let round = 0; round < 150; round += 1) {
    const lines = Array.from({ length: 1 + next(5) }, () => (next(3) === 0 ? '!' : '') + path(parts))
    const matcher = new IgnoreMatcher(lines)
    for (let i = 0; i < 20; i += 1) {
      const tried = path(names)
      assert.equal(matcher.ignores(tried), slowlyIgnored(lines, tried), `${lines.join(' ')}: ${tried}`)
      if (!matcher.at(tried).worthEntering) {
        const below = `${tried}/${path(names)}`
        assert.ok(matcher.ignores(below), `${lines.join(' ')}: ${below}`)
      }
    }
  }
})

test('IgnoreMatcher lets a walk skip ignored directories', () => {
  const matcher = new IgnoreMatcher(['node_modules', '**/*.log', '!keep.log'])
  let visited = 0
  const walk = (place: ReturnType<IgnoreMatcher['root']>, depth: number) => {
    for (const name of ['node_modules', 'src', 'x.log']) {
      visited += 1
      const entry = place.enter(name)
      if (depth < 9 && entry.worthEntering) walk(entry, depth + 1)
    }
  }
  walk(matcher.root(), 0)
  // One of three directories at the root. Further down, `node_modules` is like any other directory.
  assert.equal(matcher.root().enter('node_modules').worthEntering, false)
  assert.ok(visited < 4 * 2 ** 10)
})

test("ignoreFileNames() prefers the Dockerfile's own ignore file", () => {
  assert.deepEqual(ignoreFileNames('Dockerfile'), ['Dockerfile.dockerignore', '.dockerignore'])
  assert.deepEqual(ignoreFileNames('docker/web.Dockerfile'), ['docker/web.Dockerfile.dockerignore', '.dockerignore'])
})

test('copyPattern() splits a source into a start directory and a pattern', () => {
  const facts = (source: string, parents = false) => {
    const { directory, pattern, pivot } = copyPattern(source, { parents })
    return [directory, pattern !== undefined, pivot]
  }
  assert.deepEqual(facts('a/b'), ['a/b', false, 0])
  assert.deepEqual(facts('/a//b/'), ['a/b', false, 0])
  assert.deepEqual(facts('.'), ['.', false, 0])
  assert.deepEqual(facts('../../a'), ['a', false, 0])
  assert.deepEqual(facts('src/*.c'), ['src', true, 0])
  assert.deepEqual(facts('*'), ['.', true, 0])
  assert.deepEqual(facts('a\\*b'), ['a*b', false, 0])
  assert.deepEqual(facts('x/./y/*.txt', true), ['x/y', true, 1])
  assert.deepEqual(facts('./src/**/*.txt', true), ['src', true, 0])
  assert.ok(copyPattern('src/**/*.txt', { parents: true }).pattern?.matches('a.txt'))
  assert.ok(copyPattern('arr[[]0].txt').pattern?.matches('arr[0].txt'))
  assert.ok(!copyPattern('src/**/*.txt').pattern?.matches('a/b/c.txt'))
})

test('hasWildcard() finds unescaped wildcards', () => {
  for (const text of ['*', 'a?', '[', 'a\\\\*']) assert.ok(hasWildcard(text), text)
  for (const text of ['', 'a', 'a\\*', '\\[a]', 'a]']) assert.ok(!hasWildcard(text), text)
})

/** The rule as the documentation states it, without optimizations. */
function slowlyIgnored(lines: readonly string[], path: string): boolean {
  const parts = path.split('/')
  let ignored = false
  for (const line of lines) {
    const negated = line.startsWith('!')
    const regexp = new RegExp(`^${slowSource(negated ? line.slice(1) : line)}$`)
    const matches = parts.some((_, index) => regexp.test(parts.slice(0, index + 1).join('/')))
    if (matches) ignored = !negated
  }
  return ignored
}

function slowSource(pattern: string): string {
  return pattern.replace(/\*\*\/|\*\*$|\*|\?/g, (found) => {
    if (found === '**/') return '(?:[^/]+/)*'
    if (found === '**') return '.+'
    return found === '*' ? '[^/]*' : '[^/]'
  })
}

function randomNumbers(): (below: number) => number {
  let seed = 11
  return (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
}

test('plainPatterns() removes slashes at the beginning and end', () => {
  const patterns = parseIgnoreFile('# c\n/a\n!/b/\n./c/../d\n! e\n.\n/\n**/f\n')
  assert.deepEqual(plainPatterns(patterns), ['a', '!b', 'd', '!e', '**/f'])
  assert.throws(() => plainPatterns(['!']), /illegal exclusion pattern/)
})
