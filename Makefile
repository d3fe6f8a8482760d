# Every target sets itself up: it needs Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV   ?= .venv
BIN     = $(VENV)/bin
# app-server is a real Letta App Server, rest a double of the Letta REST API.
BACKEND ?= app-server
READY   = $(VENV)/.ready
# Whatever a shell is set to: bytecode that is kept saves each process that is started a second.
unexport PYTHONDONTWRITEBYTECODE

# What Aurora says in English, for those who translate it. Dates and line numbers would change when
# no text does.
ENGLISH = aurora/locales/messages.pot
COLLECT = $(BIN)/redgettext -c -r -R -O build -o english.pot aurora && \
          sed -E -e '/^"(POT-Creation|PO-Revision)-Date/d' -e '/^\#:/s/:[0-9]+//g' build/english.pot

.PHONY: run demo test test-fast check words bench soak clean

run: $(READY)     ## a local Discord, Red, a Letta agent and a chat page
	$(BIN)/python -m sandbox run --backend $(BACKEND) $(ARGS)

demo: $(READY)    ## a scripted conversation; exits 0 if every message got its one answer
	$(BIN)/python -m sandbox demo --backend $(BACKEND) $(ARGS)

test: $(READY)    ## ARGS= is passed to pytest; four workers, each with an App Server of its own: they wait more than they work
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(READY) ## the tests that start no server, no process and no browser, and compute for no seconds
	$(BIN)/python -m pytest --fast --numprocesses 2 --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pip check
	@echo "$(ENGLISH): is it what the sources say? (if not: make words)"
	@$(COLLECT) | diff $(ENGLISH) -

words: $(READY)   ## collects what Aurora says in English; the translations follow by hand
	$(COLLECT) > $(ENGLISH)

bench: $(READY)   ## JSON lines of figures, then a table; ARGS="--against main cost" measures a commit before in turns
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(READY)    ## about 30 minutes of kills, power cuts, faults, outages, clocks, disks, storm, fuzzing; JSON lines, exits 1 for any loss
	$(BIN)/python -m tests.soak $(ARGS)

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $(READY)
