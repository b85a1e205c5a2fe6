"""Completion of command lines: what is offered, and that real shells take it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from deephyper.core.cli import groups
from deephyper.core.cli.shell_completion import _CLASSES
from tests.cli.command_line import Run

REPOSITORY = Path(__file__).resolve().parents[2]
SHELLS = ("bash", "zsh", "fish")


def offered(words: str, incomplete: str = "", shell: str = "zsh") -> list[str]:
    """What is offered after these words, files and directories in brackets."""
    program, *args = words.split()
    command = {"deephyper": groups.deephyper, "deephyper-analytics": groups.deephyper_analytics}
    made: ShellComplete = _CLASSES[shell](command[program], {}, program, "_X_COMPLETE")
    items = made.get_completions(args, incomplete)
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in items]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ("deephyper", "st", ["start-project", "status"]),
        ("deephyper hps", "", ["ambs", "random", "regevo"]),
        ("deephyper hps", "r", ["random", "regevo"]),
        ("deephyper-analytics", "t", ["topk"]),
        ("deephyper completion", "", ["bash", "zsh", "fish"]),
        ("deephyper new-problem", "", ["hps", "nas"]),
        ("deephyper hps ambs", "--eval-t", ["--eval-timeout", "--eval-timeout-minutes"]),
        (
            "deephyper hps ambs --evaluator",
            "",
            ["thread", "process", "subprocess", "ray", "balsam"],
        ),
        ("deephyper hps ambs --evaluator", "pro", ["process"]),
        ("deephyper hps ambs --num-workers 2 --optimizer", "b", ["bayesian"]),
        ("deephyper hps ambs --stopper", "", ["none", "curve", "asha", "median"]),
        ("deephyper hps ambs --direction", "mi", ["minimize"]),
        ("deephyper hps ambs", "--direction=mi", ["--direction=minimize"]),
        ("deephyper hps ambs --problem", "", ["<file>"]),
        ("deephyper hps ambs --run", "mod", ["<file>"]),
        ("deephyper hps ambs --space", "", ["<file>"]),
        ("deephyper hps ambs --config", "", ["<file>"]),
        ("deephyper hps ambs --warm-start", "", ["<file>"]),
        ("deephyper hps ambs --log-dir", "", ["<dir>"]),
        ("deephyper hps ambs", "--log-dir=re", ["<dir>"]),
        ("deephyper hps ambs --resume", "", ["<dir>"]),
        ("deephyper hps ambs --max-evals", "", []),
        ("deephyper hps ambs --objective", "", ["last", "regex:", "json:"]),
        ("deephyper hps ambs --objective", "json:re", ["<file>"]),
        ("deephyper hps ambs --workdir", "", ["start", "evaluation"]),
        ("deephyper hps ambs --workdir", "x", ["<dir>"]),
        ("deephyper hps ambs --cache-key", "t", ["to_dict"]),
        ("deephyper hps ambs --cache-key", "m", ["<file>"]),
        ("deephyper hps ambs -P x=(1,2) --", "./tr", ["<file>"]),
        ("deephyper hps ambs -P x=(1,2) -- ./train.sh", "", ["<file>"]),
        ("deephyper status", "", ["<dir>"]),
        ("deephyper space show", "", ["<file>"]),
        ("deephyper-analytics topk", "", ["<file>"]),
        ("deephyper-analytics topk", "--po", ["--points"]),
        ("deephyper-analytics confirm log --problem", "", ["<file>"]),
        ("deephyper balsam-submit hps name --run", "", ["<file>"]),
    ],
)
def test_what_fits_is_offered(words: str, incomplete: str, expected: list[str]) -> None:
    assert offered(words, incomplete) == expected


@pytest.mark.parametrize(
    ("words", "incomplete"),
    [
        ("deephyper hps ambs --resume nosuch --evaluator", "xyz"),
        ("deephyper hps ambs --config nosuch.yaml --evaluator", "xyz"),
        ("deephyper hps ambs --num-workers none --evaluator", "xyz"),
        ("deephyper hps ambs --run a.py --run", "="),
    ],
)
def test_a_wrong_command_line_offers_nothing_and_says_nothing(
    words: str, incomplete: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered(words, incomplete) in ([], ["<file>"])
    assert capsys.readouterr() == ("", "")


def test_what_stands_there_already_is_not_offered_again() -> None:
    assert "--problem" not in offered("deephyper hps ambs --problem a.py", "--p")
    assert "--param" in offered("deephyper hps ambs --param x=[1]", "--p")  # may be repeated


def test_every_option_that_takes_a_word_or_a_path_offers_it() -> None:
    """An option of text alone has nothing to offer; one of a path or of choices has."""
    silent = {
        f"{name} {option.opts[0]}"
        for name, command in commands(groups.deephyper) | commands(groups.deephyper_analytics)
        for option in command.params
        if isinstance(option, click.Option)
        and not option.is_flag
        and option.metavar in ("FILE", "DIR", "LOG_DIR", "WHERE", "RESULTS")
        and not option.shell_complete(click.Context(command), "x")
    }
    assert silent == set()


def commands(group: click.Group, path: str = "") -> set[tuple[str, click.Command]]:
    context = click.Context(group)
    found: set[tuple[str, click.Command]] = set()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, f"{path}{name} ")
        else:
            found.add((f"{path}{name}", command))
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["deephyper", "hps", "ambs", "--evaluator", "=", "th"], "plain,thread"),
        (["deephyper", "hps", "ambs", "--evaluator", "="], "plain,thread"),
        (["deephyper", "hps", "ambs", "--run", "a.py", "::", "run", "--stopper", "as"], "plain,as"),
        (["deephyper", "hps", "ambs", "--objective", "json", ":", "fi"], "file,fi"),
        (["deephyper", "hps", "ambs", "-P", "'x=(1, 2)'", "--minim"], "plain,--minimize"),
    ],
)
def test_words_that_bash_splits_are_joined(
    line: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_WORDS", "\n".join(line))
    monkeypatch.setenv("COMP_CWORD", str(len(line) - 1))
    made = _CLASSES["bash"](groups.deephyper, {}, "deephyper", "_DEEPHYPER_COMPLETE")
    assert made.complete().startswith(expected)


@pytest.mark.parametrize(
    "words", ["deephyper hps ambs --ev", "deephyper s", "deephyper nas ambs -"]
)
def test_it_imports_nothing_heavy(words: str) -> None:
    heavy = ("skopt", "sklearn", "ray", "tensorflow", "pandas", "numpy", "scipy", "ConfigSpace")
    program = (
        "import sys\nfrom deephyper.core.cli.main import main\n"
        "try:\n    main([])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    variables = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_DEEPHYPER_COMPLETE": "bash_complete",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ | variables
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("plain,")
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_one_script_is_for_both_programs(shell: str, deephyper: Run) -> None:
    ended = deephyper("completion", shell)
    assert ended.status == 0
    first = ended.out.partition("\n")[0]
    assert first == (
        f"# Completion for deephyper and deephyper-analytics; from: deephyper completion {shell}"
    )
    assert "_DEEPHYPER_COMPLETE=" in ended.out
    assert "_DEEPHYPER_ANALYTICS_COMPLETE=" in ended.out


def test_another_shell_is_refused(deephyper: Run) -> None:
    ended = deephyper("completion", "fsh")
    assert ended.status == 2
    assert "'fsh' is not one of 'bash', 'zsh', 'fish'; did you mean 'fish'?" in ended.err


# Real shells, at a terminal.


class Terminal:
    """An interactive shell that knows the completion of both programs."""

    def __init__(self, shell: str, directory: Path) -> None:
        programs = directory / "bin"
        programs.mkdir()
        for name, module in (("deephyper", "main"), ("deephyper-analytics", "analytics")):
            program = programs / name
            program.write_text(
                f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n"
                f"from deephyper.core.cli.{module} import main\nsys.exit(main())\n"
            )
            program.chmod(0o755)
        words = {
            "bash": ["bash", "--norc", "--noprofile", "-i"],
            "zsh": ["zsh", "-f", "-i"],
            "fish": ["fish", "--no-config", "-i"],
        }[shell]
        load = {"fish": "deephyper completion fish | source"}.get(
            shell, f'eval "$(deephyper completion {shell})"'
        )
        variables = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(directory),
            "TERM": "xterm",
            "PS1": "$ ",
            "EDITOR": "",
        }
        self._shown = ""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(words[0], words, os.environ | variables)
        self.type(f"{load}; echo rea''dy\r")
        self.wait_for("ready")

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown after what was waited for before."""
        until = time.monotonic() + 100  # for a machine that does nothing any more
        while text not in self._shown:
            assert time.monotonic() < until, self._shown
            if select.select([self._fd], [], [], 1.0)[0]:
                new = os.read(self._fd, 65536).decode(errors="replace")
                # Without what moves the cursor and colors the text.
                self._shown += re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\([AB0]|[=>])", "", new)
        self._shown = self._shown.partition(text)[2]

    def completes(self, typed: str, to: str) -> None:
        """Check what a line becomes; the words that it has then are printed by the shell."""
        beginning_of_line = "\x01"
        self.type(f"{typed}\t{beginning_of_line}printf '<%s>' \r")
        self.wait_for(to)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_commands_options_choices_and_paths(
    shell: str, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} isn't installed")
    (tmp_path / "my results").mkdir()
    (tmp_path / "problem.py").touch()
    terminal = Terminal(shell, tmp_path)
    try:
        terminal.completes("deephyper start-p", "<deephyper><start-project>")
        terminal.completes("deephyper hps ambs --num-w", "<ambs><--num-workers>")
        terminal.completes("deephyper hps ambs --evaluator=th", "<ambs><--evaluator=thread>")
        terminal.completes("deephyper hps ambs -p prob", "<-p><problem.py>")
        terminal.completes("deephyper-analytics topk my", "<topk><my results")
    finally:
        terminal.close()


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_the_rest(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} isn't installed")
    (tmp_path / "my results").mkdir()
    (tmp_path / "problem.py").touch()
    terminal = Terminal(shell, tmp_path)
    try:
        terminal.completes("deephyper hps ambs --log-dir=my", "<--log-dir=my results")
        terminal.completes("deephyper hps ambs --log-dir my\\ re", "<--log-dir><my results")
        terminal.completes("deephyper hps ambs --objective js", "<--objective><json:>")
        terminal.completes("deephyper hps ambs --objective json:prob", "<json:problem.py>")
        terminal.completes("deephyper hps ambs --objective=json:prob", "=json:problem.py>")
        terminal.completes("deephyper hps ambs -P 'x=(1, 2)' -- ./prob", "<--><./problem.py>")
        terminal.completes("~/bin/deephyper new-p", "/bin/deephyper><new-problem>")
        terminal.completes("deephyper hps amb", "<hps><ambs>")
    finally:
        terminal.close()
