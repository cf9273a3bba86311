# The differential test against govmomi: every event class, filled at random (see oracle/main.go).
ORACLE_EVENTS ?= 20000

build/oracle: $(wildcard tests/oracle/*.go)
	@mkdir -p $(@D)
	@mkdir -p $(@D); $(call say,GO,tests/oracle); cd tests/oracle && $(schemas_go) build -o $(CURDIR)/$@.$$$$ . && mv $(CURDIR)/$@.$$$$ $(CURDIR)/$@ # tests run side by side

oracle: $(B)/$(main.cli) build/oracle ## compare our JSON of ORACLE_EVENTS random events with govmomi's; SEED=n repeats a run
	build/oracle -n $(ORACLE_EVENTS) $(SEED:%=-seed %) -convert '$(B)/$(main.cli) convert --data -'

.PHONY: oracle
