/** Scripts that make shells call `berth __complete`. */

const bash = String.raw`# bash completion for berth. Load it with: source <(berth completion bash)
_berth() {
  local line hint=-
  COMPREPLY=()
  {
    IFS= read -r hint
    while IFS= read -r line; do COMPREPLY+=("$line"); done
  } < <("\${COMP_WORDS[0]}" __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case $hint in
    files) compopt -o default 2>/dev/null ;;
    nospace) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _berth berth
`

const zsh = String.raw`#compdef berth
# zsh completion for berth. Load it with: source <(berth completion zsh)
# or write it to a file named _berth in a directory of $fpath.
_berth() {
  local -a lines
  lines=("\${(@f)$(\${words[1]} __complete zsh "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  local hint=$lines[1]
  lines=("\${(@)lines[2,-1]}")
  lines=(\${lines:#})
  case $hint in
    files) _files ;;
    nospace) _describe -V berth lines -S '' ;;
    *) (( $#lines )) && _describe -V berth lines ;;
  esac
}
if [ "$funcstack[1]" = _berth ]; then _berth; else compdef _berth berth; fi
`

const fish = String.raw`# fish completion for berth. Load it with: berth completion fish | source
function __berth_complete
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  set -l lines ($words[1] __complete fish $words[2..-1] "$word" 2>/dev/null)
  if test "$lines[1]" = files
    __fish_complete_path "$word"
  else
    printf '%s\n' $lines[2..-1]
  end
end
complete -c berth -e
complete -c berth -f -a '(__berth_complete)'
`

const powershell = `# PowerShell completion for berth. Load it with: berth completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName berth -ScriptBlock {
  param($word, $ast, $cursor)
  $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $typed = if ("$word" -eq '') { '""' } else { "$word" }
  & $ast.CommandElements[0].ToString() __complete powershell @before $typed 2>$null | Select-Object -Skip 1 | ForEach-Object {
    $value, $description = $_ -split [char]9, 2
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $(if ($description) { $description } else { $value }))
  }
}
`

/** The scripts by the shell's name. */
export const completionScripts: Readonly<Record<string, string>> = Object.fromEntries(
  // In the template literals above, the shells' own ${...} is escaped.
  Object.entries({ bash, fish, powershell, zsh }).map(([shell, text]) => [shell, text.replaceAll('\\${', '${')]),
)
