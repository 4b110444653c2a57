from __future__ import annotations

import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.zoo import create_model, list_models, model_spec


def test_models_are_listed_from_small_to_large() -> None:
    names = list_models("mobilevig")
    assert names == ["mobilevig_ti", "mobilevig_s", "mobilevig_m", "mobilevig_b"]
    params = [model_spec(name).params or 0 for name in names]
    assert params == sorted(params)


def test_unknown_model_offers_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match="mobilevig_ti"):
        model_spec("mobilvig_ti")


def test_unknown_family_is_refused() -> None:
    with pytest.raises(UnknownName, match="mobilevig"):
        list_models("mobilvig")


def test_every_published_figure_names_its_source() -> None:
    rows = [row for name in list_models() for row in model_spec(name).published]
    assert rows
    assert all(row.source for row in rows)
    tiny = model_spec("mobilevig_ti").published_top1
    assert tiny is not None and tiny.top1 == 75.7 and "arXiv:2307.00395" in tiny.source


def test_macs_are_not_claimed_at_a_size_where_nobody_counted() -> None:
    assert model_spec("mobilevig_ti", 256).macs is None


def test_a_model_without_classes_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        create_model("mobilevig_ti", num_classes=0)
