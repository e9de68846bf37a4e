import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GoTemplate } from './go-template.ts'
import { toGoMaps } from './go-value.ts'

const data = toGoMaps({
  Name: '/web',
  Count: 3,
  Big: 2 ** 40,
  Half: 0.5,
  On: true,
  Off: false,
  Empty: '',
  Nothing: null,
  List: ['b', 'a', 'c'],
  Map: { y: 2, x: 1, 'with.dot': 'd' },
  Deep: { Items: [{ Port: '80' }, { Port: '443' }] },
  Html: `<a href="x">'&'</a>`,
})

/** Template → its output in Go 1.24. */
const cases: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['{{.Name}}', '/web'],
  ['{{ .Name }}', '/web'],
  ['{{.Count}} {{.Big}} {{.Half}} {{.On}}', '3 1099511627776 0.5 true'],
  ['{{.List}}', '[b a c]'],
  ['{{.Map}}', 'map[with.dot:d x:1 y:2]'],
  ['{{.Missing}}', '<no value>'],
  ['{{.Nothing}}', '<no value>'],
  ['{{index .List 1}} {{index .Map "with.dot"}}', 'a d'],
  ['{{(index .Deep.Items 1).Port}}', '443'],
  ['{{len .List}} {{len .Name}} {{len .Map}}', '3 4 3'],
  ['{{range .List}}<{{.}}>{{end}}', '<b><a><c>'],
  ['{{range $i, $v := .List}}{{$i}}={{$v}} {{end}}', '0=b 1=a 2=c '],
  ['{{range $k, $v := .Map}}{{$k}}:{{$v}};{{end}}', 'with.dot:d;x:1;y:2;'],
  ['{{range .Nothing}}x{{else}}none{{end}}', 'none'],
  ['{{range .List}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{end}}', 'bc'],
  ['{{range .List}}{{if eq . "a"}}{{break}}{{end}}{{.}}{{end}}', 'b'],
  ['{{if .On}}yes{{else}}no{{end}} {{if .Off}}yes{{else if .Count}}count{{else}}no{{end}}', 'yes count'],
  ['{{with .Deep}}{{len .Items}}{{end}}{{with .Empty}}x{{else}}y{{end}}', '2y'],
  ['{{$x := .Name}}{{$x}}{{$x = "other"}}{{$x}}', '/webother'],
  ['{{with $x := .Count}}{{$x}}{{end}}', '3'],
  ['{{.Name | printf "%s-%s" "a"}}', 'a-/web'],
  ['{{"quoted\\t"}}{{`raw\\t`}}', 'quoted\traw\\t'],
  ['{{eq .Count 3}} {{ne .Count 3}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 3}}', 'true false true true false false'],
  ['{{eq .Name "a" "/web"}}', 'true'],
  ['{{and .On .Count}} {{or .Off .Empty "last"}} {{not .On}}', '3 last false'],
  ['{{slice .Name 1}} {{slice .List 0 2}}', 'web [b a]'],
  ['{{print 1 2 "a" "b" 3}} {{println "x"}}', '1 2ab3 x\n'.replace('2ab3', '2a b3').replace('a b3', 'ab3')],
  [
    '{{printf "%v %d %5d|%-5d|%05d %x %q %t %.2f %T" .Count 7 7 7 7 255 "q" true 1.5 .Name}}',
    '3 7     7|7    |00007 ff "q" true 1.50 string',
  ],
  ['{{html .Html}}', '&lt;a href=&#34;x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;'],
  [
    '{{json .}}',
    '{"Big":1099511627776,"Count":3,"Deep":{"Items":[{"Port":"80"},{"Port":"443"}]},"Empty":"","Half":0.5,"Html":"<a href=\\"x\\">\'&\'</a>","List":["b","a","c"],"Map":{"with.dot":"d","x":1,"y":2},"Name":"/web","Nothing":null,"Off":false,"On":true}',
  ],
  ['{{json .Map}}', '{"with.dot":"d","x":1,"y":2}'],
  [
    '{{upper "abc"}} {{lower "ABC"}} {{title "abc def"}} {{join (split "b-a-c" "-") "-"}} {{split "a,b" ","}} {{truncate "abcdef" 3}}{{pad "x" 1 2}}|',
    'ABC abc Abc Def b-a-c [a b] abc x  |',
  ],
  ['a {{- " b " -}} c', 'a b c'],
  ['a{{/* comment */}}b {{- /* trim */ -}} c', 'abbc'.replace('abbc', 'abc')],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{$.Name}}{{range .List}}{{$.Count}}{{end}}', '/web333'],
]

for (const [template, expected] of cases) {
  test(`GoTemplate: ${template}`, () => {
    assert.equal(new GoTemplate(template).execute(data), expected)
  })
}

const errors: readonly (readonly [string, string])[] = [
  ['{{.Name', 'template: :1: unclosed action'],
  ['{{if .On}}', 'template: :1: unexpected EOF'],
  ['{{end}}', 'template: :1: unexpected {{end}}'],
  ['{{nope .Name}}', 'template: :1: function "nope" not defined'],
  ['{{$x}}', 'template: :1: undefined variable "$x"'],
  ['{{}}', 'template: :1: missing value for command'],
  ['{{if}}x{{end}}', 'template: :1: missing value for if'],
  ['{{(.Name}}', 'template: :1: unclosed left paren'],
  ['{{break}}', 'template: :1: {{break}} outside {{range}}'],
  ['\n{{"open}}', 'template: :2: unterminated quoted string'],
]

for (const [template, message] of errors) {
  test(`GoTemplate refuses ${JSON.stringify(template)}`, () => {
    assert.throws(() => new GoTemplate(template), { message })
  })
}

test('GoTemplate.execute() names the action that failed', () => {
  const run = (template: string): string => new GoTemplate(template).execute(data)
  assert.throws(
    () => run('{{.Name.Foo}}'),
    /template: :1:7: executing "" at <\.Name\.Foo>: can't evaluate field Foo in type interface \{\}/,
  )
  assert.throws(() => run('{{index .List 9}}'), /error calling index: index out of range: 9/)
  assert.throws(() => run('{{index .List (len .List)}}'), /error calling index: reflect: slice index out of range/)
  assert.throws(() => run('{{index "ab" 2}}'), /error calling index: reflect: string index out of range/)
  assert.throws(() => run('{{range .On}}{{end}}'), /range can't iterate over true/)
  assert.throws(() => run('{{lt .Name 1}}'), /error calling lt: incompatible types for comparison/)
})
