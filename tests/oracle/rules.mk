# The differential test against govmomi: every event class, filled at random (oracle/main.go says how).
ORACLE_EVENTS ?= 20000

build/oracle: $(wildcard tests/oracle/*.go)
	@mkdir -p $(@D)
	@mkdir -p $(@D); $(call say,GO,tests/oracle); cd tests/oracle && $(schemas_go) build -o $(CURDIR)/$@.$$$$ . && mv $(CURDIR)/$@.$$$$ $(CURDIR)/$@ # tests run side by side

oracle: $(B)/$(main.cli) build/oracle ## ORACLE_EVENTS random events, ours against govmomi's own JSON; SEED=n repeats a run
	build/oracle -n $(ORACLE_EVENTS) $(SEED:%=-seed %) -convert '$(B)/$(main.cli) convert --data -'

.PHONY: oracle
