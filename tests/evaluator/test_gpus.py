"""The GPUs that workers get."""

from __future__ import annotations

import pytest

from deephyper.errors import EvaluatorError
from deephyper.evaluator.gpus import share_gpus, visible_gpus
from tests.evaluator.conftest import Create, only


def test_gpus_are_shared_out() -> None:
    assert share_gpus(["0", "1", "2", "3"], 2, 2) == ["0,1", "2,3"]
    assert share_gpus(["4", "7"], 2, 1) == ["4", "7"]
    assert share_gpus(["a", "b"], 4, 0.5) == ["a", "a", "b", "b"]
    assert share_gpus(["a"], 3, 1 / 3) == ["a", "a", "a"]
    assert share_gpus(["a"], 93, 1 / 93) == ["a"] * 93  # 1 / (1 / 93) is a little less
    with pytest.raises(EvaluatorError, match="needs 3 GPUs, and there are 2"):
        share_gpus(["0", "1"], 3, 1)
    with pytest.raises(EvaluatorError, match="whole number or a fraction"):
        share_gpus(["0", "1"], 1, 1.5)


def test_visible_gpus_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert visible_gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert visible_gpus() == []


@pytest.mark.parametrize("method", ["process", "subprocess"])
def test_a_worker_finds_its_gpu(
    method: str, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    evaluator = create(method, 1, num_gpus_per_task=1)
    evaluator.submit([{"do": "environment", "name": "CUDA_VISIBLE_DEVICES", "value": "3"}])
    assert only(evaluator.gather_all()).objective == 1.0
