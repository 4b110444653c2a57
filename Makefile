# make setup           .venv with mobilebench and all four toolkits
# make demo            the main job: export, verify, measure, leaderboard
# make apk             the Android app for phones and for emulators, signed with a debug key
#
# make lint            ruff, the format, mypy
# make test-quick      tests that export nothing, for the edit loop: a minute on two cores
# make test-core       the quick ones, and those of the main path, which export small networks
# make test-cli        the program as a user runs it
# make test-exporters  the exporters, and the contracts of plug-ins
# make test-android    the Android app: its tests, its build, phones behind adbd; both apps' clients
# make test-swift      the iOS app: its tests on Linux, its type-check, its Xcode project
# make test-art        the app's code on Android's own runtime, where its parts can be had
# make test            lint, then core, cli, exporters, android and swift in one run
# make test-cases      files and networks that users had: slow ones, too
# make test-all        the slow tests as well

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
# The tests start the program very often; it is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo apk lint test test-quick test-core test-cli test-exporters test-android test-swift test-art test-cases test-all schema clean

setup: $(READY)

$(READY): requirements.txt requirements-timm.txt setup_timm.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "mobilebench is set up with Python 3.11, and $(PYTHON) is " + sys.version.split()[0] + "; run: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-timm.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python setup_timm.py
	@command -v chromium chromium-browser >/dev/null || echo 'The pages are tested in Chromium, which is not installed: apt-get install chromium (Debian). Without it those tests are skipped.'
	touch $(READY)

demo: setup
	$(BIN)/mobilebench demo --out demo

apk: setup
	$(BIN)/python android_app/tools/build.py apk

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The parts of tests/: folders and files, each in one part. tests/test_habits.py holds them complete.
QUICK := \
  tests/conformance tests/inputs tests/interop tests/leaderboard tests/notation tests/regress \
  tests/results tests/stats tests/store tests/thermal/test_baselines.py tests/thermal/test_controllers.py \
  tests/pages/test_charts.py tests/pages/test_foreign_text.py tests/pages/test_live.py \
  tests/pages/test_parts.py tests/pages/test_site.py \
  tests/submitting/test_address.py tests/submitting/test_client.py tests/submitting/test_spool.py \
  tests/thermal/test_deadline.py tests/thermal/test_series.py tests/thermal/test_simulation.py \
  tests/values tests/machine/test_installation.py tests/machine/test_isolated.py \
  tests/machine/test_places.py tests/machine/test_torchvision.py \
  tests/measuring/test_batch.py tests/measuring/test_devices.py \
  tests/measuring/test_diagnoses.py tests/measuring/test_engine.py tests/measuring/test_evidence.py \
  tests/measuring/test_journal.py tests/phones/test_expectations.py tests/phones/test_replay.py \
  tests/phones/test_devices.py tests/phones/test_variations.py \
  tests/reproducing/test_bundle.py tests/reproducing/test_plan.py tests/reproducing/test_row.py \
  tests/reproducing/test_verdict.py \
  tests/verifying/test_journal.py tests/verifying/test_matching.py \
  tests/verifying/test_parity.py tests/test_docs.py tests/test_errors.py \
  tests/test_files.py tests/test_habits.py tests/test_imports.py tests/test_plugins.py \
  tests/test_words.py
CORE := $(QUICK) \
  tests/conversion tests/deploy tests/exporting tests/gating tests/slimmable \
  tests/thermal/test_fitting.py tests/thermal/test_oracle.py tests/thermal/test_predictive.py \
  tests/thermal/test_timeline.py tests/zoo \
  tests/machine/test_cluster.py tests/measuring/test_hosts.py \
  tests/measuring/test_pairs.py tests/measuring/test_rounds.py tests/measuring/test_setting.py \
  tests/pages/test_browser.py tests/reproducing/test_reproduction.py tests/server \
  tests/submitting/test_agent.py tests/submitting/test_verbs.py \
  tests/verifying/test_accuracy.py tests/verifying/test_agreement.py \
  tests/verifying/test_equivalence.py tests/verifying/test_evaluation.py tests/test_api.py \
  tests/test_observer.py tests/test_pipeline.py \
  tests/test_zoo_matrix.py
CLI := tests/cases tests/cli tests/test_action.py tests/test_packaging.py
EXPORTERS := \
  tests/contract tests/device_runners tests/exporters tests/inspecting tests/phones/test_adb.py \
  tests/phones/test_adb_faults.py tests/phones/test_adb_refusals.py tests/phones/test_go_ios.py \
  tests/phones/test_ios.py tests/phones/test_ssh.py tests/phones/test_ssh_arm64.py \
  tests/phones/test_ssh_words.py tests/phones/test_tables.py tests/phones/test_tool.py \
  tests/test_failures.py
ANDROID := tests/android tests/clients tests/phones/adbd
SWIFT := tests/ios

# Three processes share the tests on two cores, since some wait for a build, a server or a phone.
# `pytest` by itself runs one after the other.
PYTEST := $(BIN)/pytest -n 3 --dist worksteal

test-quick: setup
	$(PYTEST) $(QUICK)

test-core: setup
	$(PYTEST) $(CORE)

test-cli: setup
	$(PYTEST) $(CLI)

test-exporters: setup
	$(PYTEST) $(EXPORTERS)

test-android: setup
	$(PYTEST) $(ANDROID)

test-swift: setup
	$(PYTEST) $(SWIFT)

test-art: setup
	$(BIN)/pytest -m art $(ANDROID)

test: lint
	$(PYTEST)

test-cases: setup
	$(PYTEST) -m "not device" tests/cases

test-all: lint
	$(BIN)/pytest -m "not device and not art"

schema: setup
	$(BIN)/python -m mobilebench.schema

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
