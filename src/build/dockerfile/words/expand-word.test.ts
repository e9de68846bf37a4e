import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expandWord } from './expand-word.ts'
import { ExpansionError } from './expansion-error.ts'
import { replacePattern, trimPrefix, trimSuffix } from './value-pattern.ts'

const variables: Readonly<Record<string, string>> = {
  x: 'foobarbaz',
  empty: '',
  spaced: 'a  b',
  path: '/usr/local/bin',
  under_score: 'u',
  nested: '$x',
  stars: 'a*b*c',
  ünï: 'letters',
}
const lookup = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined)
const expand = (word: string, escaper: '\\' | '`' = '\\') => expandWord(word, lookup, { escape: escaper })

const texts: readonly (readonly [word: string, text: string])[] = [
  // Names.
  ['$x', 'foobarbaz'],
  ['${x}', 'foobarbaz'],
  ['${x}_bar', 'foobarbaz_bar'],
  ['$x_bar', ''],
  ['$under_score-1', 'u-1'],
  ['$ünï', 'letters'],
  ['$none', ''],
  ['a$', 'a$'],
  ['$ x', '$ x'],
  ['$/x', '$/x'],
  ['$1$@$*', ''],
  ['$12', ''],
  ['$$x', 'x'],
  ['$nested', '$x'],
  // Set, empty, unset.
  ['${x:-d}', 'foobarbaz'],
  ['${x-d}', 'foobarbaz'],
  ['${empty:-d}', 'd'],
  ['${empty-d}', ''],
  ['${none:-d}', 'd'],
  ['${none-d}', 'd'],
  ['${none:-}', ''],
  ['${x:+y}', 'y'],
  ['${x+y}', 'y'],
  ['${empty:+y}', ''],
  ['${empty+y}', 'y'],
  ['${none:+y}', ''],
  ['${none+y}', ''],
  ['${x:?no}', 'foobarbaz'],
  ['${empty?no}', ''],
  ['${none:-$x}', 'foobarbaz'],
  ['${none:-${empty:-${x}}}', 'foobarbaz'],
  ["${none:-'$x'}", '$x'],
  ['${none:-a}b}', 'ab}'],
  ['${none:-a\\}b}', 'a}b'],
  // Patterns.
  ['${x#f*b}', 'arbaz'],
  ['${x##f*b}', 'az'],
  ['${x%b*}', 'foobar'],
  ['${x%%b*}', 'foo'],
  ['${x#nothing}', 'foobarbaz'],
  ['${x%}', 'foobarbaz'],
  ['${x#?}', 'oobarbaz'],
  ['${x%???}', 'foobar'],
  ['${x##*}', ''],
  ['${path##*/}', 'bin'],
  ['${path%/*}', '/usr/local'],
  ['${stars#*\\*}', 'b*c'],
  ['${stars#a\\*b}', '*c'],
  ['${stars#a\\?b}', 'a*b*c'],
  ['${x#$none}', 'foobarbaz'],
  ['${x/ba/fo}', 'fooforbaz'],
  ['${x//ba/fo}', 'fooforfoz'],
  ['${x//o/}', 'fbarbaz'],
  ['${path//\\//-}', '-usr-local-bin'],
  ['${x/b*/$empty!}', 'foo!'],
  ['${x//?/.}', '.........'],
  ['${x/ba/$1}', 'foorbaz'],
  ['${none/a/b}', ''],
  // Quotes and escapes.
  ['\\$x', '$x'],
  ['\\${x}', '${x}'],
  ["'$x'", '$x'],
  ['"$x"', 'foobarbaz'],
  ['"\\$x"', '$x'],
  ['"a\\b"', 'a\\b'],
  ['"a\\"b"', 'a"b'],
  ['"a\\\\b"', 'a\\b'],
  ["'a\\b'", 'a\\b'],
  ["'a'\\''b'", "a'b"],
  ['a\\b', 'ab'],
  ['a\\\\b', 'a\\b'],
  ['a\\', 'a'],
  ['a\\ b', 'a b'],
  ['"a"b\'c\'', 'abc'],
  ['""', ''],
  ['"\'"', "'"],
  // JSON has no special meaning.
  ['{"a":1}', '{a:1}'],
]

test('expandWord() replaces variables, resolves quotes and escapes', () => {
  for (const [word, text] of texts) assert.equal(expand(word).text, text, word)
})

test('expandWord() with a backtick as escape character leaves backslashes alone', () => {
  for (const [word, text] of [
    ['c:\\windows\\$x', 'c:\\windows\\foobarbaz'],
    ['`$x', '$x'],
    ['"`""', '"'],
    ['a``b', 'a`b'],
  ] as const) {
    assert.equal(expand(word, '`').text, text, word)
  }
})

