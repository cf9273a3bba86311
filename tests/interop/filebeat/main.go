// SPDX-License-Identifier: Apache-2.0

// Filebeat with its free inputs, its input http_endpoint (Elastic License, which allows to build it for tests) and all outputs.
// The other inputs of x-pack need modules that Go's checksum database does not know.
package main

import (
	"os"

	"github.com/elastic/beats/v7/filebeat/cmd"
	free "github.com/elastic/beats/v7/filebeat/input/default-inputs"
	"github.com/elastic/beats/v7/filebeat/input/v2"
	"github.com/elastic/beats/v7/libbeat/beat"
	"github.com/elastic/beats/v7/libbeat/logp"
	"github.com/elastic/beats/v7/x-pack/filebeat/input/http_endpoint"

	"github.com/elastic/beats/v7/filebeat/beater"
)

func inputs(info beat.Info, log *logp.Logger, store beater.StateStore) []v2.Plugin {
	return append([]v2.Plugin{http_endpoint.Plugin()}, free.Init(info, log, store)...)
}

func main() {
	settings := cmd.FilebeatSettings()
	settings.ElasticLicensed = true
	if cmd.Filebeat(inputs, settings).Execute() != nil {
		os.Exit(1)
	}
}
