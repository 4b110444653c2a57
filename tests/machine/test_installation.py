"""A digest covers all of the source, or it does not exist."""

from __future__ import annotations

import pytest

from mobilebench.machine import installation


def test_a_package_that_does_not_exist_has_no_digest() -> None:
    with pytest.raises(ModuleNotFoundError, match="no package 'mobilebench.deployed'"):
        installation.source_sha256("mobilebench", "mobilebench.deployed")


def test_a_digest_is_of_all_packages_named() -> None:
    both = installation.source_sha256(installation.EXPORTERS, "mobilebench.deploy")
    assert both != installation.source_sha256(installation.EXPORTERS)
