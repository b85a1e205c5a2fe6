"""What a person can get wrong on a command line: status 2, one clear line, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.core.cli import analytics
from tests.cli.command_line import Run

BEGUN = (
    '{"event": "search", "time": 1.0, "version": 1, "settings": {}, "max_evals": 5, '
    '"timeout": null, "space": {"hyperparameters": {"y": {}}, "conditions": [], "forbiddens": []}}'
    "\n"
)
FILES = {
    "good.py": """\
        from deephyper.problem import HpProblem
        Problem = HpProblem()
        Problem.add_hyperparameter((1, 10), "x")
        def run(point):
            return point["x"]
        """,
    "empty.py": "",
    "near.py": "problem = 1\ndef runs(point): return 1\n",
    "syntax.py": "def run(point:\n",
    "raising.py": "raise RuntimeError('out of cheese')\n",
    "exiting.py": "import sys\nsys.exit(3)\n",
    "missing_import.py": "import no_such_module_here\n",
    "not_callable.py": "run = 3\n",
    "not_problem.py": "Problem = {'x': (1, 10)}\n",
    "problem_class.py": "from deephyper.problem import HpProblem as Problem\n",
    "no_dimensions.py": "from deephyper.problem import HpProblem\nProblem = HpProblem()\n",
    "bad_range.py": """\
        from deephyper.problem import HpProblem
        Problem = HpProblem()
        Problem.add_hyperparameter((10, 1), "x")
        """,
    "bad_start.py": """\
        from deephyper.problem import HpProblem
        Problem = HpProblem()
        Problem.add_hyperparameter((1, 10), "x")
        Problem.add_starting_point(x=11)
        """,
    "no_networks.py": "from deephyper.nas import NaProblem\nProblem = NaProblem()\n",
    "bad_networks.py": """\
        from deephyper.nas import ArchitectureSpace, NaProblem
        def build():
            space = ArchitectureSpace((10,), (1,))
            space.variable("a", [])
            return space
        Problem = NaProblem()
        Problem.search_space(build)
        """,
    "other.py": """\
        from deephyper.problem import HpProblem
        Problem = HpProblem()
        Problem.add_hyperparameter((5, 10), "x")
        """,
    "text.txt": "hello\n",
    "no_objective.csv": "x,y\n1,2\n",
    "empty.csv": "",
    "only_header.csv": "x,objective,id,elapsed_sec,status\n",
    "all_failed.csv": "x,objective,id,elapsed_sec,status,failure\n1,,0,0.1,failed,oops\n",
    "good.csv": "x,objective,id,elapsed_sec,status\n1,1.0,0,0.1,finished\n2,2.0,1,0.1,finished\n",
    "words.csv": "x,objective,id,elapsed_sec,status\n1,much,0,0.1,finished\n",
    "ragged.csv": "x,objective,id,elapsed_sec,status\n1,1.0\n1,1.0,0,0.1,finished,a,b,c\n",
    "mixed.csv": "x,objective\n1,1.0\nobjective,y\n2.0,1\n",
    "binary.csv": "\0\1\2\3",
    "taken.json": "{}",
    "damaged/journal.jsonl": BEGUN + "{broken\n" + BEGUN,
    "unpickled/journal.jsonl": "cos\nsystem\n(S'touch escaped'\ntR.\n",
    "newer/journal.jsonl": BEGUN.replace('"version": 1', '"version": 99'),
    "unbegun/journal.jsonl": "",
    "elsewhere/journal.jsonl": BEGUN,
    "used/results.csv": "x,objective,id,elapsed_sec,status\n1,1.0,0,0.1,finished\n",
    "a_file": "",
}
ESCAPES = ("..", "/tmp/mine", "a/b", "a;b", "$(id)", "`id`", "a|b", "a&b", "~", "a$b", "*", "%s")
A = "hps ambs -p good.py -r good.py --max-evals 1 "
C = "confirm -r good.py "

DEEPHYPER = [
    # The commands themselves.
    ("fly", "No such command 'fly'"),
    ("hsp", "No such command 'hsp'. Did you mean 'hps'?"),
    ("new-problm hps x", "Did you mean 'new-problem'?"),
    ("hps amb", "Did you mean 'ambs'?"),
    ("new-problem hsp x", "'hsp' is not one of 'hps', 'nas'; did you mean 'hps'?"),
    (A + "--max-eval 3", "No such option '--max-eval'. Did you mean '--max-evals'? (try"),
    (A + "--objektive last", "No such option '--objektive'. Did you mean '--objective'?"),
    ("space shw", "No such command 'shw'. Did you mean 'show'?"),
    (A + "--evaluator proces", "; did you mean 'process'?"),
    (A + "--evaluator threadpool", "; did you mean 'threadPool'?"),
    (A + "--optimizer Bayes", "; did you mean 'bayesian'?"),
    (A + "--surrogate-model rf", "; did you mean 'RF'?"),
    ("--fly", "No such option '--fly'"),
    ("hps genetic", "No such command 'genetic'"),
    ("hps ambs", "Missing option '--problem'"),
    ("hps ambs -p good.py", "Missing option '--run'"),
    ("hps ambs -r good.py", "Missing option '--problem'"),
    (A + "more words", "unexpected extra arguments"),
    (A + "--workers 3", "No such option '--workers'"),
    (A + "--max-evals", "requires an argument"),
    ("new-problem", "Missing argument"),
    ("new-problem hps", "Missing argument 'NAME'"),
    ("new-problem nas not-a-name", "'not-a-name'"),
    ("new-problem nas mine --template torch", "leave --template torch out"),
    ("nas ambs", "Missing option '--problem'"),
    ("nas amb -p good.py", "Did you mean 'ambs'?"),
    ("nas ambs -p good.py", "of type HpProblem, and has no networks to train: make an NaProblem"),
    ("nas random -p no_networks.py", "the problem has no load_data: call Problem.load_data(...)"),
    ("nas random -P x=(1,2)", "deephyper.nas.run trains the networks of an NaProblem"),
    ("nas random -p good.py -r no_such.py", "no_such.py'; check the path"),
    ("nas random -p bad_networks.py", "node 'a' has no operations: give at least one"),
    ("new-problem xyz mine", "'xyz' is not one of 'hps', 'nas'"),
    ("balsam-submit hps ambs", "a name for the workflow too: hps ambs WORKFLOW"),
    ("balsam-submit hps ambs random -q q", "'random' is a search; give a name"),
    ("balsam-submit hps mine bayes", "'bayes' is not one of ambs, random"),
    ("new-problem hps ../mine", "can't be the name of a problem"),
    *((f"new-problem hps {name}", "can't be the name of a problem") for name in ESCAPES),
    ("new-problem hps json", "standard library"),
    ("new-problem hps if", "keyword"),
    ("new-problem hps a_file", "exists already"),
    ("start-project", "Missing argument 'NAME'"),
    ("start-project my-project", "can't be the name of a project"),
    *((f"start-project {name}", "can't be the name of a project") for name in ESCAPES),
    ("start-project a_file", "exists already"),
    ("start-project deephyper", "would hide"),
    # Numbers, times and names.
    (A + "--num-workers 0", "0 is not in the range x>=1"),
    (A + "--num-workers -3", "-3 is not in the range x>=1"),
    (A + "--num-workers two", "'two' is not a valid integer"),
    (A + "--num-workers 1.5", "'1.5' is not a valid integer; give a whole number of at least 1"),
    (A + "--max-evals 1e2", "give a whole number of at least 1, such as 100"),
    (A + "--max-evals 10.0", "give a whole number of at least 1, such as 10"),
    (A + "--max-evals 1e999", "'1e999' is not a valid integer; give a whole number of at least 1"),
    (A + "--seed 1e-3", "'1e-3' is not a valid integer; give a whole number of at least 0"),
    (A + "--max-evals 0", "0 is not in the range x>=1"),
    (A + "--max-evals many", "'many' is not a valid integer"),
    (A + "--seed -1", "-1 is not in the range x>=0"),
    (A + "--seed x", "'x' is not a valid integer"),
    (A + "--timeout 0", "'0' is not a duration above 0"),
    (A + "--timeout -5", "'-5' is not a duration"),
    (A + "--timeout soon", "'soon' is not a duration above 0; give seconds, or 30s, 10m, 2h, 1d"),
    (A + "--timeout nan", "'nan' is not a duration"),
    (A + "--timeout inf", "'inf' is not a duration"),
    (A + "--timeout 10x", "'10x' is not a duration"),
    (A + "--timeout " + "9" * 400, "is not a duration above 0"),
    (A + "--eval-timeout 0s", "'0s' is not a duration above 0"),
    (A + "--eval-timeout 1:30", "'1:30' is not a duration"),
    (A + "--eval-timeout-minutes 0", "0.0 is not in the range x>0"),
    (A + "--eval-timeout-minutes nan", "'nan' is not a finite number"),
    (A + "--eval-timeout 5 --eval-timeout-minutes 1", "give one of them"),
    (A + "--grace never", "'never' is not a duration"),
    (A + "--retries -1", "-1 is not in the range x>=0"),
    (A + "--max-failures 0", "0 is not in the range x>=1"),
    (A + "--minimize --direction maximize", "--minimize and --direction maximize; give one"),
    (A + "--direction minimise", "did you mean 'minimize'?"),
    (A + "--target nan", "'nan' is not a finite number"),
    (A + "--patience 0", "0 is not in the range x>=1"),
    (A + "--patience 3 --min-delta -1", "-1.0 is not in the range x>=0"),
    (A + "--min-delta 0.1", "--min-delta says which improvements count for --patience"),
    (A + "--stop-when-done 0", "0.0 is not in the range x>0"),
    (A + "--stop-when-done 5", "--stop-when-done is 5.0; give the share of what was gained"),
    (A + "--stop-when-done soon", "'soon' is not a valid number"),
    (A + "--stop-when-done --optimizer random", "'random' has none; leave it out, or choose"),
    (A + "--num-cpus-per-task 0", "0 is not in the range x>=1"),
    (A + "--num-gpus-per-task -1", "-1.0 is not in the range x>=0"),
    (A + "--driver-num-cpus 0 --evaluator ray", "0 is not in the range x>=1"),
    (A + "--evaluator dask", "'dask' is not one of thread, process, subprocess, ray"),
    (A + "--evaluator Process", "'Process' is not one of"),
    (A + "--ray-address auto", "--ray-address is an option of ray; use --evaluator ray"),
    (A + "--evaluator thread --driver-num-cpus 2", "use --evaluator ray"),
    (A + "--surrogate-model NN", "'NN' is not one of"),
    (A + "--acq-func UCB", "'UCB' is not one of"),
    (A + "--liar-strategy cl_median", "'cl_median' is not one of"),
    (A + "--kappa -1", "-1.0 is not in the range x>=0"),
    (A + "--kappa nan", "'nan' is not a finite number"),
    (A + "--xi inf", "'inf' is not a finite number"),
    (A + "--n-jobs 0", "give 1 or more, or -1 for all cores"),
    (A + "--n-jobs -2", "give 1 or more, or -1 for all cores|-2 is not in the range"),
    ("hps random -p good.py -r good.py --kappa 1", "No such option '--kappa'"),
    # Problem and run.
    ("hps ambs -p nowhere.py -r good.py", "there is no file 'nowhere.py'"),
    ("hps ambs -p sub/nowhere.py -r good.py", "there is no file 'sub/nowhere.py'"),
    ("hps ambs -p problem.ipynb -r good.py", "--problem can't name a notebook"),
    ("hps ambs -p text.txt -r good.py", "'text.txt' is not a Python file; give one"),
    ("hps ambs -p goood.py -r good.py", "there is no file 'goood.py'; did you mean 'good.py'?"),
    ("hps ambs -p ./good -r good.py", "there is no file 'good'; did you mean 'good.py'?"),
    ("hps ambs -p ./text.txt -r good.py", "is not a Python file"),
    ("hps ambs -p no.such.module.Problem -r good.py", "there is no module 'no'"),
    ("hps ambs -p deephyper.nothing.Problem -r good.py", "no module 'deephyper.nothing'"),
    ("hps ambs -p deephyper.problem.Nothing -r good.py", "has no 'Nothing'"),
    ("hps ambs -p a-b.c -r good.py", "neither a file nor a dotted path"),
    ("hps ambs -p $(id) -r good.py", "neither a file nor a dotted path"),
    ("hps ambs -p os;system -r good.py", "neither a file nor a dotted path"),
    ("hps ambs -p __import__('os').x -r good.py", "neither a file nor a dotted path"),
    ("hps ambs -p empty.py -r good.py", "has no 'Problem'; define 'Problem' there"),
    ("hps ambs -p near.py -r good.py", "did you mean 'problem'?"),
    ("hps ambs -p syntax.py -r good.py", "SyntaxError"),
    ("hps ambs -p raising.py -r good.py", "RuntimeError: out of cheese"),
    ("hps ambs -p exiting.py -r good.py", "SystemExit: 3"),
    ("hps ambs -p missing_import.py -r good.py", "No module named 'no_such_module_here'"),
    ("hps ambs -p not_problem.py -r good.py", "is of type dict, not a problem"),
    ("hps ambs -p problem_class.py -r good.py", "is the class HpProblem, not a problem"),
    ("hps ambs -p no_dimensions.py -r good.py", "the search space is empty"),
    ("hps ambs -p bad_range.py -r good.py", "bad_range.py, line 3"),
    ("hps ambs -p bad_start.py -r good.py", "bad_start.py, line 4"),
    ("hps ambs -p good.py -r nowhere.py", "nowhere.py'; check the path"),
    ("hps ambs -p good.py -r empty.py", "has no 'run'; define 'run' there"),
    ("hps ambs -p good.py -r near.py", "did you mean 'runs'?"),
    ("hps ambs -p good.py -r good.py::fly", "has no 'fly'"),
    ("hps ambs -p good.py -r not_callable.py", "is of type int, which can't be called"),
    ("hps ambs -p good.py -r syntax.py", "SyntaxError"),
    ("hps ambs -p good.py -r raising.py", "RuntimeError: out of cheese"),
    ("hps ambs -p good.py -r no.such.module.run", "there is no module 'no'"),
    # Folders and files.
    (A + "--log-dir used", "results.csv"),
    (A + "--log-dir a_file", "can't be made, because"),
    (A + "--log-dir a_file/sub", "can't be made, because"),
    (A + "--log-dir a_file/sub/sub", "can't be made, because"),
    (A + "--log-dir /proc/nowhere", "/proc/nowhere"),
    (A + "--resume nowhere", "nowhere"),
    (A + "--resume a_file", "a_file' is a file, or lies below one"),
    (A + "--resume a_file/sub", "a_file/sub' is a file, or lies below one"),
    (A + "--resume used", "used"),
    (A + "--resume used --log-dir elsewhere", "--resume names the log directory itself"),
    (A + "--resume used --warm-start good.csv", "give one of them"),
    (A + "--warm-start nowhere.csv", "nowhere.csv"),
    (A + "--warm-start no_objective.csv", "objective"),
    (A + "--warm-start empty.csv", "empty.csv"),
    (A + "--warm-start binary.csv", "binary.csv"),
    (A + "--warm-start .", "no file 'results.csv'"),
    *(
        (f"{A} --{option}={value}", f"--{option} is '{value}'")
        for option in ("log-dir", "resume", "warm-start")
        for value in ("", "-", "~nobody-of-this-name/x")
    ),
    (A + "--warm-start mixed.csv", "another header in line 3"),
    (A + "--cache-key no.such.key", "neither 'uuid' nor 'to_dict' nor a function"),
    (A + "--cache-key $(id)", "neither 'uuid' nor 'to_dict' nor a function"),
    (A + "--cache-key os.sep", "is not a function"),
    ("hps ambs -p good.py -r good.py --resume damaged", "damaged at line 2"),
    ("hps ambs -p good.py -r good.py --resume unpickled", "damaged at line 1"),
    ("hps ambs -p good.py -r good.py --resume newer", "format version 99"),
    ("hps ambs -p good.py -r good.py --resume unbegun", "start it again without --resume"),
    ("hps ambs -p good.py -r good.py --resume elsewhere", "'x' is gone|'y' is gone"),
    (A + "--log-dir damaged", "holds a search already; resume it with --resume"),
]

ANALYTICS = [
    ("best", "No such command 'best'"),
    ("top", "No such command 'top'. Did you mean 'topk'?"),
    ("topk", "Missing argument 'RESULTS'"),
    ("topk nowhere.csv", "nowhere.csv"),
    ("topk .", "no file 'results.csv'"),
    ("topk no_objective.csv", "objective"),
    ("topk empty.csv", "empty.csv"),
    ("topk only_header.csv", "no finished evaluation"),
    ("topk all_failed.csv", "no finished evaluation"),
    ("topk words.csv", "words.csv"),
    ("topk ragged.csv", "ragged.csv"),
    ("topk binary.csv", "binary.csv"),
    ("topk ragged.csv", "2 left out (line 2: it ends before its status)"),
    ("topk mixed.csv", "another header in line 3"),
    ("topk -", "the file is '-'"),
    ("topk ~nobody-of-this-name/x", "no such home directory"),
    ("topk good.csv --output=", "--output is ''"),
    ("topk good.csv -k 0", "0 is not in the range x>=1"),
    ("topk good.csv -k all", "'all' is not a valid integer; give a whole number of at least 1"),
    ("topk good.csv -o best.xml", "ends in .json, .yaml or .csv"),
    ("topk good.csv -o best", "ends in .json, .yaml or .csv"),
    ("topk good.csv -o taken.json", "exists already"),
    ("topk good.csv -o good.csv", "exists already"),
    ("topk good.csv -o nowhere/best.json", "nowhere/best.json"),
    (f"topk {'x' * 1000}", "File name too long"),
    (f"confirm {'x' * 1000} -r good.py", "File name too long"),
    ("topk good.csv extra", "unexpected extra argument"),
    ("importance", "Missing argument 'RESULTS'"),
    ("importance nowhere.csv", "nowhere.csv"),
    ("importance .", "no file 'results.csv'"),
    ("importance no_objective.csv", "objective"),
    ("importance empty.csv", "empty.csv"),
    ("importance binary.csv", "binary.csv"),
    ("importance only_header.csv", "no finished evaluation"),
    ("importance all_failed.csv", "no finished evaluation"),
    ("importance words.csv", "no finished evaluation"),
    ("importance -", "the file is '-'"),
    ("importance good.csv -k 0", "0 is not in the range x>=1"),
    ("importance good.csv --best 0", "0.0 is not in the range 0<x<=1"),
    ("importance good.csv --best 10", "10.0 is not in the range 0<x<=1"),
    ("importance good.csv --best nan", "'nan' is not a finite number"),
    ("importance good.csv --best most", "'most' is not a valid number"),
    ("importance good.csv --seed -1", "-1 is not in the range x>=0"),
    ("importance good.csv --json -o found.json", "give one of them"),
    ("importance good.csv -o found.png", "ends in .json, .yaml or .csv"),
    ("importance good.csv -o taken.json", "exists already"),
    ("importance good.csv -o nowhere/found.json", "there is no directory 'nowhere'"),
    ("confirm", "give RESULTS, the results.csv of a search, or --resume LOG_DIR"),
    ("confirm good.csv", "give --run, because there is no journal beside 'good.csv'"),
    (C + "nowhere.csv", "nowhere.csv"),
    (C + "empty.csv", "empty.csv"),
    (C + "all_failed.csv", "no finished evaluation"),
    (C + "good.csv", "'good.csv' has 2 different points with an objective, and k is 5"),
    (C + "good.csv -k 0", "0 is not in the range x>=1"),
    (C + "good.csv -k 1 -n 0", "0 is not in the range x>=1"),
    (C + "good.csv -k 1 -n 2.5", "'2.5' is not a valid integer"),
    (C + "good.csv -k 1 --set x", "--set x: give NAME=VALUE, as in --set epochs=200"),
    (C + "good.csv -k 1 --set =3", "--set =3: give NAME=VALUE"),
    (C + "good.csv -k 1 --set x=1 --set x=2", "--set gives 'x' twice"),
    (C + "good.csv -k 1 --set x=big", "x is 'big'; give a whole number, as in the results"),
    (C + "good.csv -k 1 -p raising.py", "out of cheese"),
    (C + "good.csv -k 1 -p not_problem.py", "not a problem"),
    (C + "good.csv -k 1 -p other.py", "line 3 of the results is no point of the problem"),
    (C + "good.csv -k 1 --log-dir used", "used/results.csv' exists already"),
    (C + "good.csv -k 1 --log-dir a_file", "is not a directory"),
    (C + "good.csv -k 1 -o best.xml", "ends in .json, .yaml or .csv"),
    (C + "good.csv -k 1 -o taken.json", "exists already"),
    (C + "good.csv -k 1 -o nowhere/best.json", "there is no directory 'nowhere'"),
    (C + "good.csv -k 1 --evaluator proces", "; did you mean 'process'?"),
    (C + "good.csv -k 1 --ray-address auto", "--ray-address is an option of ray"),
    (C + "good.csv --resume log", "leave out RESULTS"),
    (C + "--resume log -k 2 --set x=1", "leave out -k, --set"),
    (C + "--resume nowhere", "there is no search to resume"),
    (C + "--resume elsewhere", "holds a search and no confirmation"),
    ("confirm --resume elsewhere", "give --run, because"),
    ("confirm -r missing.py good.csv -k 1", "missing.py'; did you mean"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad input")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        indent = " " * (len(text) - len(text.lstrip(" ")))
        path.write_text(text.replace("\n" + indent, "\n").removeprefix(indent))
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def is_told_in_one_line(status: int, out: str, err: str, message: str) -> None:
    assert status == 2
    assert out == ""
    assert err.startswith("deephyper: error: ")
    assert len(err.splitlines()) == 1
    assert any(part in err for part in message.split("|")), err


@pytest.mark.parametrize(("line", "message"), DEEPHYPER)
def test_deephyper(
    deephyper: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    ended = deephyper(*line.split())
    is_told_in_one_line(ended.status, ended.out, ended.err, message)
    assert contents(folder) == before


@pytest.mark.parametrize(("line", "message"), ANALYTICS)
def test_deephyper_analytics(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    capsys.readouterr()
    status = analytics.main(line.split())
    out, err = capsys.readouterr()
    is_told_in_one_line(status, out, err, message)
    assert contents(folder) == before
