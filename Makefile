VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed

# Tests start many processes of this checkout: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-report browser-tools test-spark test-spark4 test-faults test-evolution test-variants test-processes test-examples test-scale test-glue test-cluster test-editor dist release bench bench-peers docs clean

setup: $(STAMP)

$(STAMP): setup.cfg setup.py pyproject.toml
	@python=$$(command -v python3.11 || command -v python3 || true); \
	if [ -z "$$python" ] || ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    echo "make setup: needs Python 3.11 or later; found: $$([ -n "$$python" ] && "$$python" --version || echo none)" >&2; \
	    exit 1; \
	fi; \
	[ -x $(PYTHON) ] || "$$python" -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,spark,test]'
	@touch $@

demo: setup
	@$(PYTHON) -m demo

# Three processes, each with a sandbox of its own, keep two cores busy: a load often waits for an answer.
WORKERS ?= 3

test: setup
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy & types=$$!; \
	$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile -m "not spark and not processes"; result=$$?; \
	wait $$types && exit $$result

# The report in headless Chromium, with axe. SCREENSHOTS=docs/images takes those of the documents anew.
SCREENSHOTS := build/report
AXE := build/axe/node_modules/axe-core/axe.min.js

test-report: browser-tools $(VENV)-report/.installed $(AXE)
	@SCREENSHOTS=$(SCREENSHOTS) AXE=$(AXE) $(VENV)-report/bin/python -m pytest --noconftest tests/browser

browser-tools:
	@for tool in chromium npm; do \
	    command -v $$tool >/dev/null || { echo "make test-report: needs $$tool: apt-get install $$tool" >&2; exit 1; }; \
	done

$(VENV)-report/.installed: $(STAMP)
	@$(PYTHON) -m venv $(VENV)-report
	@$(VENV)-report/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@touch $@

$(AXE):
	@npm install --silent --no-save --prefix build/axe axe-core@4

# Rows, and the load tests once more, with tasks in Spark's workers.
test-spark: setup
	@$(PYTHON) -m pytest -m spark tests/rows tests/sandbox
	@$(PYTHON) -m pytest --engine spark tests/sandbox/test_first_load.py tests/sandbox/test_files.py \
	    tests/sandbox/test_file_options.py tests/sandbox/test_dialect_files.py tests/sandbox/test_bad_rows.py \
	    tests/sandbox/test_modes.py tests/sandbox/test_evolution.py tests/sandbox/test_views.py \
	    tests/sandbox/test_conflicts.py tests/sandbox/test_real_feeds.py tests/sandbox/test_json_files.py \
	    tests/sandbox/test_parquet_files.py tests/sandbox/test_excel_files.py tests/sandbox/test_excel_cells.py tests/sandbox/test_fixed_files.py

# The same on Spark 4.1, in a virtual environment of its own.
test-spark4: $(VENV)-spark4/.installed
	@$(VENV)-spark4/bin/python -m pytest --engine spark tests/rows tests/sandbox/test_first_load.py \
	    tests/sandbox/test_files.py tests/sandbox/test_modes.py tests/sandbox/test_evolution.py \
	    tests/sandbox/test_conflicts.py tests/sandbox/test_real_feeds.py

# Over the Spark that the project asks for: of both, pip would find no solution.
$(VENV)-spark4/.installed: $(STAMP)
	@$(PYTHON) -m venv $(VENV)-spark4
	@$(VENV)-spark4/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,spark,test]'
	@$(VENV)-spark4/bin/python -m pip install --quiet --disable-pip-version-check 'pyspark>=4.1,<4.2'
	@touch $@

# Loads killed at every change, through 200 loads' transient faults, eight at once: two processes, each with a sandbox.
test-faults: setup
	@$(PYTHON) -m pytest --exhaustive tests/faults -k "not-sent or through or kill" & other=$$!; \
	$(PYTHON) -m pytest --exhaustive tests/faults -k "not (not-sent or through or kill)"; result=$$?; \
	wait $$other && exit $$result

# Every step of the lattice of types, under everything that may stand on a table; real feeds as they changed; 1,000 columns.
test-evolution: setup
	@$(PYTHON) -m pytest --exhaustive tests/evolution

# Every variant of what `make test` takes a few of.
test-variants: setup
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --exhaustive -m "exhaustive and not processes and not spark"

# Commands and servers as processes of their own: signals, imports, what a crash leaves.
test-processes: setup
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --exhaustive -m processes
	@$(PYTHON) -m pytest --exhaustive tests/processes

# What users copy: every example of the documentation, the GitHub Action, and the templates of deploy/.
test-examples: setup
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile tests/docs tests/deploy

# Ten thousand files under one prefix.
test-scale: setup
	@$(PYTHON) -m pytest tests/scale

# What `make dist` writes, on AWS Glue's Python packages alone.
test-glue: setup
	@$(PYTHON) -m pytest tests/glue

# Two million rows on a Spark standalone cluster of two workers, started for it.
test-cluster: setup
	@$(PYTHON) -m pytest tests/cluster

# What an editor checks, completes and describes, by the language server of its YAML extension, which Node.js runs.
test-editor: $(VENV)-editor/.installed
	@$(PYTHON) -m pytest tests/editor

$(VENV)-editor/.installed: $(STAMP)
	@npm install --silent --no-audit --no-fund --prefix $(VENV)-editor yaml-language-server@1.25.0
	@touch $@

# What AWS Glue and spark-submit run.
dist: setup
	@$(PYTHON) -m deploy.dist

# The wheel and the source distribution, each installed into an empty environment; they are built in one of its own.
release: $(VENV)-release/.installed
	@$(VENV)-release/bin/python -m deploy.release

$(VENV)-release/.installed: $(STAMP)
	@$(PYTHON) -m venv $(VENV)-release
	@$(VENV)-release/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[release]'
	@touch $@

bench: setup
	@$(PYTHON) -m benchmarks

# Beside dlt, in a virtual environment of its own.
bench-peers: $(VENV)-peers/.installed
	@$(VENV)-peers/bin/python -m benchmarks --peers dlt

$(VENV)-peers/.installed: $(STAMP)
	@$(PYTHON) -m venv $(VENV)-peers
	@$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,spark,peers]'
	@touch $@

# The documentation as a site in build/docs; a link that leads nowhere fails.
docs: $(VENV)-docs/.installed
	@$(VENV)-docs/bin/zensical build --strict --clean

$(VENV)-docs/.installed: $(STAMP)
	@$(PYTHON) -m venv $(VENV)-docs
	@$(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check '.[docs]'
	@touch $@

clean:
	@[ ! -x $(PYTHON) ] || [ ! -d .sandbox ] || $(PYTHON) -m framework sandbox reset --yes
	@rm -rf $(VENV) $(VENV)-* .sandbox .demo .bench .bench-* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .cache
