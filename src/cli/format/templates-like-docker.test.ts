/** The same templates, run by the official CLI with Go's own engine and by `berth`, must give the same text or
 *  error. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeEngine, startFakeEngine } from '../testing/fake-engine.ts'
import { dockerPath, runBerth, runDocker } from '../testing/run-cli.ts'

let engine: FakeEngine
const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

before(async () => {
  engine = await startFakeEngine({
    'GET /volumes/v': {
      Name: 'a <b> & "c"',
      Driver: '',
      Mountpoint: 'ünïcode\ttab',
      Labels: { b: '2', a: '1', 'with.dot': 'd' },
      Options: null,
      Scope: 'local',
      // Values of any type.
      Status: {
        n: 5,
        f: 1.5,
        big: 12345678901,
        l: [1, 'a', null, [2]],
        s: ['x', 'y'],
        m: { k: 'v' },
        z: null,
        t: true,
        e: '',
      },
    },
  })
})
after(() => engine?.close())

const templates = String.raw`
plain
{{.Name}}|{{ .Name }}|{{- .Name -}}|{{.Driver}}|
{{.Labels}} {{.Options}} {{.Status}}
{{.Labels.a}} {{.Labels.nope}} {{.Options.nope}} {{.Status.nope}} {{.Status.z}} {{.Status.m.k}} {{.Status.m.nope}}
{{.Status.n}} {{.Status.f}} {{.Status.big}} {{.Status.t}}
{{index .Labels "with.dot"}} {{index .Status.l 1}} {{index .Status.l 3 0}} {{index .Status "m" "k"}} {{index .Labels "no"}}| {{index .Status "no"}}
{{index .Name 0}} {{index .Status.l 9}}
{{index .Status.l -1}}
{{index .Status.l "a"}}
{{index .Status.l 1.0}}
{{index .Labels 1}}
{{index .Labels nil}}
{{index .Status.z 1}}
{{index 5 1}}
{{index .Status.l}}
{{index}}
{{slice .Name 2}} {{slice .Name 2 5}} {{slice .Status.l 1 3}} {{slice .Status.s}}
{{slice .Name 2 99}}
{{slice .Name 3 2}}
{{slice .Name 1 2 3}}
{{slice .Labels 1}}
{{slice .Status.l 0 1 2 3}}
{{len .Name}} {{len .Labels}} {{len .Status.l}} {{len .Options}} {{len .Mountpoint}}
{{len .Status.n}}
{{len .Status.z}}
{{len nil}}
{{range .Status.l}}<{{.}}>{{end}}
{{range $i, $e := .Status.l}}{{if $i}}, {{end}}{{$i}}={{$e}}{{end}}
{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}} {{range .Labels}}{{.}}{{end}} {{range $x := .Labels}}{{$x}}{{end}}
{{range .Options}}x{{else}}none{{end}} {{range .Status.z}}x{{else}}nothing{{end}}
{{range 3}}{{.}}{{end}} {{range $i := 2}}{{$i}}{{else}}no{{end}} {{range 0}}x{{else}}zero{{end}}
{{range $i, $j := 3}}{{end}}
{{range .Name}}{{end}}
{{range .Status.t}}{{end}}
{{range .Status.n}}{{end}}
{{range .Status.l}}{{if not .}}{{continue}}{{end}}{{if eq (printf "%v" .) "a"}}{{break}}{{end}}{{.}}{{end}}
{{range .Status.s}}{{range $.Status.s}}{{.}}{{break}}{{end}}-{{end}}
{{range .Status.s}}{{.Foo}}{{end}}
{{break}}
{{continue}}
{{range .Status.s}}{{break 1}}{{end}}
{{if .Driver}}a{{else if .Status.e}}b{{else if .Status.n}}c{{else}}d{{end}}
{{if .Options}}a{{end}}{{if .Labels}}b{{end}}{{if .Status.z}}c{{end}}{{if .Status.nope}}d{{end}}{{if 0}}e{{end}}{{if 0.0}}f{{end}}{{if "x"}}g{{end}}{{if nil}}h{{end}}
{{if true}}a{{end}}{{if not true}}b{{end}}{{if not .Options}}c{{end}}
{{with .Status}}{{.n}} {{$.Name}}{{else}}no{{end}} {{with .Driver}}x{{else}}empty{{end}} {{with .Driver}}x{{else with .Scope}}{{.}}{{end}}
{{with $x := .Scope}}{{$x}} {{.}}{{end}}
{{with .Driver}}x{{else if .Scope}}y{{end}}
{{if .Driver}}x{{else with .Scope}}y{{end}}
{{$x := .Scope}}{{$x}}{{$x = "other"}}{{$x}} {{$y := 1}}{{if true}}{{$y = 2}}{{$z := 3}}{{$z}}{{end}}{{$y}}
{{$x := 1}}{{range $i, $e := .Status.s}}{{$x = $i}}{{end}}{{$x}} {{$a := 1}}{{$b := 2}}{{range $a, $b = .Status.s}}{{end}}{{$a}}{{$b}}
{{$x}}
{{$x = 1}}
{{$x := 1 2}}
{{$x, $y := .Labels}}
{{if $x := true}}{{$x}}{{end}}{{$x}}
{{$x := .Status}}{{$x.n}} {{$x.m.k}} {{$.Name}}
{{and true .Scope}} {{and .Driver .Nope}} {{or .Driver .Scope .Nope}} {{or .Driver ""}}| {{and 1 0 2}} {{not 1}} {{not ""}}
{{and}}
{{or}}
{{not}}
{{not 1 2}}
{{eq 1 1}} {{eq 1 2 3 1}} {{eq "a" "a"}} {{eq 1.0 1.0}} {{eq true true}} {{eq .Scope "local"}} {{eq .Status.f 1.5}} {{eq .Status.t true}} {{eq .Status.z nil}} {{eq nil nil}} {{eq .Options nil}}
{{eq 1}}
{{eq 1 1.0}}
{{eq 1 "1"}}
{{eq .Status.n 5}}
{{eq .Status.n 5.0}}
{{eq .Labels .Labels}}
{{eq .Status.l .Status.l}}
{{eq .Status.nope "x"}}
{{eq .Scope nil}}
{{ne 1 2}} {{ne "a" "a"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 2.5}} {{lt "a" "b"}}
{{lt 1 "a"}}
{{lt true false}}
{{lt .Labels .Labels}}
{{lt nil 1}}
{{ne 1 2 3}}
{{lt 1}}
{{print}}|{{print 1 2 "a" "b" 3 4}}|{{print .Status.l nil true}}|{{println}}{{println 1 "a" .Labels}}
{{printf "%s %v %q %x %X % x %#x" .Scope .Scope .Scope .Scope .Scope .Scope .Scope}}
{{printf "%d %5d|%-5d|%05d|%+d|% d|%x %X %#x %o %#o %O %b %#b %c %q %U %#U" 7 7 7 7 7 7 255 255 255 8 8 8 5 5 97 97 97 97}}
{{printf "%f %.2f %8.3f|%-8.1f|%08.2f %e %E %g %G %+.1f" 1.5 1.5 1.5 1.5 1.5 1.5 1.5 1.5 1.5e30 1.5}}
{{printf "%t %v %5t|%-7t|" true false true false}}
{{printf "%v %v %v" .Labels .Status.l .Options}} {{printf "%+v %T %T %T %T %T" .Labels 1 "a" 1.5 true nil}} {{printf "%T %T %T" .Status .Status.l .Labels}}
{{printf "%#v %#v %#v %#v %#v %#v" 1 "a" true .Labels .Status.s nil}}
{{printf "%10s|%-10s|%.3s|%10.3s|%q|%+q|%#q" "abc" "abc" "abcdef" "abcdef" "a\"b\n" "ü" "raw"}}
{{printf "%5q|%-8q|%x|%X" "a" "b" "héllo" "héllo"}}
{{printf "%*d|%-*d|%.*f" 5 1 5 2 2 3.14159}}
{{printf "%[2]d %[1]d" 1 2}} {{printf "%[3]d" 1 2}} {{printf "%[x]d" 1}} {{printf "%[2]*[1]d" 1 5}}
{{printf "%d"}} {{printf "%d" "a"}} {{printf "%s" 1}} {{printf "%z" 1}} {{printf "%"}} {{printf "%%"}} {{printf "a" 1 "b"}} {{printf "%s" nil}} {{printf "%d" nil}} {{printf "%!" 1}}
{{printf "%s %d %v" .Status.l .Status.l .Status.l}} {{printf "%5d" .Status.s}} {{printf "%q" .Status.s}} {{printf "%s" .Labels}}
{{printf "%v %d %s %x" .Status.n .Status.n .Status.n .Status.n}}
{{printf "%6.2f|%s" 3.14159 true}} {{printf "%t" 1}} {{printf "%c%c" 228 128512}} {{printf "%08b" 5}} {{printf "%+.3e" 123456.789}} {{printf "%g %g %g" 100000.0 1000000.0 1e21}}
{{printf "%v %v %v %v" 1e6 123456789.0 0.00001 100.0}} {{printf "%.3g %.10g %g" 1234.5678 1234.5678 1e-7}}
{{printf "% d|%+d|%x|%X" -5 5 -255 -255}} {{printf "%010d|%-010d|%+05d" -5 -5 5}} {{printf "%6.3d|%.0d|%+.2d" 5 0 7}}
{{printf 1}}
{{printf}}
{{printf .Status.n}}
{{printf .Nope}}
{{html "<a href='x'>\"&\"</a>"}} {{html .Name 1}} {{html nil}} {{.Name | html}} {{html .Status.nope}}
{{js "it's <b> \"x\" & = \\ \n \t é"}} {{js 1 2}}
{{urlquery "a b/c?d=e&f~g-h_i.j!k'(l)*"}} {{urlquery "ü" 1}}
{{call .Name}}
{{call nil}}
{{call}}
{{json .}}
{{json .Labels}} {{json .Status}} {{json .Options}} {{json .Name}} {{json 1.0}} {{json nil}} {{json "a\u2028b"}}
{{json}}
{{json 1 2}}
{{split "a,b,c" ","}} {{split "" ","}} {{split "abc" ""}} {{len (split "a,b" ",")}} {{index (split "a,b" ",") 1}} {{range split "a,b" ","}}<{{.}}>{{end}}
{{split .Labels ","}}
{{split "a"}}
{{split 1 ","}}
{{join (split "a,b,c" ",") "-"}} {{split "a,b" "," | join}}
{{join .Status.s ","}}
{{join .Labels ","}}
{{join "abc" ","}}
{{join nil ","}}
{{"-" | join (split "a,b" ",")}}
{{upper "aé"}} {{lower "AÉ"}} {{title "hello wide-world it's a_b 1st"}} {{.Scope | upper | printf "%s!"}}
{{upper 1}}
{{upper .Status.n}}
{{upper .Status.nope}}
{{upper nil}}
{{upper .Labels.nope}}|
{{pad "x" 1 2}}| {{pad "" 1 2}}| {{pad .Scope 0 3}}|
{{pad "x" "1" 2}}
{{pad "x" 1}}
{{pad "x" .Status.n 1}}
{{pad "x" 1.0 1}}|
{{pad "x" 1.5 1}}
{{truncate "abcdef" 3}} {{truncate "ab" 3}} {{truncate "abc" 0}}|
{{truncate "abc" "x"}}
{{1}} {{1.5}} {{"a"}} {{true}} {{'a'}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{1_000}} {{1e3}} {{-5}} {{+5}} {{.5}} {{1.}} {{1e6}}
{{nil}}
{{1 2}}
{{"a" 1}}
{{. 1}}
{{.Name 1}}
{{.Name | 1}}
{{.Name | nil}}
{{.Name | "a"}}
{{.Name | .Scope}}
{{1 | .Labels.a}}
{{.Labels.a 1}}
{{(.Labels).a}} {{(index .Status.l 1)}} {{(printf "%s" "x") | upper}} {{((1))}} {{(.Status).m.k}} {{(.Status.m).nope}}
{{(.Name).Foo}}
{{(1).Foo}}
{{(1) 2}}
{{"a".Foo}}
{{1.Foo}}
{{nil.Foo}}
{{true.Foo}}
{{..}}
{{.Name.Foo}}
{{.Status.n.Foo}}
{{.Status.z.Foo}}
{{.Status.nope.Foo}}
{{.Options.a.b}}
{{.Labels.a.b}}
{{.Nope}}
{{.Nope.A.B}}
{{.Status.m.k.x}}
{{.name}}
{{.Name
{{
{{}}
{{ }}
{{-}}
{{- }}
{{/* comment */}}a{{- /* trim */ -}} b {{/* x */ -}} c
{{/* open
{{/* a */ b}}
{{ /* a */ }}
a  {{- "b" -}}  c {{- " d " }} e {{ "f" -}} g
{{"a" -}}{{"b"}}
{{3 -}} x {{- 4}} {{1 -2}}
{{if .Name}}
{{if}}x{{end}}
{{range}}x{{end}}
{{with}}x{{end}}
{{end}}
{{else}}
{{if 1}}a{{else}}b{{else}}c{{end}}
{{if 1}}a{{else 2}}b{{end}}
{{if 1}}a{{end 1}}
{{range .Status.s}}{{else}}{{else}}{{end}}
{{nope}}
{{nope .Name}}
{{.Name | nope}}
{{.Name | }}
{{| .Name}}
{{.Name || .Name}}
{{(.Name}}
{{.Name)}}
{{()}}
{{(}}
{{.Name,}}
{{.Name = 1}}
{{.Name := 1}}
{{a := 1}}
{{"open}}
{{'open}}
{{'ab'}}
{{''}}
{{"\z"}}
{{"\u00e9\x41\101\t|"}}
{{${'`'}raw\n${'`'}}}
{{${'`'}open}}
{{1x}}
{{0x}}
{{1__0}}
{{09}}
{{#}}
{{.Name&}}
{{.Name!}}
{{$.}}
{{$x.Name}}
{{: }}
{{.Name ? 1}}
{{.Name.}}
{{. Name}}
{{define "x"}}[{{.}}]{{end}}{{template "x" .Scope}}{{template "x"}}{{template "x" 1}}
{{template "nope"}}
{{template}}
{{template x}}
{{define x}}{{end}}
{{define "x"}}
{{define "x"}}{{.Nope.Foo}}{{end}}{{template "x" .}}
{{define "x"}}{{$}}{{$y}}{{end}}
{{if 1}}{{define "x"}}{{end}}{{end}}
{{block "b" .Scope}}<{{.}}>{{end}}
{{block "b"}}x{{end}}
{{define "b"}}mine {{.}}{{end}}{{block "b" .Scope}}<{{.}}>{{end}}
{{define "r"}}{{if .}}{{len .}}{{template "r" (slice . 1)}}{{end}}{{end}}{{template "r" "abc"}}
{{template "x" 1 2}}
{{range $i, $e, $f := .Labels}}{{end}}
{{range $i,}}{{end}}
{{if true}}{{end}}{{end}}
{{print (index .Labels "a") (len .Name)}} {{print (and 1 2)}} {{len (print 1 2 3)}}
{{print 1 | print 2 | print 3}}
{{.Scope | printf "%s %s" "a"}} {{1 | eq 1}} {{"b" | index .Labels}}
{{index .Status.m "k" | upper}}
{{upper (index .Status.m "k")}}
{{upper (index .Status.s 0)}} {{range .Status.s}}{{upper .}}{{end}}
{{printf "%s" (index .Status.l 1)}}{{with index .Status.l 2}}x{{else}}nil{{end}}
{{len (index .Status.l 2)}}
{{(index .Status.l 3)}} {{index (index .Status.l 3) 0}}
{{true | not}} {{not (eq 1 2)}} {{and (eq 1 1) (ne 1 2)}} {{or (lt 2 1) (gt 2 1)}}
{{range $k, $v := .Status}}{{$k}}={{$v}} {{end}}
`
  .trim()
  .split('\n')

for (const template of templates) {
  test(`template ${template}`, { skip }, async () => {
    const args = ['-H', `unix://${engine.socketPath}`, 'volume', 'inspect', '-f', template, 'v']
    const [expected, actual] = await Promise.all([runDocker(args), runBerth(args)])
    assert.deepEqual(actual, expected)
  })
}