test('expandWord() throws errors that name the problem', () => {
  const problems: readonly (readonly [word: string, message: string])[] = [
    ['${', "syntax error: missing '}'"],
    ['${x', "syntax error: missing '}'"],
    ['${x:', 'unsupported modifier (:) in substitution'],
    ['${x:-a', "syntax error: missing '}'"],
    ['${x/a', "syntax error: missing '/' in ${"],
    ['${x/a}', "syntax error: missing '/' in ${"],
    ['${x/a/b', "syntax error: missing '}'"],
    ['${}', 'syntax error: bad substitution'],
    ['${:-a}', 'syntax error: bad substitution'],
    ['${{x}}', 'syntax error: bad substitution'],
    ['${x^y}', 'unsupported modifier (^) in substitution'],
    ['${x:0:1}', 'unsupported modifier (:0) in substitution'],
    ['${^x}', 'unsupported modifier (^) in substitution'],
    ["'a", 'unexpected end of statement while looking for matching single-quote'],
    ['"a', 'unexpected end of statement while looking for matching double-quote'],
    ['"a\\', 'unexpected end of statement while looking for matching double-quote'],
    ['${none?}', 'none: is not allowed to be unset'],
    ['${none:?}', 'none: is not allowed to be unset'],
    ['${empty:?}', 'empty: is not allowed to be empty'],
    ['${none?give it with $x}', 'none: give it with foobarbaz'],
    ['${a:-'.repeat(200), 'too many nested substitutions'],
    ['$x'.repeat(500_000), 'result is longer than 4194304 characters'],
  ]
  for (const [word, message] of problems) {
    assert.throws(
      () => expand(word),
      (error) => error instanceof ExpansionError && error.message === message,
      word,
    )
  }
})

test('expandWord() splits at unquoted white space, including white space from variables', () => {
  for (const [word, words] of [
    ['a b', ['a', 'b']],
    ['$spaced', ['a', 'b']],
    ['"$spaced"', ['a  b']],
    ['x$spaced', ['xa', 'b']],
    ['a\\ b c', ['a b', 'c']],
    ["'a b' c", ['a b', 'c']],
    ['$empty', []],
    ['""', ['']],
    ['$none 80', ['80']],
  ] as const) {
    assert.deepEqual(expand(word).words, words, word)
  }
})

test('expandWord() lists the variables that the result depends on', () => {
  const { used, undefinedNames, lookedUp } = expand('$x${none}${other:-d}${third+y}"${fourth#a}"\\$no\'$never\'')
  assert.deepEqual([...used], ['x'])
  assert.deepEqual([...undefinedNames], ['none', 'fourth'])
  assert.deepEqual([...lookedUp], ['x', 'none', 'other', 'third', 'fourth'])
})

test('expandWord() keeps the quotes of a here-document, and expands its variables and escapes', () => {
  const options = { escape: '\\', plainQuotes: true } as const
  const content = 'it\'s "$x"\n\\$x\n'
  assert.equal(expandWord(content, lookup, options).text, 'it\'s "foobarbaz"\n$x\n')
})

test('expandWord() gives any text without special characters unchanged', () => {
  for (const text of randomTexts('ab cd/.-_{}[]*?:=+#%€😀\n', 300)) assert.equal(expand(text).text, text)
})

test('expandWord() restores any text that was escaped or quoted', () => {
  for (const text of randomTexts('a$b{}\\\'"` *x', 300)) {
    assert.equal(expand(text.replace(/[\s\S]/gu, '\\$&')).text, text)
    assert.equal(expand(`"${text.replace(/["$\\]/g, '\\$&')}"`).text, text)
    assert.equal(expand(`'${text.replaceAll("'", "'\\''")}'`).text, text)
  }
})

test('trimPrefix(), trimSuffix() agree with a search over all ends', () => {
  const texts = randomTexts('aab', 60)
  for (const pattern of ['a', 'a*', '*a', 'a*b', '*', '?', 'a?*b', '*a*b*', '', 'b*a*']) {
    const whole = new RegExp(`^${pattern.replace(/\*/g, '.*').replace(/\?/g, '.')}$`, 's')
    for (const text of texts) {
      const ends = Array.from({ length: text.length + 1 }, (_, end) => end)
      const heads = ends.filter((end) => whole.test(text.slice(0, end)))
      const tails = ends.filter((end) => whole.test(text.slice(end)))
      assert.equal(trimPrefix(text, pattern, false), text.slice(heads[0] ?? 0))
      assert.equal(trimPrefix(text, pattern, true), text.slice(heads.at(-1) ?? 0))
      assert.equal(trimSuffix(text, pattern, false), text.slice(0, tails.at(-1) ?? text.length))
      assert.equal(trimSuffix(text, pattern, true), text.slice(0, tails[0] ?? text.length))
    }
  }
})

test('replacePattern() finds what a greedy regular expression finds', () => {
  for (const pattern of ['a', 'a*', 'a*b', '?b', 'ab', 'b?*a']) {
    const source = pattern.replace(/\*/g, '.*').replace(/\?/g, '.')
    for (const text of randomTexts('aabc', 80)) {
      assert.equal(replacePattern(text, pattern, '<>', false), text.replace(new RegExp(source, 's'), '<>'))
      assert.equal(replacePattern(text, pattern, '<>', true), text.replace(new RegExp(source, 'gs'), '<>'))
    }
  }
})

test('replacePattern() does not take exponential time', () => {
  const text = 'a'.repeat(5000)
  assert.equal(replacePattern(text, '*a*a*a*a*a*a*b', '-', true), text)
  assert.equal(trimPrefix(text, '*a*a*a*a*a*a*b', true), text)
})

/** The same texts on every run: a small generator with a fixed seed. */
function randomTexts(alphabet: string, count: number): string[] {
  const chars = [...alphabet]
  let seed = 7
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  return Array.from({ length: count }, () => Array.from({ length: next(12) }, () => chars[next(chars.length)]).join(''))
}
