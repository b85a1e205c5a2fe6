"""Completion of command lines in bash, zsh and fish.

A script in the shell calls the program with the words that were typed, by a variable of the
environment; click finds what they stand for, and the parameters say what they take. Here is what
the shells do differently: bash splits words at = and :, the others replace a word as a whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from deephyper.core.cli.main import completion_variable


def register() -> None:
    """Let click answer the scripts of :func:`script`."""
    for each in _CLASSES.values():
        add_completion_class(each)


def script(shell: str, programs: Mapping[str, click.Command]) -> str:
    """Return the script that a shell has to read.

    Args:
        shell: bash, zsh or fish.
        programs: name -> the program's commands.
    """
    made = [
        _CLASSES[shell](command, {}, name, completion_variable(name))
        for name, command in programs.items()
    ]
    head = f"# Completion for {' and '.join(programs)}; from: deephyper completion {shell}\n"
    return head + "".join(each.source_template % each.source_vars() for each in made)


class _Quiet(ShellComplete):
    """Offers nothing where a command line can't be understood: an error would stand in the way."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        with contextlib.suppress(Exception):
            return super().get_completions(args, incomplete)
        return []


class _WholeWord(_Quiet):
    """For a shell that replaces ``--option=value`` as a whole."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        found = super().get_completions(args, incomplete)
        option, separator, _ = incomplete.partition("=")
        if not separator or not option.startswith("--"):
            return found
        return [
            CompletionItem(f"{option}={each.value}", help=each.help)
            if each.type == "plain"
            else each
            for each in found
        ]


class _Bash(_Quiet, BashComplete):
    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[:=] ]] && compopt -o nospace ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
        %(complete_var)s=bash_complete "${1/#\\~/$HOME}" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        *args, incomplete = _joined([*args, incomplete])
        return args, incomplete


def _joined(words: Sequence[str]) -> list[str]:
    """Return words that bash has split as they were typed."""
    joined: list[str] = []
    goes_on = False
    for word in words:
        separates = bool(word) and not word.strip("=:")
        if joined and (separates or goes_on):
            joined[-1] += word
        else:
            joined.append(word)
        goes_on = separates
    return joined


class _Zsh(_WholeWord, ZshComplete):
    source_template = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
%(complete_func)s() {
    local -a answer described plain open
    local kind value help word=${(Q)PREFIX}
    answer=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
        %(complete_var)s=zsh_complete ${~${(Q)words[1]}} 2>/dev/null)}")
    for kind value help in "${answer[@]}"; do
        [[ $kind != plain && $word == ?*"$value" ]] && compset -p $(( $#word - $#value ))
        case $kind in
            plain)
                if [[ $help != _ ]]; then described+=("$value:$help")
                elif [[ $value == *[:=] ]]; then open+=("$value")
                else plain+=("$value"); fi ;;
            dir) _path_files -/ ;;
            file) _path_files ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
    (( $#open )) && compadd -U -S '' -V unsorted -a open
}
compdef %(complete_func)s %(prog_name)s
"""


class _Fish(_WholeWord, FishComplete):
    source_template = """\
function %(complete_func)s
    set -l typed (commandline -cp | string join ' ')
    set -l word (commandline -ct)
    set -l program (commandline -po)[1]
    for line in (env COMP_WORDS="$typed" COMP_CWORD="$word" %(complete_var)s=fish_complete \\
        (string replace -r '^~' $HOME -- $program) 2>/dev/null)
        set -l answer (string split -m 1 ',' -- $line)
        set -l path (string escape --style=regex -- "$answer[2]")
        set -l prefix (string replace -r -- "$path\\$" '' (string unescape -- "$word"))
        switch $answer[1]
            case plain
                printf '%%s\\n' $answer[2]
            case dir
                printf '%%s\\n' $prefix(__fish_complete_directories "$answer[2]" '')
            case file
                printf '%%s\\n' $prefix(__fish_complete_path "$answer[2]")
        end
    end
end
complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


_CLASSES: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
